#include "vmm/boot/memory_map.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/size.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

using base::mebibyte;

TEST(MemoryMap, ReservesTheTablesBelowOneMebibyte) {
  const auto map = memory_map(GuestMemory(64 * mebibyte));
  ASSERT_EQ(map.size(), 3U);
  EXPECT_EQ(map[0].start.value, 0U);
  EXPECT_EQ(map[0].size, layout::reserved_low);
  EXPECT_EQ(map[1].type, RangeType::reserved);
  EXPECT_EQ(map[1].start.value, layout::reserved_low);
  EXPECT_EQ(map[2].start.value, mebibyte);
  EXPECT_EQ(map[2].size, 63 * mebibyte);
}

TEST(MemoryMap, GoesOnAboveTheGap) {
  const auto map = memory_map(GuestMemory(5 * base::gibibyte));
  ASSERT_EQ(map.size(), 4U);
  EXPECT_EQ(map[2].start.value + map[2].size, layout::gap_start);
  EXPECT_EQ(map[3].start.value, layout::gap_end);
  EXPECT_EQ(map[3].size, 2 * base::gibibyte);
}

TEST(MemoryMap, OneMebibyteIsTooLittle) {
  EXPECT_THROW(memory_map(GuestMemory(mebibyte)), base::Error);
}

}  // namespace
}  // namespace twinbox::vmm::boot
