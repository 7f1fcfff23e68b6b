#include "vmm/devices/cmos.hpp"

#include <gtest/gtest.h>

#include <ctime>

#include "tests/unit/vmm/devices/bus_access.hpp"

namespace twinbox::vmm {
namespace {

// 2031-12-29 23:58:07 UTC, a Monday.
constexpr std::time_t some_time = 1956355087;

class CmosTest : public testing::Test {
 protected:
  std::uint8_t value(unsigned index) {
    out(cmos_, 0, index);
    return in(cmos_, 1);
  }
  Cmos cmos_{[] { return some_time; }};
};

TEST_F(CmosTest, TellsTheTimeInBcd) {
  EXPECT_EQ(value(0x00), 0x07);
  EXPECT_EQ(value(0x02), 0x58);
  EXPECT_EQ(value(0x04), 0x23);
  EXPECT_EQ(value(0x06), 0x02);
  EXPECT_EQ(value(0x07), 0x29);
  EXPECT_EQ(value(0x08), 0x12);
  EXPECT_EQ(value(0x09), 0x31);
  EXPECT_EQ(value(Cmos::century_register), 0x20);
}

TEST_F(CmosTest, SaysBcdAnd24HoursAndAGoodBattery) {
  EXPECT_EQ(value(0x0b), 0x02);
  EXPECT_EQ(value(0x0d), 0x80);
}

TEST_F(CmosTest, IsNeverInTheMiddleOfAnUpdate) { EXPECT_EQ(value(0x0a) & 0x80, 0); }

TEST_F(CmosTest, NmiMaskBitIsNoPartOfTheIndex) { EXPECT_EQ(value(0x80 | 0x09), 0x31); }

TEST_F(CmosTest, WritesToTheClockChangeNothing) {
  out(cmos_, 0, 0x09);
  out(cmos_, 1, 0x99);
  EXPECT_EQ(value(0x09), 0x31);
}

TEST_F(CmosTest, IndexPortAndWideReadsAreAllOnes) {
  EXPECT_EQ(in(cmos_, 0), 0xff);
  EXPECT_EQ(in_wide<std::uint16_t>(cmos_, 0), 0xffff);
}

TEST(Cmos, FollowsTheHostsClock) {
  Cmos cmos;
  const std::time_t before = std::time(nullptr);
  out(cmos, 0, Cmos::century_register);
  std::tm utc{};
  ::gmtime_r(&before, &utc);
  const int century = (utc.tm_year + 1900) / 100;
  EXPECT_EQ(in(cmos, 1), century / 10 * 16 + century % 10);
}

}  // namespace
}  // namespace twinbox::vmm
