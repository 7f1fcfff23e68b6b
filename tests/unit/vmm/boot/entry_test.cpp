#include "vmm/boot/entry.hpp"

#include <gtest/gtest.h>

#include "base/size.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

constexpr std::uint64_t address_bits = 0x000f'ffff'ffff'f000;

// What a processor does with an address, by the tables in guest memory.
std::uint64_t translate(const GuestMemory& memory, std::uint64_t address) {
  const auto entry = [&](std::uint64_t table, unsigned shift) {
    return *memory.read_object<std::uint64_t>({table + ((address >> shift) & 0x1ff) * 8});
  };
  const auto level3 = entry(layout::page_tables, 39);
  const auto level2 = entry(level3 & address_bits, 30);
  const auto page = entry(level2 & address_bits, 21);
  EXPECT_EQ(level3 & level2 & page & 3U, 3U) << "present and writable";
  EXPECT_NE(page & 0x80, 0U) << "2 MiB";
  return (page & address_bits) + (address & 0x1f'ffff);
}

TEST(EntryTables, MapTheFirstFourGibibytesOneToOne) {
  const GuestMemory memory(2 * base::mebibyte);
  write_entry_tables(memory);
  for (const std::uint64_t address :
       {std::uint64_t{0}, std::uint64_t{0x10'0000}, layout::virtio_mmio, layout::local_apic,
        layout::gap_end - 1}) {
    EXPECT_EQ(translate(memory, address), address);
  }
}

TEST(EntryTables, SelectorsNameTheRightSegments) {
  const GuestMemory memory(2 * base::mebibyte);
  write_entry_tables(memory);
  const auto descriptor = [&](std::uint16_t selector) {
    return *memory.read_object<std::uint64_t>({layout::gdt + selector});
  };
  constexpr std::uint64_t long_mode = 1ULL << 53;
  constexpr std::uint64_t default_32 = 1ULL << 54;
  EXPECT_EQ(descriptor(0), 0U);
  EXPECT_NE(descriptor(code64_selector) & long_mode, 0U);
  EXPECT_EQ(descriptor(code64_selector) & default_32, 0U);
  EXPECT_EQ(descriptor(code32_selector) & long_mode, 0U);
  EXPECT_NE(descriptor(code32_selector) & default_32, 0U);
}

}  // namespace
}  // namespace twinbox::vmm::boot
