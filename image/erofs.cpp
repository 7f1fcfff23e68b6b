#include "image/erofs.hpp"

#include <sys/statvfs.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::image {
namespace {

// The superblock is at 1 KiB; its build time (seconds and nanoseconds) is the one thing in an image
// that mkfs.erofs takes from the clock while it keeps the times of files.
constexpr std::uint64_t build_time_offset = 1024 + 24;
constexpr std::size_t build_time_size = 8 + 4;

void clear_build_time(const std::filesystem::path& file) {
  const auto fd = base::open_file(file, O_WRONLY);
  constexpr std::array<std::byte, build_time_size> zero{};
  base::pwrite_all(fd.get(), zero, build_time_offset);
}

// Where a program's words are all there is.
bool has_no_room(const std::filesystem::path& file) {
  struct statvfs info {};
  return ::statvfs(file.parent_path().c_str(), &info) == 0 && info.f_bavail == 0;
}

}  // namespace

void make_erofs(const std::filesystem::path& directory, const std::filesystem::path& file) {
  // Every file keeps its own time (extended inodes), no checksum covers the build time, and files
  // are whole pages, so that a guest can map them where they are (DAX).
  const auto result = base::run_command({"mkfs.erofs", "--quiet", "--preserve-mtime", "-E",
                                         "force-inode-extended,nosbcrc,noinline_data", "-U",
                                         "00000000-0000-0000-0000-000000000000", file.string(),
                                         directory.string()});
  if (result.status == 127) {
    throw base::Error(base::ErrorKind::unsupported, "mkfs.erofs is not installed",
                      "install the package erofs-utils");
  }
  if (result.status != 0) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("cannot make the erofs image {}: mkfs.erofs ended with status "
                                  "{}: {}{}",
                                  file.string(), result.status, result.err, result.out),
                      "is the disk full?", has_no_room(file) ? ENOSPC : 0);
  }
  clear_build_time(file);
}

}  // namespace twinbox::image
