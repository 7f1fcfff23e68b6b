#include "vmm/devices/keyboard_controller.hpp"

#include <gtest/gtest.h>

#include "tests/unit/vmm/devices/bus_access.hpp"

namespace twinbox::vmm {
namespace {

class KeyboardControllerTest : public testing::Test {
 protected:
  int resets_ = 0;
  KeyboardController controller_{[this] { ++resets_; }};
};

TEST_F(KeyboardControllerTest, ResetPulseResets) {
  out(controller_, 4, 0xfe);
  EXPECT_EQ(resets_, 1);
}

TEST_F(KeyboardControllerTest, OtherCommandsDoNot) {
  out(controller_, 4, 0xaa);
  out(controller_, 0, 0xfe);
  EXPECT_EQ(resets_, 0);
}

TEST_F(KeyboardControllerTest, NobodyWaitsToSendACommand) {
  EXPECT_EQ(in(controller_, 4) & 0x02, 0);
}

TEST_F(KeyboardControllerTest, OutputNeverRunsDrySoThatAProbeGivesUp) {
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(in(controller_, 4) & 0x01, 1);
    in(controller_, 0);
  }
}

TEST_F(KeyboardControllerTest, PortsBetweenAreNotThere) { EXPECT_EQ(in(controller_, 2), 0xff); }

}  // namespace
}  // namespace twinbox::vmm
