// Whether this host can run virtual machines, in plain words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace twinbox::vmm::kvm {

enum class HostKind {
  no_device,      // there is no /dev/kvm
  no_permission,  // it is there, and not for us
  too_old,        // it lacks what the monitor needs
  emulated,  // KVM works, but the processor has neither VT-x nor SVM: small integer-only guests
  usable,    // runs unmodified operating systems
};

std::string_view to_string(HostKind kind);

struct HostSupport {
  HostKind kind = HostKind::no_device;
  std::string explanation;                        // one sentence
  std::string hint;                               // how to mend it; empty when usable
  std::vector<std::string> missing_capabilities;  // "KVM_CAP_IOEVENTFD", ... when too_old

  bool runs_linux() const { return kind == HostKind::usable; }
  bool runs_bare_metal() const { return kind == HostKind::usable || kind == HostKind::emulated; }
};

// Looks without making a VM. `device` is /dev/kvm but in tests.
HostSupport probe_host(const std::string& device = "/dev/kvm");

// Throws base::Error (unsupported) with the explanation and the hint unless Linux guests run here.
void require_linux_guests(const HostSupport& host);

}  // namespace twinbox::vmm::kvm
