#include "vmm/boot/kernel_image.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/mapping.hpp"
#include "base/syscall.hpp"
#include "image/digest.hpp"
#include "sandbox/paths.hpp"
#include "vmm/boot/bzimage.hpp"
#include "vmm/boot/trim_elf.hpp"

namespace twinbox::vmm {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;

struct stat status_of(int fd, const fs::path& kernel) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) base::throw_errno("cannot look at {}", kernel.string());
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::usage, fmt::format("the kernel {} is no regular file", kernel.string()),
                "name a vmlinux or a bzImage");
  }
  return status;
}

bool is_elf(std::span<const std::byte> file) {
  return file.size() >= SELFMAG && std::memcmp(file.data(), ELFMAG, SELFMAG) == 0;
}

// The file's first bytes decide what it is; few, so that a kernel known already costs nothing.
std::string head_of(int fd) {
  std::string head(1024, '\0');
  const auto count = ::pread(fd, head.data(), head.size(), 0);
  head.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return head;
}

[[noreturn]] void not_a_kernel(const fs::path& kernel, std::string_view head) {
  const bool text = !head.empty() && head.find('\0') == std::string_view::npos;
  const char* const what = head.empty() ? "is empty" : text ? "is a text file" : "is no kernel";
  throw Error(ErrorKind::usage, fmt::format("the kernel {} {}", kernel.string(), what),
              "name an uncompressed vmlinux or a bzImage, such as /boot/vmlinuz-*");
}

std::string sha256_of(std::span<const std::byte> bytes) {
  image::Sha256 hash;
  hash.update(bytes);
  return image::digest_hex(hash.finish());
}

// Who a file is without reading it: a changed file has another of these.
std::string identity(const struct stat& status) {
  return fmt::format("{}-{}-{}-{}.{:09}", status.st_dev, status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

// Remembers which content a file had, so that 14 MB need not be hashed for each start. One small
// file per kernel file: two twinbox processes never write the same one with different contents.
class KernelCache {
 public:
  KernelCache() : directory_(sandbox::data_root() / "cache/kernels") {}

  fs::path elf(const std::string& digest) const { return directory_ / (digest + ".elf"); }

  fs::path find(const std::string& identity) const {
    std::error_code error;
    const auto link = fs::read_symlink(known(identity), error);
    if (error) return {};
    const auto path = directory_ / link;
    return fs::exists(path, error) ? path : fs::path{};
  }

  void remember(const std::string& identity, const std::string& digest) const {
    const auto draft = directory_ / fmt::format("known-{}.new.{}", identity, ::getpid());
    std::error_code error;
    fs::remove(draft, error);
    fs::create_symlink(digest + ".elf", draft, error);
    // Only a shortcut: without it the next start hashes again.
    if (!error) fs::rename(draft, known(identity), error);
  }

  // Drafts of processes that were killed while they unpacked.
  void remove_stale_drafts() const {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory_, error)) {
      const auto name = entry.path().filename().string();
      const auto mark = name.find(".new.");
      if (mark == std::string::npos) continue;
      const auto owner = name.substr(mark + 5);
      if (!fs::exists("/proc/" + owner, error)) fs::remove(entry.path(), error);
    }
  }

  // Unpacks beside the final place and renames: nobody sees half a kernel.
  void store(const std::string& digest, const BzImagePayload& payload, const fs::path& source) {
    base::make_directories(directory_);
    remove_stale_drafts();
    const auto draft = directory_ / fmt::format("{}.new.{}", digest, ::getpid());
    try {
      const auto fd = base::open_file(draft, O_RDWR | O_CREAT | O_TRUNC);
      unpack_payload(payload, fd.get(), source.string());
      std::array<std::byte, SELFMAG> magic{};
      base::pread_exact(fd.get(), magic, 0);
      if (!is_elf(magic)) {
        throw Error(ErrorKind::usage,
                    fmt::format("the kernel {} unpacks to no ELF file", source.string()));
      }
      boot::trim_elf(fd.get());
      if (::fsync(fd.get()) != 0) base::throw_errno("cannot sync {}", draft.string());
      if (::rename(draft.c_str(), elf(digest).c_str()) != 0) {
        base::throw_errno("cannot rename {}", draft.string());
      }
    } catch (...) {
      ::unlink(draft.c_str());
      throw;
    }
  }

 private:
  fs::path known(const std::string& identity) const { return directory_ / ("known-" + identity); }

  fs::path directory_;
};

fs::path unpacked(const fs::path& kernel, int fd, const struct stat& status) {
  KernelCache cache;
  const auto id = identity(status);
  if (auto path = cache.find(id); !path.empty()) return path;
  const auto file =
      base::Mapping::of_file(fd, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE);
  const auto payload = find_payload(file.bytes(), kernel.string());
  const auto digest = sha256_of(file.bytes());
  if (!fs::exists(cache.elf(digest))) cache.store(digest, payload, kernel);
  cache.remember(id, digest);
  return cache.elf(digest);
}

}  // namespace

fs::path prepare_kernel(const fs::path& kernel) {
  base::Fd fd(::open(kernel.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    const int error = errno;
    if (error != ENOENT)
      throw base::system_error(error, "cannot open the kernel " + kernel.string());
    throw Error(ErrorKind::not_found, "there is no kernel " + kernel.string(),
                "give the path of a vmlinux or a bzImage with --kernel");
  }
  const auto status = status_of(fd.get(), kernel);
  const auto head = head_of(fd.get());
  const auto bytes = std::as_bytes(std::span(head));
  if (is_elf(bytes)) return kernel;
  if (!is_bzimage(bytes)) not_a_kernel(kernel, head);
  return unpacked(kernel, fd.get(), status);
}

}  // namespace twinbox::vmm
