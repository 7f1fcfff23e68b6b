// Places the initrd in guest memory.
#pragma once

#include <cstdint>
#include <string>

#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::boot {

struct Initrd {
  GuestAddress start;  // 0 with size 0: there is none
  std::uint64_t size = 0;
};

// As high as it can be below the 32-bit gap, above `kernel_end`. An empty path is no initrd. Throws
// base::Error that names the file when it is not there or does not fit.
Initrd load_initrd(const std::string& path, GuestAddress kernel_end, const GuestMemory& memory);

}  // namespace twinbox::vmm::boot
