#include "qemu/lab/transfer.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "image/unpack.hpp"

namespace twinbox::qemu {

void make_writable_directory(const std::filesystem::path& directory) {
  base::make_directories(directory);
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    base::throw_errno("nothing can be written to {}", directory.string());
  }
}

base::Fd archive_for(const std::filesystem::path& directory) {
  base::Fd file(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  // NFS and FUSE have no such files.
  if (!file && (errno == EOPNOTSUPP || errno == EISDIR))
    file = base::Fd(::memfd_create("archive", MFD_CLOEXEC));
  if (!file) base::throw_errno("cannot make a file in {}", directory.string());
  return file;
}

void extract_archive(int archive, const std::filesystem::path& directory) {
  base::make_directories(directory);
  if (::lseek(archive, 0, SEEK_SET) < 0) base::throw_errno("cannot rewind the lab's files");
  std::vector<std::byte> buffer(64 * 1024);
  const auto source = [&] {
    return std::span<const std::byte>(buffer.data(), base::read_some(archive, buffer).value_or(0));
  };
  // The directory is a user's, and what is in it already may be anything.
  const image::UnpackOptions options{.whiteouts = image::UnpackOptions::Whiteouts::literal,
                                     .tree = {.directories = image::TreeRules::Directories::kept,
                                              .links = image::TreeRules::Links::refused,
                                              .root = image::TreeRules::Root::kept}};
  try {
    image::unpack_tar(source, directory, options);
  } catch (const base::Error& error) {
    throw base::Error(
        error.kind(),
        fmt::format("cannot bring the lab's files to {}: {}", directory.string(), error.message()),
        error.hint());
  }
}

}  // namespace twinbox::qemu
