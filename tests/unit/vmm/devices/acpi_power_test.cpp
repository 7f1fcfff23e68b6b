#include "vmm/devices/acpi_power.hpp"

#include <gtest/gtest.h>

#include "tests/unit/vmm/devices/bus_access.hpp"

namespace twinbox::vmm {
namespace {

class AcpiPowerTest : public testing::Test {
 protected:
  int shutdowns_ = 0;
  int resets_ = 0;
  AcpiPower power_{[this] { ++shutdowns_; }, [this] { ++resets_; }};
};

TEST_F(AcpiPowerTest, SleepEnableWithS5ShutsDown) {
  out(power_, 0, 0x20 | AcpiPower::s5_sleep_type << 2);
  EXPECT_EQ(shutdowns_, 1);
  EXPECT_EQ(resets_, 0);
}

TEST_F(AcpiPowerTest, OtherSleepsAndHalvesDoNothing) {
  out(power_, 0, AcpiPower::s5_sleep_type << 2);  // type without enable
  out(power_, 0, 0x20 | 3 << 2);                  // S3, which is not offered
  out(power_, 1, 0x80);                           // the status register
  EXPECT_EQ(shutdowns_, 0);
}

TEST_F(AcpiPowerTest, ResetValueResets) {
  out(power_, 4, AcpiPower::reset_value + 1U);
  EXPECT_EQ(resets_, 0);
  out(power_, 4, AcpiPower::reset_value);
  EXPECT_EQ(resets_, 1);
  EXPECT_EQ(shutdowns_, 0);
}

TEST_F(AcpiPowerTest, NoSleepIsPending) {
  EXPECT_EQ(in(power_, 0), 0);
  EXPECT_EQ(in(power_, 1), 0);
}

TEST_F(AcpiPowerTest, OddAccessesReadAllOnesAndDoNothing) {
  EXPECT_EQ(in_wide<std::uint32_t>(power_, 0), 0xffff'ffffU);
  EXPECT_EQ(in(power_, 3), 0xff);
  out_wide<std::uint16_t>(power_, 0, 0x20 | AcpiPower::s5_sleep_type << 2);
  EXPECT_EQ(shutdowns_, 0);
}

}  // namespace
}  // namespace twinbox::vmm
