// Puts parts of files into guest memory without reading them where that is possible.
#pragma once

#include <cstdint>

#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::boot {

// Bytes of an open regular file.
std::uint64_t file_size(int fd);

// Makes [address, address + length) of guest memory the file's bytes from `offset`: whole pages are
// mapped copy on write, so that all machines share the host's page cache, and the ragged ends are
// copied. The range must be RAM and the file must hold it; throws base::Error otherwise.
void place_file(const GuestMemory& memory, GuestAddress address, int fd, std::uint64_t offset,
                std::uint64_t length);

}  // namespace twinbox::vmm::boot
