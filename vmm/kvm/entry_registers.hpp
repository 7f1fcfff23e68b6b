// The state in which a vCPU enters a kernel.
#pragma once

#include "vmm/boot/entry.hpp"
#include "vmm/kvm/vcpu.hpp"

namespace twinbox::vmm::kvm {

// Gives the first vCPU the registers that the kernel's entry protocol asks for. The tables it needs
// (page tables, GDT) must be in guest memory: see boot::write_entry_tables.
void set_entry_registers(Vcpu& vcpu, const boot::Entry& entry);

}  // namespace twinbox::vmm::kvm
