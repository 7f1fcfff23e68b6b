#include "vmm/kvm/host_support.hpp"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/processor.hpp"
#include "vmm/kvm/capabilities.hpp"

namespace twinbox::vmm::kvm {
namespace {

constexpr const char* lab_hint =
    "run it in the lab, a host with emulated hardware virtualization: twinbox lab exec -- twinbox "
    "...";

HostSupport cannot_open(const std::string& device, int error) {
  if (error == EACCES || error == EPERM) {
    return {HostKind::no_permission,
            device + " is there, but this user may not open it",
            "run as root, or join the group that owns it (usermod -aG kvm USER)",
            {}};
  }
  const std::string mend = base::processor_virtualizes()
                               ? "load the module: modprobe kvm_intel, or modprobe kvm_amd"
                               : std::string(lab_hint);
  return {HostKind::no_device, "this host has no " + device, mend, {}};
}

}  // namespace

std::string_view to_string(HostKind kind) {
  constexpr std::array<std::string_view, 5> names{"no_device", "no_permission", "too_old",
                                                  "emulated", "usable"};
  return names[static_cast<std::size_t>(kind)];
}

HostSupport probe_host(const std::string& device) {
  const base::Fd kvm(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (!kvm) return cannot_open(device, errno);
  if (::ioctl(kvm.get(), KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
    return {HostKind::too_old,
            device + " does not speak KVM's stable interface (version 12)",
            "use a Linux kernel of 5.10 or newer",
            {}};
  }
  auto missing = missing_capabilities(kvm.get());
  if (!missing.empty()) {
    return {HostKind::too_old, "this host's KVM lacks " + missing.front(),
            "use a Linux kernel of 5.10 or newer", std::move(missing)};
  }
  if (!base::processor_virtualizes()) {
    return {HostKind::emulated,
            "KVM is here, but the processor offers neither VT-x nor SVM: it runs small "
            "integer-only guests, and no Linux kernel",
            lab_hint,
            {}};
  }
  return {HostKind::usable, "KVM with hardware virtualization", "", {}};
}

void require_linux_guests(const HostSupport& host) {
  if (!host.runs_linux()) {
    throw base::Error(base::ErrorKind::unsupported, host.explanation, host.hint);
  }
}

}  // namespace twinbox::vmm::kvm
