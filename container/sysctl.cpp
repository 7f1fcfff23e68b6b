#include "container/sysctl.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/mount_api.hpp"

namespace twinbox::container {
namespace {

// The kernel's other kernel.* parameters are the host's. As docker has it.
constexpr std::array<std::string_view, 9> parameters_of_ipc{
    "kernel.msgmax", "kernel.msgmnb",          "kernel.msgmni",
    "kernel.sem",    "kernel.shmall",          "kernel.shmmax",
    "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.msg_next_id"};

// Dots part the words; a slash stands for a dot within one, as an interface's name may have.
std::string path_of(std::string name) {
  for (auto& c : name) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return "/proc/sys/" + name;
}

// An image could have made another file of it only by a mount, and yet: what is written to is the
// kernel's.
void require_procfs(int file, const std::string& name) {
  struct statfs info {};
  if (::fstatfs(file, &info) != 0) base::throw_errno("cannot look at the parameter {}", name);
  if (info.f_type != PROC_SUPER_MAGIC) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the box's {} is not the kernel's", path_of(name)));
  }
}

void set_sysctl(int root, const std::string& name, const std::string& value) {
  if (!is_namespaced_sysctl(name)) {
    throw base::Error(
        base::ErrorKind::usage, fmt::format("sysctl '{}' is not of a namespace of the box", name),
        "only net.*, fs.mqueue.* and kernel.msg*, kernel.sem, kernel.shm* can be set");
  }
  const auto found = open_in_root(root, path_of(name), Links::refused);
  if (!found) {
    throw base::Error(base::ErrorKind::usage, fmt::format("there is no sysctl '{}'", name),
                      "see /proc/sys for those of this kernel");
  }
  require_procfs(found.get(), name);
  try {
    base::write_all(base::open_file(handle_path(found.get()), O_WRONLY).get(), value);
  } catch (const base::Error& error) {
    throw base::Error(error.kind(), fmt::format("cannot set the sysctl '{}' to '{}': {}", name,
                                                value, error.message()));
  }
}

}  // namespace

bool is_namespaced_sysctl(std::string_view name) {
  if (name.find("..") != std::string_view::npos || name.find("//") != std::string_view::npos) {
    return false;
  }
  return name.starts_with("net.") || name.starts_with("fs.mqueue.") ||
         std::ranges::find(parameters_of_ipc, name) != parameters_of_ipc.end();
}

void set_sysctls(int root, const std::map<std::string, std::string>& parameters) {
  for (const auto& [name, value] : parameters) set_sysctl(root, name, value);
}

}  // namespace twinbox::container
