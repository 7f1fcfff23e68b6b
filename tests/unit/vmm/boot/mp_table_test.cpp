#include "vmm/boot/mp_table.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/size.hpp"
#include "vmm/boot/mp_table_abi.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

unsigned sum(std::span<const std::byte> bytes) {
  unsigned total = 0;
  for (const auto value : bytes) total += std::to_integer<unsigned>(value);
  return total & 0xffU;
}

// The table as a kernel walks it.
class MpTable : public testing::Test {
 protected:
  void write(unsigned cpus, unsigned devices = layout::max_virtio_devices) {
    write_mp_table(cpus, devices, memory_);
    pointer_ = *memory_.read_object<mp::FloatingPointer>({layout::mp_table});
    header_ = *memory_.read_object<mp::TableHeader>({pointer_.table});
    auto next = GuestAddress{pointer_.table + sizeof header_};
    for (unsigned i = 0; i < header_.entries; ++i) {
      const auto type = *memory_.read_object<std::uint8_t>(next);
      const auto size = type == 0 ? sizeof(mp::Processor) : sizeof(mp::Interrupt);
      const auto bytes = *memory_.slice(next, size);
      entries_.emplace_back(bytes.begin(), bytes.end());
      next.value += size;
    }
    EXPECT_EQ(next.value, pointer_.table + header_.length);
  }

  template <typename Entry>
  std::vector<Entry> all_of_type(std::uint8_t type) const {
    std::vector<Entry> found;
    for (const auto& bytes : entries_) {
      if (std::to_integer<std::uint8_t>(bytes.front()) != type) continue;
      std::memcpy(&found.emplace_back(), bytes.data(), sizeof(Entry));
    }
    return found;
  }

  GuestMemory memory_{2 * base::mebibyte};
  mp::FloatingPointer pointer_;
  mp::TableHeader header_;
  std::vector<std::vector<std::byte>> entries_;
};

TEST_F(MpTable, IsWhereKernelsLookAndItsChecksumsAreRight) {
  write(8);
  // The last KiB of the 640 below the legacy hole (4, "System Base Memory").
  EXPECT_EQ(layout::mp_table, 639U * 1024);
  EXPECT_LE(pointer_.table + header_.length, 640U * 1024);
  EXPECT_EQ(std::memcmp(pointer_.signature.data(), "_MP_", 4), 0);
  EXPECT_EQ(std::memcmp(header_.signature.data(), "PCMP", 4), 0);
  EXPECT_EQ(sum(*memory_.slice({layout::mp_table}, sizeof pointer_)), 0U);
  EXPECT_EQ(sum(*memory_.slice({pointer_.table}, header_.length)), 0U);
  EXPECT_EQ(header_.local_apic, layout::local_apic);
}

TEST_F(MpTable, HasEachProcessorAndTheFirstOneBoots) {
  write(3);
  const auto processors = all_of_type<mp::Processor>(0);
  ASSERT_EQ(processors.size(), 3U);
  for (unsigned i = 0; i < processors.size(); ++i) {
    EXPECT_EQ(processors[i].apic_id, i);
    EXPECT_EQ(processors[i].flags, i == 0 ? 3 : 1);
  }
}

TEST_F(MpTable, GivesEachLineInUseItsPinOfTheIoApic) {
  write(2, 3);
  const auto io_apics = all_of_type<mp::IoApic>(2);
  ASSERT_EQ(io_apics.size(), 1U);
  EXPECT_EQ(io_apics[0].address, layout::io_apic);
  EXPECT_EQ(io_apics[0].id, 2);
  const auto interrupts = all_of_type<mp::Interrupt>(3);
  std::vector<unsigned> lines;
  for (const auto& interrupt : interrupts) {
    lines.push_back(interrupt.line);
    EXPECT_EQ(interrupt.pin, interrupt.line);
    EXPECT_EQ(interrupt.apic, io_apics[0].id);
  }
  // The timer's, the serial port's, and the devices'.
  EXPECT_EQ(lines, (std::vector<unsigned>{0, 4, 5, 6, 7}));
}

}  // namespace
}  // namespace twinbox::vmm::boot
