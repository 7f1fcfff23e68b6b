// The MP table: processors and interrupt lines for a kernel without ACPI (MultiProcessor
// Specification 1.4).
#pragma once

#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::boot {

// Writes the table to layout::mp_table, one of the places where kernels look for it: local APICs
// 0, 1, ... for the processors, and one IO-APIC whose pins are the interrupt lines of those
// numbers. It tells of lines in use only: to set one up a kernel leaves the guest several times.
void write_mp_table(unsigned cpus, unsigned virtio_devices, const GuestMemory& memory);

}  // namespace twinbox::vmm::boot
