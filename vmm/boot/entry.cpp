#include "vmm/boot/entry.hpp"

#include <array>

#include "base/error.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

constexpr std::uint64_t table_size = 0x1000;
constexpr std::uint64_t present_writable = 0x3;
constexpr std::uint64_t large_page = 0x80;
constexpr std::uint64_t gigabytes_mapped = 4;

template <typename T>
void put(const GuestMemory& memory, std::uint64_t address, const T& object) {
  if (!memory.write_object(GuestAddress{address}, object)) {
    throw base::Error(base::ErrorKind::usage,
                      "the guest's memory is too small for the boot structures",
                      "give it at least 1 MiB more than the kernel needs");
  }
}

void write_gdt(const GuestMemory& memory) {
  // Flat segments; the last one is a task state segment of two slots.
  constexpr std::array<std::uint64_t, gdt_size / 8> table{
      0,
      0x00cf'9b00'0000'ffff,  // 32-bit code
      0x00af'9b00'0000'ffff,  // 64-bit code
      0x00cf'9300'0000'ffff,  // data
      0x0000'8b00'0000'0067,  // busy TSS
      0,
  };
  put(memory, layout::gdt, table);
}

void write_page_tables(const GuestMemory& memory) {
  const std::uint64_t level3 = layout::page_tables + table_size;
  const std::uint64_t level2 = level3 + table_size;
  put(memory, layout::page_tables, level3 | present_writable);
  for (std::uint64_t gigabyte = 0; gigabyte < gigabytes_mapped; ++gigabyte) {
    const std::uint64_t table = level2 + gigabyte * table_size;
    put(memory, level3 + gigabyte * 8, table | present_writable);
    std::array<std::uint64_t, 512> entries{};
    for (std::uint64_t i = 0; i < entries.size(); ++i) {
      entries[i] = (gigabyte << 30) | (i << 21) | large_page | present_writable;
    }
    put(memory, table, entries);
  }
}

}  // namespace

void write_entry_tables(const GuestMemory& memory) {
  write_gdt(memory);
  write_page_tables(memory);
}

}  // namespace twinbox::vmm::boot
