// One virtual processor of KVM, used by the thread that runs it.
#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <vector>

#include "base/fd.hpp"
#include "base/mapping.hpp"
#include "vmm/kvm/vm.hpp"

namespace twinbox::vmm::kvm {

class Vcpu {
 public:
  // `index` is also the APIC id. `cpuid` as from guest_cpuid().
  Vcpu(const Vm& vm, unsigned index, std::vector<kvm_cpuid_entry2> cpuid);

  unsigned index() const { return index_; }
  int fd() const { return fd_.get(); }
  const std::vector<kvm_cpuid_entry2>& cpuid() const { return cpuid_; }
  // The page shared with the kernel: why the last run ended, and its data.
  kvm_run& state() const { return *reinterpret_cast<kvm_run*>(run_.data()); }

  // Enters the guest until it exits. False when it was interrupted (a signal, or immediate exit).
  // Throws base::Error when KVM fails to run it.
  bool run();
  // Makes the next run(), or the current one once a signal reaches its thread, return at once.
  // From any thread.
  void set_immediate_exit(bool on);

  // After a pause: the guest's clock does not take it for a lock-up (KVM_KVMCLOCK_CTRL).
  void tell_was_paused() const;

  kvm_regs registers() const;
  void set_registers(const kvm_regs& registers);
  kvm_sregs special_registers() const;
  void set_special_registers(const kvm_sregs& registers);
  // Where the guest was at the last exit, as far as KVM told (KVM_CAP_SYNC_REGS).
  std::uint64_t rip_at_last_exit() const { return state().s.regs.regs.rip; }

 private:
  void set_cpuid();
  void set_msrs();
  void set_local_interrupts();

  unsigned index_;
  std::vector<kvm_cpuid_entry2> cpuid_;
  base::Fd fd_;
  base::Mapping run_;
};

}  // namespace twinbox::vmm::kvm
