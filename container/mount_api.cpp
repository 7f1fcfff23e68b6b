#include "container/mount_api.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::container {

namespace fs = std::filesystem;

base::Fd make_filesystem(const std::string& type, const FilesystemOptions& options,
                         std::uint64_t attributes) {
  base::Fd context(::fsopen(type.c_str(), FSOPEN_CLOEXEC));
  if (!context) base::throw_errno("cannot make a file system of type {}", type);
  for (const auto& [key, value] : options) {
    const auto command = value.empty() ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    const char* const text = value.empty() ? nullptr : value.c_str();
    if (::fsconfig(context.get(), command, key.c_str(), text, 0) != 0) {
      base::throw_errno("cannot make a file system of type {} with {}={}", type, key, value);
    }
  }
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    base::throw_errno("cannot make a file system of type {}", type);
  }
  base::Fd mount(::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
  if (!mount) base::throw_errno("cannot mount a file system of type {}", type);
  return mount;
}

namespace {

base::Fd open_tree_clone(int file, const std::string& path, bool with_submounts) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
                         (with_submounts ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
  base::Fd mount(::open_tree(file, path.c_str(), flags));
  if (!mount) base::throw_errno("cannot bind {}", path.empty() ? "a handle" : path);
  return mount;
}

}  // namespace

base::Fd clone_mount(int file, bool with_submounts) {
  return open_tree_clone(file, "", with_submounts);
}

base::Fd clone_mount(const std::string& host_path, bool with_submounts) {
  return open_tree_clone(AT_FDCWD, host_path, with_submounts);
}

void set_mount_attributes(int mount, std::uint64_t set, std::uint64_t clear, bool with_submounts) {
  mount_attr attributes{};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  const unsigned flags =
      AT_EMPTY_PATH | (with_submounts ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
  if (::mount_setattr(mount, "", flags, &attributes, sizeof attributes) != 0) {
    base::throw_errno("cannot change the attributes of a mount");
  }
}

void attach_mount(int mount, int target, const std::string& described) {
  constexpr unsigned by_handle = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (::move_mount(mount, "", target, "", by_handle) != 0) {
    base::throw_errno("cannot mount on {}", described);
  }
}

base::Fd open_in_root(int root, const std::string& path, Links links) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  if (links == Links::refused) how.resolve |= RESOLVE_NO_SYMLINKS;
  long opened = -1;
  // EAGAIN: something was renamed or mounted meanwhile, so the walk cannot be vouched for.
  do {
    opened = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
  } while (opened < 0 && (errno == EAGAIN || errno == EINTR));
  if (opened < 0 && errno == ELOOP) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("{} in the image leads through a symbolic link that a container "
                                  "must not follow",
                                  path));
  }
  if (opened < 0 && errno != ENOENT) base::throw_errno("cannot open {} in the image", path);
  return base::Fd(static_cast<int>(opened));
}

base::Fd open_or_make_in_root(int root, const std::string& path, Links links, Missing kind) {
  if (auto found = open_in_root(root, path, links)) return found;
  // One component at a time: each parent is a handle that was resolved inside the root.
  const auto parent = fs::path(path).parent_path();
  const auto name = fs::path(path).filename().string();
  if (name.empty() || name == "..") {
    throw base::Error(base::ErrorKind::usage, fmt::format("{} is no path to mount on", path));
  }
  const auto directory = open_or_make_in_root(root, parent, links, Missing::directory);
  const int made = kind == Missing::directory
                       ? ::mkdirat(directory.get(), name.c_str(), 0755)
                       : ::mknodat(directory.get(), name.c_str(), S_IFREG | 0644, 0);
  if (made != 0 && errno != EEXIST) base::throw_errno("cannot make {} in the image's root", path);
  auto opened = open_in_root(root, path, links);
  if (!opened) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("{} in the image is a symbolic link to nothing", path));
  }
  return opened;
}

std::string handle_path(int file) { return fmt::format("/proc/self/fd/{}", file); }

}  // namespace twinbox::container
