#include "container/devices.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>

#include "base/error.hpp"

namespace twinbox::container {
namespace {

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

void require_null_device(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0) base::throw_errno("cannot look at the null device");
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3)) {
    throw base::Error(base::ErrorKind::unsupported, "/dev/null of the box is not the null device");
  }
}

}  // namespace twinbox::container
