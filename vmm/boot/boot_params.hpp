// What Linux is told in its 64-bit boot protocol: the zero page.
#pragma once

#include <vector>

#include "vmm/boot/initrd.hpp"
#include "vmm/boot/memory_map.hpp"
#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::boot {

// The same for both entry protocols. The command line is at layout::command_line.
struct BootInfo {
  std::vector<MapRange> map;
  Initrd initrd;
  GuestAddress rsdp;
};

// Writes struct boot_params at layout::zero_page (Linux Documentation/arch/x86/zero-page.rst).
void write_boot_params(const BootInfo& info, const GuestMemory& memory);

}  // namespace twinbox::vmm::boot
