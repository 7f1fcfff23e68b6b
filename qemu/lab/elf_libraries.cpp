#include "qemu/lab/elf_libraries.hpp"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <optional>
#include <span>
#include <sstream>
#include <string>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/syscall.hpp"

namespace twinbox::qemu {
namespace {

template <typename T>
std::optional<T> read_at(int fd, std::uint64_t offset) {
  T object{};
  const auto count = ::pread(fd, &object, sizeof object, static_cast<off_t>(offset));
  if (count != static_cast<ssize_t>(sizeof object)) return std::nullopt;
  return object;
}

// The PT_INTERP entry: the loader's path. Nullopt when there is none.
std::optional<std::string> loader_of(const std::filesystem::path& program) {
  const base::Fd fd = base::open_file(program, O_RDONLY);
  const auto header = read_at<Elf64_Ehdr>(fd.get(), 0);
  if (!header || std::string_view(reinterpret_cast<const char*>(header->e_ident), SELFMAG) !=
                     std::string_view(ELFMAG, SELFMAG)) {
    return std::nullopt;
  }
  for (unsigned index = 0; index < header->e_phnum; ++index) {
    const auto segment =
        read_at<Elf64_Phdr>(fd.get(), header->e_phoff + index * std::uint64_t{sizeof(Elf64_Phdr)});
    if (!segment || segment->p_type != PT_INTERP || segment->p_filesz > 4096) continue;
    std::string path(segment->p_filesz, '\0');
    base::pread_exact(fd.get(), std::as_writable_bytes(std::span(path)), segment->p_offset);
    return path.c_str();  // ends at the NUL that the file stores
  }
  return std::nullopt;
}

// One line of the loader's list: "libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x7f...)", or only
// a path, or a name without a file (the vDSO).
std::optional<std::filesystem::path> library_of(const std::string& line) {
  const auto path = line.find('/');
  const auto end = line.rfind(" (0x");
  if (path == std::string::npos || end == std::string::npos || end < path) return std::nullopt;
  return line.substr(path, end - path);
}

}  // namespace

std::vector<std::filesystem::path> shared_libraries(const std::filesystem::path& program) {
  const auto loader = loader_of(program);
  if (!loader) return {};
  const auto listing = base::run_command({*loader, "--list", program.string()});
  std::vector<std::filesystem::path> libraries{*loader};
  std::istringstream lines(listing.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("=> not found") != std::string::npos || listing.status != 0) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("{} needs a library that is missing: {}", program.string(),
                                    line.substr(line.find_first_not_of("\t "))));
    }
    if (const auto library = library_of(line.substr(line.find("=>") + 1))) {
      libraries.push_back(*library);
    }
  }
  if (listing.status != 0) {
    throw base::Error(base::ErrorKind::system, fmt::format("{} cannot list the libraries of {}: {}",
                                                           *loader, program.string(), listing.err));
  }
  return libraries;
}

}  // namespace twinbox::qemu
