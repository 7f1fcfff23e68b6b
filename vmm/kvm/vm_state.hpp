// What KVM keeps of a machine beside its vCPUs: interrupt controllers and the paravirtual clock.
#pragma once

#include <linux/kvm.h>

#include <array>

#include "vmm/kvm/vm.hpp"
#include "vmm/snapshot/archive.hpp"

namespace twinbox::vmm::kvm {

// Only while all vCPUs are paused.
void save_vm(StateWriter& writer, const Vm& vm);
// After the vCPUs: an interrupt that waits in the IO-APIC goes to their local APICs at once.
void restore_vm(StateReader& reader, const Vm& vm);

}  // namespace twinbox::vmm::kvm
