#include "guest-images/agent/bring_up.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::agent {
namespace {

constexpr const char* new_root = "/newroot";

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    base::throw_errno("cannot make directory {}", path);
  }
}

void mount_at(const char* type, const std::string& target, unsigned long flags,
              const char* options = nullptr) {
  make_directory(target);
  if (::mount(type, target.c_str(), type, flags, options) != 0) {
    base::throw_errno("cannot mount {} on {}", type, target);
  }
}

// A kernel without any console starts its init with no descriptors at all.
void ensure_standard_streams() {
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", O_RDWR);
  }
}

void load_module(int modules, const std::string& name) {
  const auto file = base::open_at(modules, name, O_RDONLY);
  if (::syscall(SYS_finit_module, file.get(), "", 0) != 0 && errno != EEXIST) {
    base::throw_errno("cannot load the kernel module {}", name);
  }
  ::unlinkat(modules, name.c_str(), 0);
}

}  // namespace

base::Fd set_up_root() {
  auto initramfs = base::open_file("/", O_PATH | O_DIRECTORY);
  mount_at("tmpfs", new_root, MS_NODEV, "mode=0755");
  const std::string root = new_root;
  mount_at("proc", root + "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  mount_at("sysfs", root + "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  mount_at("devtmpfs", root + "/dev", MS_NOSUID);
  if (::chdir(new_root) != 0 || ::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 ||
      ::chroot(".") != 0) {
    base::throw_errno("cannot make {} the root", new_root);
  }
  ensure_standard_streams();
  // An allocation beyond the guest's memory is granted, as on a larger host, and the limit acts on
  // what is used: a container and a machine of one size then end in the same way.
  base::write_file("/proc/sys/vm/overcommit_memory", "1");
  return initramfs;
}

std::string kernel_parameter(const std::string& name) {
  const auto line = base::read_file("/proc/cmdline");
  const auto key = " " + name + "=";
  const auto start = (" " + line).find(key);
  if (start == std::string::npos) return {};
  const auto value = start + key.size() - 1;
  return line.substr(value, line.find_first_of(" \n", value) - value);
}

void load_modules(int initramfs) {
  const auto modules = base::open_at(initramfs, "modules", O_PATH | O_DIRECTORY);
  const auto order = base::read_to_end(base::open_at(modules.get(), "order", O_RDONLY).get());
  for (std::size_t start = 0; start < order.size();) {
    const auto end = order.find('\n', start);
    load_module(modules.get(), order.substr(start, end - start));
    start = end == std::string::npos ? order.size() : end + 1;
  }
}

// The kernel gives free memory back in pieces of 2 or 4 MiB. Of what a workload has used and freed,
// much lies in smaller ones.
void give_small_pieces_back() {
  constexpr const char* file = "/sys/module/page_reporting/parameters/page_reporting_order";
  constexpr const char* order_of_128_kib = "5";
  if (::access(file, W_OK) == 0) base::write_file(file, order_of_128_kib);
}

}  // namespace twinbox::agent
