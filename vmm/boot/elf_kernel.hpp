// Loads an uncompressed ELF kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::boot {

struct LoadedKernel {
  GuestAddress entry;                     // of the ELF header: 64-bit code
  std::optional<GuestAddress> pvh_entry;  // of the PVH note: 32-bit code
  GuestAddress end;                       // first byte after it, bss included
};

// Copies the kernel into `memory` where its program headers say.
//
// Throws base::Error that names `path`: not found, not a 64-bit x86 ELF, truncated, or too large
// for this memory.
LoadedKernel load_elf_kernel(const std::string& path, const GuestMemory& memory);

}  // namespace twinbox::vmm::boot
