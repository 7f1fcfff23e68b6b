#include "container/devices.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace twinbox::container {
namespace {

namespace fs = std::filesystem;

struct Node {
  const char* name;
  unsigned major;
  unsigned minor;
};
constexpr std::array<Node, 6> nodes{{{"null", 1, 3},
                                     {"zero", 1, 5},
                                     {"full", 1, 7},
                                     {"random", 1, 8},
                                     {"urandom", 1, 9},
                                     {"tty", 5, 0}}};

struct Link {
  const char* name;
  const char* target;
};
constexpr std::array<Link, 6> links{{{"fd", "/proc/self/fd"},
                                     {"stdin", "/proc/self/fd/0"},
                                     {"stdout", "/proc/self/fd/1"},
                                     {"stderr", "/proc/self/fd/2"},
                                     {"core", "/proc/kcore"},
                                     {"ptmx", "pts/ptmx"}}};

// Names in /dev that mean something else in a box than outside.
constexpr std::array<std::string_view, 18> own_names{
    "pts",    "shm", "mqueue",  "console", "ptmx",  "hugepages", "null",   "zero", "full",
    "random", "tty", "urandom", "fd",      "stdin", "stdout",    "stderr", "core", "log"};

bool is_own_name(std::string_view name) { return std::ranges::count(own_names, name) != 0; }

sandbox::Device device_of(const fs::path& path, const struct stat& info) {
  return {.path = path.string(),
          .type = S_ISBLK(info.st_mode) ? 'b' : 'c',
          .major = ::major(info.st_rdev),
          .minor = ::minor(info.st_rdev),
          .file_mode = info.st_mode & 07777,
          .uid = info.st_uid,
          .gid = info.st_gid};
}

// A node can be kept from a user, but not half from root: only a device control group can.
void check_access_without_control(const sandbox::Device& device) {
  const auto has = [&](char letter) { return device.access.find(letter) != std::string::npos; };
  if (has('r') && has('w')) return;
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("the device {} cannot be given with the access '{}' alone",
                                device.path, device.access),
                    "give it with rw or rwm");
}

// The path below /dev, as words.
fs::path name_in_dev(const sandbox::Device& device) {
  const auto name = fs::path(device.path).lexically_normal().lexically_relative("/dev");
  if (name.empty() || *name.begin() == ".." || *name.begin() == "." ||
      is_own_name(name.begin()->string())) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("a device cannot be made at {}", device.path),
                      "give a path below /dev that is not one of a box's own");
  }
  return name;
}

// `directory` is a new file system of ours, so that no link leads out of it.
void add_device(int directory, const sandbox::Device& device) {
  const auto name = name_in_dev(device);
  fs::path parent;
  for (const auto& word : name.parent_path()) {
    parent /= word;
    if (::mkdirat(directory, parent.c_str(), 0755) != 0 && errno != EEXIST) {
      base::throw_errno("cannot make the directory /dev/{}", parent.string());
    }
  }
  const auto type = device.type == 'b' ? S_IFBLK : S_IFCHR;
  const auto number = makedev(device.major, device.minor);
  if (::mknodat(directory, name.c_str(), type | 0600, number) != 0 ||
      ::fchownat(directory, name.c_str(), device.uid, device.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fchmodat(directory, name.c_str(), device.file_mode & 0777, 0) != 0) {
    base::throw_errno("cannot make the device {}", device.path);
  }
}

}  // namespace

void populate_devices(int directory) {
  const auto mask = ::umask(0);
  for (const auto& node : nodes) {
    if (::mknodat(directory, node.name, S_IFCHR | 0666, makedev(node.major, node.minor)) != 0) {
      base::throw_errno("cannot make the device /dev/{}", node.name);
    }
  }
  ::umask(mask);
  for (const auto& link : links) {
    if (::symlinkat(link.target, directory, link.name) != 0) {
      base::throw_errno("cannot make the link /dev/{}", link.name);
    }
  }
}

void add_devices(int directory, const std::vector<sandbox::Device>& devices) {
  for (const auto& device : devices) add_device(directory, device);
}

void check_access_without_control(const std::vector<sandbox::Device>& devices) {
  for (const auto& device : devices) check_access_without_control(device);
}

void add_all_devices(int directory) {
  std::error_code error;
  fs::recursive_directory_iterator entry("/dev", error);
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    struct stat info {};
    const auto name = entry->path().lexically_relative("/dev");
    // Mounted, or made, for the box itself.
    if (is_own_name(name.string())) {
      entry.disable_recursion_pending();
      continue;
    }
    if (::lstat(entry->path().c_str(), &info) != 0) continue;
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
      add_device(directory, device_of(entry->path(), info));
    }
  }
}

void require_null_device(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0) base::throw_errno("cannot look at the null device");
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3)) {
    throw base::Error(base::ErrorKind::unsupported, "/dev/null of the box is not the null device");
  }
}

}  // namespace twinbox::container
