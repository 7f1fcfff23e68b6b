// How a kernel wants to be entered.
#pragma once

#include <cstdint>

#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::boot {

enum class EntryProtocol {
  pvh,      // 32-bit protected mode, no paging, EBX = hvm_start_info (Xen docs/misc/pvh.pandoc)
  linux64,  // 64-bit mode, identity-mapped, RSI = boot_params (Linux arch/x86/boot.rst)
};

struct Entry {
  EntryProtocol protocol = EntryProtocol::linux64;
  GuestAddress address;     // of the first instruction
  GuestAddress parameters;  // start_info or boot_params
};

// Selectors in the table that write_entry_tables() leaves at layout::gdt.
inline constexpr std::uint16_t code32_selector = 0x08;
inline constexpr std::uint16_t code64_selector = 0x10;
inline constexpr std::uint16_t data_selector = 0x18;
inline constexpr std::uint16_t task_selector = 0x20;
inline constexpr std::uint16_t gdt_size = 0x30;

// Writes the GDT and page tables that map the first 4 GiB one to one (2 MiB pages).
void write_entry_tables(const GuestMemory& memory);

}  // namespace twinbox::vmm::boot
