#include "vmm/devices/mark_register.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "base/syscall.hpp"
#include "tests/unit/vmm/devices/bus_access.hpp"

namespace twinbox::vmm {
namespace {

class MarkRegisterTest : public testing::Test {
 protected:
  std::vector<std::pair<std::uint32_t, sandbox::Stamp>> marks_;
  MarkRegister register_{
      [this](std::uint32_t mark, const auto& stamp) { marks_.emplace_back(mark, stamp); }};
};

TEST_F(MarkRegisterTest, WriteIsStampedWithTheHostsClock) {
  const std::uint64_t before = base::monotonic_now();
  out_wide<std::uint32_t>(register_, 0, 3);
  const std::uint64_t after = base::monotonic_now();
  ASSERT_EQ(marks_.size(), 1U);
  EXPECT_EQ(marks_[0].first, 3U);
  EXPECT_GE(marks_[0].second.monotonic_ns, before);
  EXPECT_LE(marks_[0].second.monotonic_ns, after);
}

TEST_F(MarkRegisterTest, ReadsAsItsMagic) {
  EXPECT_EQ(in_wide<std::uint32_t>(register_, 0), MarkRegister::magic);
}

TEST_F(MarkRegisterTest, OtherSizesAndOffsetsAreNotThere) {
  out_wide<std::uint8_t>(register_, 0, 1);
  out_wide<std::uint64_t>(register_, 0, 1);
  out_wide<std::uint32_t>(register_, 4, 1);
  EXPECT_TRUE(marks_.empty());
  EXPECT_EQ(in_wide<std::uint64_t>(register_, 0), ~0ULL);
  EXPECT_EQ(in_wide<std::uint32_t>(register_, 4), ~0U);
}

}  // namespace
}  // namespace twinbox::vmm
