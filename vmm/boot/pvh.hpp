// What a kernel is told at its PVH entry.
#pragma once

#include "vmm/boot/boot_params.hpp"

namespace twinbox::vmm::boot {

// Writes hvm_start_info and what it points to at layout::pvh_start_info.
void write_pvh_start_info(const BootInfo& info, const GuestMemory& memory);

}  // namespace twinbox::vmm::boot
