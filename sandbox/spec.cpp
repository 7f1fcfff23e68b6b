#include "sandbox/spec.hpp"

namespace twinbox::sandbox {
namespace {

// What docker gives a container that asks for nothing.
const std::vector<std::string>& default_capabilities() {
  static const std::vector<std::string> names{
      "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",     "CAP_FOWNER",          "CAP_MKNOD",
      "CAP_NET_RAW", "CAP_SETGID",       "CAP_SETUID",     "CAP_SETFCAP",         "CAP_SETPCAP",
      "CAP_KILL",    "CAP_AUDIT_WRITE",  "CAP_SYS_CHROOT", "CAP_NET_BIND_SERVICE"};
  return names;
}

std::vector<Mount> default_mounts() {
  return {
      {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts",
       "devpts",
       "devpts",
       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}},
  };
}

const Spec& standard() {
  static const Spec spec = default_spec();
  return spec;
}

}  // namespace

void merge(Resources& limits, const Resources& changes) {
  if (changes.memory_bytes) limits.memory_bytes = changes.memory_bytes;
  if (changes.memory_swap_bytes) limits.memory_swap_bytes = changes.memory_swap_bytes;
  if (changes.cpus) limits.cpus = changes.cpus;
  if (changes.pids) limits.pids = changes.pids;
  if (!changes.cpuset_cpus.empty()) limits.cpuset_cpus = changes.cpuset_cpus;
  if (changes.oom_kill_disable) limits.oom_kill_disable = true;
}

Spec default_spec() {
  Spec spec;
  spec.process.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      "HOME=/root"};
  spec.process.capabilities = default_capabilities();
  spec.mounts = default_mounts();
  spec.masked_paths = {"/proc/asound",
                       "/proc/acpi",
                       "/proc/kcore",
                       "/proc/keys",
                       "/proc/latency_stats",
                       "/proc/timer_list",
                       "/proc/timer_stats",
                       "/proc/sched_debug",
                       "/proc/scsi",
                       "/sys/firmware",
                       "/sys/devices/virtual/powercap"};
  spec.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  return spec;
}

bool has_standard_parts(const Spec& spec) {
  return spec.mounts == standard().mounts && spec.masked_paths == standard().masked_paths &&
         spec.readonly_paths == standard().readonly_paths &&
         spec.process.capabilities == standard().process.capabilities;
}

}  // namespace twinbox::sandbox
