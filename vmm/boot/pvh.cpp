#include "vmm/boot/pvh.hpp"

#include "vmm/boot/pvh_abi.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

constexpr std::uint64_t module_at = layout::pvh_start_info + 0x80;
constexpr std::uint64_t map_at = layout::pvh_start_info + 0x100;

}  // namespace

void write_pvh_start_info(const BootInfo& info, const GuestMemory& memory) {
  pvh::StartInfo start{};
  start.magic = pvh::start_info_magic;
  start.version = pvh::start_info_version;
  start.command_line = layout::command_line;
  start.rsdp = info.rsdp.value;
  if (info.initrd.size != 0) {
    start.modules = 1;
    start.modules_at = module_at;
    memory.write_object(GuestAddress{module_at},
                        pvh::Module{info.initrd.start.value, info.initrd.size, 0, 0});
  }
  start.memory_map = map_at;
  start.memory_ranges = static_cast<std::uint32_t>(info.map.size());
  GuestAddress next{map_at};
  for (const auto& range : info.map) {
    memory.write_object(next, pvh::MemoryRange{range.start.value, range.size,
                                               static_cast<std::uint32_t>(range.type), 0});
    next.value += sizeof(pvh::MemoryRange);
  }
  memory.write_object(GuestAddress{layout::pvh_start_info}, start);
}

}  // namespace twinbox::vmm::boot
