// What a guest's processor says about itself.
#pragma once

#include <linux/kvm.h>

#include <vector>

namespace twinbox::vmm::kvm {

struct CpuidRequest {
  unsigned vcpu = 0;   // also its APIC id
  unsigned vcpus = 1;  // one socket with this many cores of one thread each
  bool tsc_deadline = true;
  bool paravirtual_eoi = true;  // the guest may end an interrupt without leaving to the host
};

// Narrows what the host supports (Kvm::supported_cpuid) to one vCPU of the guest: its APIC id and
// topology, the hypervisor bit, the TSC deadline timer, no performance counters and no
// virtualization of its own, whose state a snapshot would lack.
std::vector<kvm_cpuid_entry2> guest_cpuid(std::vector<kvm_cpuid_entry2> supported,
                                          const CpuidRequest& request);

}  // namespace twinbox::vmm::kvm
