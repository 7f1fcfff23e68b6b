#include "cli/host_checks.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "base/text.hpp"
#include "cli/engines.hpp"
#include "container/cgroup_layout.hpp"
#include "container/engine.hpp"
#include "image/store.hpp"
#include "sandbox/paths.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t enough_space = base::gibibyte;

std::string text_of(const fs::path& path) {
  try {
    return base::read_file(path);
  } catch (const base::Error&) {
    return {};
  }
}

// A program of PATH, and the Debian package it comes with.
Finding program(Health without, std::string_view name, std::string_view package,
                std::string_view purpose) {
  const auto path = base::find_program(name);
  if (!path.empty()) return {Health::ok, std::string(purpose), path.string(), {}};
  return {without, std::string(purpose), fmt::format("{} is not installed", name),
          fmt::format("apt install {}", package)};
}

Finding check_root() {
  if (::geteuid() == 0) return {Health::ok, "privileges", "root", {}};
  return {Health::failure, "privileges", "not root: mounts and namespaces need it",
          "run twinbox with sudo"};
}

Finding check_namespaces() {
  std::string missing;
  for (const std::string name : {"mnt", "pid", "uts", "ipc", "net", "cgroup"}) {
    if (!fs::exists("/proc/self/ns/" + name)) missing += " " + name;
  }
  if (missing.empty()) return {Health::ok, "namespaces", "mnt pid uts ipc net cgroup", {}};
  return {Health::failure, "namespaces", "missing:" + missing,
          "use a Linux kernel of 5.10 or newer"};
}

Finding check_overlay() {
  if (text_of("/proc/filesystems").find("\toverlay\n") != std::string::npos) {
    return {Health::ok, "overlayfs", "there", {}};
  }
  return {Health::failure, "overlayfs", "the kernel does not list it", "modprobe overlay"};
}

std::vector<std::string> cgroup_controllers(const container::CgroupLayout& layout) {
  std::vector<std::string> found;
  if (!layout.unified.empty()) {
    std::istringstream words(text_of(layout.unified / "cgroup.controllers"));
    for (std::string word; words >> word;) found.push_back(word);
  }
  for (const auto& hierarchy : layout.hierarchies) {
    found.insert(found.end(), hierarchy.controllers.begin(), hierarchy.controllers.end());
  }
  return found;
}

Finding check_cgroups() {
  const auto layout = container::host_cgroup_layout();
  if (!layout.usable()) {
    return {Health::failure, "control groups", "none are mounted",
            "mount -t cgroup2 cgroup2 /sys/fs/cgroup"};
  }
  const auto found = cgroup_controllers(layout);
  std::string missing;
  for (const std::string name : {"cpu", "memory", "pids"}) {
    if (std::ranges::find(found, name) == found.end()) missing += " " + name;
  }
  const auto version = layout.unified.empty() ? "version 1" : "version 2";
  if (missing.empty()) {
    return {
        Health::ok, "control groups", fmt::format("{}: {}", version, fmt::join(found, " ")), {}};
  }
  return {Health::warning, "control groups", fmt::format("{}, without:{}", version, missing),
          "those limits will be refused; enable the controllers at boot"};
}

// Since Linux 6.0 a process that enters a control group waits for all processors, unless a mount
// option favours it (Documentation/admin-guide/cgroup-v2.rst). KVM enters one for each machine.
Finding check_machine_start() {
  const std::string option = "favordynmods";
  const bool waits = text_of("/sys/kernel/cgroup/features").find(option) != std::string::npos;
  std::string mount_point = "/sys/fs/cgroup";
  bool favoured = false;
  for (const auto& line : base::split(text_of("/proc/mounts"), '\n')) {
    const auto fields = base::words(line);
    if (fields.size() < 4 || !fields[2].starts_with("cgroup")) continue;
    mount_point = fields[1];
    favoured = favoured || fields[3].find(option) != std::string::npos;
  }
  if (!waits || favoured || !vmm::kvm::probe_host().runs_linux()) {
    return {Health::ok, "machine start", "waits for nothing", {}};
  }
  return {Health::warning, "machine start",
          "KVM waits some 10 ms for all processors to see its thread in our control group",
          fmt::format("mount -o remount,{} {}", option, mount_point)};
}

Finding check_seccomp() {
  const auto actions = text_of("/proc/sys/kernel/seccomp/actions_avail");
  if (actions.find("errno") != std::string::npos) return {Health::ok, "seccomp", "there", {}};
  return {Health::failure, "seccomp", "the kernel has no system call filters",
          "use a kernel built with CONFIG_SECCOMP_FILTER"};
}

// What the engine itself says, which counts.
Finding check_containers() {
  try {
    container::ContainerEngine().check_host();
    return {Health::ok, "run --as container", "works here", {}};
  } catch (const base::Error& error) {
    return {Health::failure, "run --as container", error.message(), error.hint()};
  }
}

Finding check_machines() {
  const auto host = vmm::kvm::probe_host();
  return {host.runs_linux() ? Health::ok : Health::warning, "run --as vm", host.explanation,
          host.hint};
}

Finding check_qemu() {
  try {
    make_engine("qemu")->check_host();
    return {Health::ok,
            "run --as qemu",
            "works here; --as vm uses it where there is no hardware virtualization",
            {}};
  } catch (const base::Error& error) {
    return {Health::warning, "run --as qemu", error.message(), error.hint()};
  }
}

Finding check_kvm_device() {
  struct stat status {};
  if (::stat("/dev/kvm", &status) != 0) {
    return {Health::warning, "/dev/kvm", "not there",
            "load the module kvm_intel or kvm_amd; or use twinbox lab"};
  }
  const auto found = fmt::format("mode {:04o}, owner {}:{}", status.st_mode & 07777U, status.st_uid,
                                 status.st_gid);
  if (::access("/dev/kvm", R_OK | W_OK) == 0) return {Health::ok, "/dev/kvm", found, {}};
  return {Health::warning, "/dev/kvm", found + ": not for this user",
          "join its group (usermod -aG kvm USER), or run as root"};
}

Finding check_own_programs() {
  std::string missing;
  for (const std::string name : {"twinbox-vmm", "twinbox-agent"}) {
    try {
      sandbox::program_path(name);
    } catch (const base::Error&) {
      missing += " " + name;
    }
  }
  if (missing.empty()) return {Health::ok, "own programs", "twinbox-vmm twinbox-agent", {}};
  return {Health::warning, "own programs", "missing:" + missing,
          "build all of twinbox, or set TWINBOX_BIN"};
}

Finding check_kernel() {
  const auto stock = sandbox::data_root() / "kernels/stock";
  if (!fs::exists(stock / "vmlinuz")) {
    return {Health::warning, "guest kernel", "not fetched", "guest-images/fetch-kernel"};
  }
  auto version = text_of(stock / "version");
  while (!version.empty() && version.back() == '\n') version.pop_back();
  const bool tuned = fs::exists(stock.parent_path() / "tuned/vmlinux");
  const auto names = (version.empty() ? stock.string() : version) + (tuned ? ", tuned" : "");
  return {Health::ok, "guest kernel", names, {}};
}

Finding check_images() {
  std::string names;
  std::string damaged;
  for (const auto& image : image::Store().list()) {
    (image.damage.empty() ? names : damaged) += " " + image.name;
  }
  if (!damaged.empty()) {
    return {Health::warning, "images", "damaged:" + damaged, "twinbox image rm, and import again"};
  }
  if (!names.empty()) return {Health::ok, "images", names.substr(1), {}};
  return {Health::warning, "images", "none yet",
          "scripts/make-busybox-image, or twinbox image import NAME DIRECTORY"};
}

// The nearest directory that exists: what is below it is made when it is first needed.
Finding check_space() {
  auto directory = sandbox::data_root();
  while (!fs::exists(directory) && directory.has_relative_path())
    directory = directory.parent_path();
  struct statvfs space {};
  if (::statvfs(directory.c_str(), &space) != 0) {
    return {Health::warning, "disk space", "cannot look at " + directory.string(),
            "set TWINBOX_ROOT to a directory that can be written"};
  }
  const auto bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  const auto found =
      fmt::format("{} free for {}", base::format_size(bytes), sandbox::data_root().string());
  if (bytes >= enough_space) return {Health::ok, "disk space", found, {}};
  return {Health::warning, "disk space", found, "make room, or set TWINBOX_ROOT to another disk"};
}

Finding check_lab() {
  return program(Health::warning, "qemu-system-x86_64", "qemu-system-x86", "lab");
}

// Needed to take in an image, not to run one that is there.
Finding check_erofs() {
  return program(Health::warning, "mkfs.erofs", "erofs-utils", "image import");
}

}  // namespace

std::vector<Finding> check_host() {
  constexpr std::array checks{
      check_root,          check_namespaces, check_overlay,      check_cgroups,
      check_seccomp,       check_containers, check_kvm_device,   check_machines,
      check_machine_start, check_qemu,       check_own_programs, check_kernel,
      check_lab,           check_erofs,      check_images,       check_space};
  std::vector<Finding> findings;
  for (const auto check : checks) findings.push_back(check());
  return findings;
}

}  // namespace twinbox::cli
