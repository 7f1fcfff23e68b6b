// Writes a snapshot's file, whole or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::snapshot {

// The memory must stand still. The file is written under another name beside `path`, synced and
// renamed: whoever dies in between leaves what was there before. Throws base::Error that names the
// path.
void write(const std::string& path, const GuestMemory& memory, unsigned cpus,
           std::span<const std::byte> state);

}  // namespace twinbox::vmm::snapshot
