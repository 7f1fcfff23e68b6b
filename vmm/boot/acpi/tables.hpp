// The ACPI tables that describe the machine to its kernel (ACPI 6.4, hardware-reduced).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vmm/layout.hpp"
#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::boot::acpi {

struct Machine {
  unsigned cpus = 1;
  // virtio-mmio devices in the slots 0, 1, ...: slot i is at layout::virtio_mmio + i * stride and
  // uses the interrupt layout::first_virtio_gsi + i.
  unsigned virtio_devices = 0;
};

// The single tables, finished.
std::vector<std::byte> dsdt(const Machine& machine);
std::vector<std::byte> madt(const Machine& machine);
std::vector<std::byte> fadt(GuestAddress dsdt);

// Where the root pointer (RSDP) is; the tables follow it.
inline constexpr GuestAddress root_pointer{layout::acpi_tables};

void write_tables(const Machine& machine, const GuestMemory& memory);

}  // namespace twinbox::vmm::boot::acpi
