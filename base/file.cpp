#include "base/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::base {

std::string read_file(const std::filesystem::path& path) {
  const Fd fd = open_file(path, O_RDONLY);
  try {
    return read_to_end(fd.get());
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("cannot read {}: {}", path.string(), error.message()), {},
                error.number());
  }
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  const Fd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  try {
    write_all(fd.get(), text);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("cannot write {}: {}", path.string(), error.message()),
                {}, error.number());
  }
}

void write_file_atomic(const std::filesystem::path& path, std::string_view text) {
  const auto draft = path.string() + ".new." + std::to_string(::getpid());
  try {
    write_file(draft, text);
    const Fd fd = open_file(draft, O_RDONLY);
    if (::fsync(fd.get()) != 0) throw_errno("cannot sync {}", draft);
    if (::rename(draft.c_str(), path.c_str()) != 0) throw_errno("cannot replace {}", path.string());
  } catch (...) {
    ::unlink(draft.c_str());
    throw;
  }
}

std::vector<std::string> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return names;
  alignas(dirent64) std::array<char, 4096> buffer;
  while (true) {
    const auto size = ::getdents64(fd.get(), buffer.data(), buffer.size());
    if (size <= 0) return names;
    for (ssize_t at = 0; at < size;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      const std::string_view name(entry->d_name);
      if (name != "." && name != "..") names.emplace_back(name);
      at += entry->d_reclen;
    }
  }
}

void make_directories(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    throw system_error(error.value(), fmt::format("cannot make directory {}", path.string()));
}

std::filesystem::path make_unique_directory(const std::filesystem::path& parent,
                                            std::string_view prefix) {
  std::string name = (parent / fmt::format("{}XXXXXX", prefix)).string();
  if (::mkdtemp(name.data()) == nullptr) throw_errno("cannot make a directory like {}", name);
  return name;
}

TemporaryDirectory::TemporaryDirectory(const std::filesystem::path& parent, std::string_view prefix)
    : path_(make_unique_directory(parent, prefix)) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace twinbox::base
