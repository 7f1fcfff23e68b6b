#include "vmm/boot/boot_params.hpp"

#include <asm/bootparam.h>

#include <algorithm>
#include <memory>

#include "base/error.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

static_assert(sizeof(boot_params) == 4096);

constexpr std::uint32_t header_magic = 0x5372'6448;  // "HdrS"
constexpr std::uint8_t loader_undefined = 0xff;
constexpr std::uint16_t protocol_version = 0x020f;
constexpr std::uint32_t kernel_alignment = 0x0100'0000;

// An ELF kernel has no setup header to copy; these are the fields that it reads (boot.rst).
void fill_header(setup_header& header, const BootInfo& info) {
  header.boot_flag = 0xaa55;
  header.header = header_magic;
  header.version = protocol_version;
  header.type_of_loader = loader_undefined;
  header.kernel_alignment = kernel_alignment;  // must not be zero
  header.cmd_line_ptr = layout::command_line;
  header.cmdline_size = layout::command_line_size - 1;
  header.ramdisk_image = static_cast<std::uint32_t>(info.initrd.start.value);
  header.ramdisk_size = static_cast<std::uint32_t>(info.initrd.size);
}

}  // namespace

void write_boot_params(const BootInfo& info, const GuestMemory& memory) {
  const auto params = std::make_unique<boot_params>();
  fill_header(params->hdr, info);
  params->acpi_rsdp_addr = info.rsdp.value;
  const std::size_t count = std::min<std::size_t>(info.map.size(), E820_MAX_ENTRIES_ZEROPAGE);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& range = info.map[i];
    params->e820_table[i] = {range.start.value, range.size, static_cast<std::uint32_t>(range.type)};
  }
  params->e820_entries = static_cast<std::uint8_t>(count);
  memory.write_object(GuestAddress{layout::zero_page}, *params);
}

}  // namespace twinbox::vmm::boot
