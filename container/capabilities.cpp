#include "container/capabilities.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.hpp"

namespace twinbox::container {
namespace {

// By number (linux/capability.h).
constexpr std::array<std::string_view, 41> known_names{"CAP_CHOWN",
                                                       "CAP_DAC_OVERRIDE",
                                                       "CAP_DAC_READ_SEARCH",
                                                       "CAP_FOWNER",
                                                       "CAP_FSETID",
                                                       "CAP_KILL",
                                                       "CAP_SETGID",
                                                       "CAP_SETUID",
                                                       "CAP_SETPCAP",
                                                       "CAP_LINUX_IMMUTABLE",
                                                       "CAP_NET_BIND_SERVICE",
                                                       "CAP_NET_BROADCAST",
                                                       "CAP_NET_ADMIN",
                                                       "CAP_NET_RAW",
                                                       "CAP_IPC_LOCK",
                                                       "CAP_IPC_OWNER",
                                                       "CAP_SYS_MODULE",
                                                       "CAP_SYS_RAWIO",
                                                       "CAP_SYS_CHROOT",
                                                       "CAP_SYS_PTRACE",
                                                       "CAP_SYS_PACCT",
                                                       "CAP_SYS_ADMIN",
                                                       "CAP_SYS_BOOT",
                                                       "CAP_SYS_NICE",
                                                       "CAP_SYS_RESOURCE",
                                                       "CAP_SYS_TIME",
                                                       "CAP_SYS_TTY_CONFIG",
                                                       "CAP_MKNOD",
                                                       "CAP_LEASE",
                                                       "CAP_AUDIT_WRITE",
                                                       "CAP_AUDIT_CONTROL",
                                                       "CAP_SETFCAP",
                                                       "CAP_MAC_OVERRIDE",
                                                       "CAP_MAC_ADMIN",
                                                       "CAP_SYSLOG",
                                                       "CAP_WAKE_ALARM",
                                                       "CAP_BLOCK_SUSPEND",
                                                       "CAP_AUDIT_READ",
                                                       "CAP_PERFMON",
                                                       "CAP_BPF",
                                                       "CAP_CHECKPOINT_RESTORE"};
static_assert(known_names.size() == CAP_LAST_CAP + 1);

__user_cap_header_struct own_header() { return {_LINUX_CAPABILITY_VERSION_3, 0}; }

using CapabilityData = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

CapabilityMask held_capabilities() {
  auto header = own_header();
  CapabilityData data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) {
    base::throw_errno("cannot read the capabilities");
  }
  return data[0].permitted | (CapabilityMask{data[1].permitted} << 32);
}

}  // namespace

std::span<const std::string_view> capability_names() { return known_names; }

CapabilityMask parse_capabilities(const std::vector<std::string>& names) {
  CapabilityMask mask = 0;
  for (const auto& name : names) {
    const auto found = std::find(known_names.begin(), known_names.end(), name);
    if (found == known_names.end()) {
      throw base::Error(base::ErrorKind::usage, fmt::format("{} is no capability", name));
    }
    mask |= CapabilityMask{1} << (found - known_names.begin());
  }
  return mask;
}

void limit_bounding_set(CapabilityMask kept) {
  for (unsigned long number = 0; number < 64; ++number) {
    if ((kept >> number & 1U) != 0) continue;
    if (::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) return;  // past the kernel's last
    base::throw_errno("cannot drop capability {} from the bounding set", number);
  }
}

void set_capabilities(CapabilityMask kept) {
  // EINVAL: a kernel without ambient capabilities has none to clear.
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) {
    base::throw_errno("cannot clear the ambient capabilities");
  }
  kept &= held_capabilities();
  auto header = own_header();
  CapabilityData data{};
  for (std::size_t half = 0; half < data.size(); ++half) {
    data[half].permitted = data[half].effective = static_cast<std::uint32_t>(kept >> (32 * half));
  }
  if (::syscall(SYS_capset, &header, data.data()) != 0) {
    base::throw_errno("cannot set the capabilities");
  }
}

}  // namespace twinbox::container
