// The C++ entries behind the assembly ones: read what the boot protocol tells.
#include <asm/bootparam.h>

#include "guest-images/bare-metal/machine.hpp"

namespace {

using guest::BootInfo;

// Xen's hvm_start_info, version 1 (xen/include/public/arch-x86/hvm/start_info.h).
namespace pvh {

constexpr std::uint32_t start_info_magic = 0x336e'c578;

struct StartInfo {
  std::uint32_t magic, version, flags, modules;
  std::uint64_t modules_at, command_line, rsdp, memory_map;
  std::uint32_t memory_ranges, reserved;
};

struct Module {
  std::uint64_t address, size, command_line, reserved;
};

struct MemoryRange {
  std::uint64_t start, size;
  std::uint32_t type, reserved;
};

}  // namespace pvh

constexpr std::uint32_t type_ram = 1;

void run(const BootInfo& boot) {
  guest::run_scenario(boot);
  guest::power_off();
}

const char* text_at(std::uint64_t address) { return reinterpret_cast<const char*>(address); }

}  // namespace

extern "C" void start_from_linux_protocol(const boot_params* params) {
  BootInfo boot{};
  boot.protocol = "linux64";
  boot.command_line = text_at(params->hdr.cmd_line_ptr);
  boot.initrd_start = params->hdr.ramdisk_image;
  boot.initrd_size = params->hdr.ramdisk_size;
  boot.rsdp = params->acpi_rsdp_addr;
  for (unsigned i = 0; i < params->e820_entries; ++i) {
    const auto& range = params->e820_table[i];
    if (range.type == type_ram) boot.ram_bytes += range.size;
  }
  run(boot);
}

extern "C" void start_from_pvh(const pvh::StartInfo* start) {
  BootInfo boot{};
  boot.protocol = start->magic == pvh::start_info_magic ? "pvh" : "pvh without its magic";
  boot.command_line = text_at(start->command_line);
  boot.rsdp = start->rsdp;
  if (start->modules != 0) {
    const auto* const module = reinterpret_cast<const pvh::Module*>(start->modules_at);
    boot.initrd_start = module->address;
    boot.initrd_size = module->size;
  }
  const auto* const map = reinterpret_cast<const pvh::MemoryRange*>(start->memory_map);
  for (unsigned i = 0; i < start->memory_ranges; ++i) {
    if (map[i].type == type_ram) boot.ram_bytes += map[i].size;
  }
  run(boot);
}
