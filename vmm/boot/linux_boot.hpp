// Everything a kernel finds in memory at its entry: itself, initrd, command line, tables.
#pragma once

#include <optional>
#include <string>

#include "vmm/boot/entry.hpp"
#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::boot {

struct BootRequest {
  std::string kernel;        // path of an uncompressed ELF
  std::string initrd;        // path; empty: none
  std::string command_line;  // at most max_command_line bytes
  GuestAddress rsdp;         // of the ACPI tables
  // Enter a Linux by its own 64-bit protocol, though it has a PVH entry: there it would first ask
  // for Xen, which leaves the guest 256 times.
  bool linux64 = false;
};

inline constexpr std::size_t max_command_line = 2047;  // Linux x86: COMMAND_LINE_SIZE - 1

// Loads it all and says how to enter: by PVH when the kernel has its note, else by the 64-bit boot
// protocol. Throws base::Error that names what does not fit.
Entry prepare_boot(const BootRequest& request, const GuestMemory& memory);

}  // namespace twinbox::vmm::boot
