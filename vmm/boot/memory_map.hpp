// The memory map that the kernel is told (e820).
#pragma once

#include <cstdint>
#include <vector>

#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::boot {

enum class RangeType : std::uint32_t { ram = 1, reserved = 2 };  // the e820 and PVH numbers

struct MapRange {
  GuestAddress start;
  std::uint64_t size = 0;
  RangeType type = RangeType::ram;
};

// RAM, with the area of our tables (layout::reserved_low up to 1 MiB) taken out of it. Throws
// base::Error (usage) when there is less than 2 MiB of it.
std::vector<MapRange> memory_map(const GuestMemory& memory);

}  // namespace twinbox::vmm::boot
