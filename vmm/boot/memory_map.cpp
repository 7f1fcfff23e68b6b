#include "vmm/boot/memory_map.hpp"

#include "base/error.hpp"
#include "base/size.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {

std::vector<MapRange> memory_map(const GuestMemory& memory) {
  const std::uint64_t low_end = memory.regions().front().size;
  if (low_end < layout::high_ram + base::mebibyte) {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("{} of memory are too little for any kernel", base::format_size(memory.size())),
        "give the machine at least 2 MiB, and 96 MiB for a stock Linux");
  }
  std::vector<MapRange> map{
      {GuestAddress{0}, layout::reserved_low, RangeType::ram},
      {GuestAddress{layout::reserved_low}, layout::high_ram - layout::reserved_low,
       RangeType::reserved},
      {GuestAddress{layout::high_ram}, low_end - layout::high_ram, RangeType::ram},
  };
  for (std::size_t i = 1; i < memory.regions().size(); ++i) {
    map.push_back({memory.regions()[i].start, memory.regions()[i].size, RangeType::ram});
  }
  return map;
}

}  // namespace twinbox::vmm::boot
