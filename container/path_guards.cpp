#include "container/path_guards.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "container/devices.hpp"
#include "container/mount_api.hpp"

namespace twinbox::container {
namespace {

bool is_directory(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0) base::throw_errno("cannot look at a path to mask");
  return S_ISDIR(info.st_mode);
}

// Covers files with the container's own null device, directories with one empty file system.
class Cover {
 public:
  explicit Cover(int root) : root_(root) {}

  void file(int target, const std::string& path) {
    if (!null_) {
      null_ = open_in_root(root_, "/dev/null", Links::refused);
      if (!null_) {
        throw base::Error(base::ErrorKind::unsupported,
                          fmt::format("{} cannot be masked without a /dev/null", path));
      }
      require_null_device(null_.get());
    }
    attach_mount(clone_mount(null_.get(), false).get(), target, path);
  }

  void directory(int target, const std::string& path) {
    if (empty_) {
      attach_mount(clone_mount(empty_.get(), false).get(), target, path);
      return;
    }
    empty_ = make_filesystem(
        "tmpfs", {{"size", "0"}, {"nr_inodes", "2"}, {"mode", "0555"}},
        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    attach_mount(empty_.get(), target, path);
  }

 private:
  int root_;
  base::Fd null_;
  base::Fd empty_;
};

}  // namespace

void mask_paths(int root, const std::vector<std::string>& paths) {
  Cover cover(root);
  for (const auto& path : paths) {
    const auto target = open_in_root(root, path, Links::refused);
    if (!target) continue;
    if (is_directory(target.get())) {
      cover.directory(target.get(), path);
    } else {
      cover.file(target.get(), path);
    }
  }
}

void make_paths_readonly(int root, const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    const auto target = open_in_root(root, path, Links::refused);
    if (!target) continue;
    const auto copy = clone_mount(target.get(), true);
    set_mount_attributes(copy.get(), MOUNT_ATTR_RDONLY, 0, true);
    attach_mount(copy.get(), target.get(), path);
  }
}

}  // namespace twinbox::container
