// All that a vCPU is, taken from KVM and given back in the order that KVM needs.
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vmm/kvm/tsc.hpp"
#include "vmm/kvm/vcpu.hpp"
#include "vmm/snapshot/archive.hpp"

namespace twinbox::vmm::kvm {

struct SavedVcpu {
  std::vector<kvm_cpuid_entry2> cpuid;
  std::uint32_t tsc_khz = 0;
  kvm_mp_state run_state{};
  kvm_regs registers{};
  kvm_sregs special{};
  std::vector<std::byte> xsave;  // as large as KVM says: AMX does not fit into kvm_xsave
  kvm_xcrs extended_control{};
  kvm_debugregs debug{};
  kvm_lapic_state local_apic{};
  std::vector<kvm_msr_entry> msrs;  // the TSC's deadline last
  kvm_vcpu_events events{};
};

// Only while the vCPU is paused: its last access must be complete.
SavedVcpu save_vcpu(const Vcpu& vcpu, const Vm& vm);
// For a vCPU that has not run yet, made with the saved CPUID. Throws base::Error (unsupported) when
// its clock cannot run at the saved rate, or what was saved is no whole state. `tsc` is the
// machine's.
void restore_vcpu(const Vcpu& vcpu, const Vm& vm, const SavedVcpu& saved, TscSetter& tsc);

void write_vcpu(StateWriter& writer, const SavedVcpu& saved);
SavedVcpu read_vcpu(StateReader& reader);

}  // namespace twinbox::vmm::kvm
