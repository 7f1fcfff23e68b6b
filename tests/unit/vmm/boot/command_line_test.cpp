#include "vmm/boot/command_line.hpp"

#include <gtest/gtest.h>

#include "vmm/boot/linux_boot.hpp"

namespace twinbox::vmm {
namespace {

TEST(CommandLine, ConsoleIsThereOnlyWhenAskedFor) {
  EXPECT_NE(linux_command_line(GuestConsole::serial).find("console=ttyS0"), std::string::npos);
  EXPECT_EQ(linux_command_line(GuestConsole::none).find("console="), std::string::npos);
}

TEST(CommandLine, ExtraWordsComeLastSoThatTheyWin) {
  EXPECT_TRUE(linux_command_line(GuestConsole::serial, "panic=5").ends_with(" panic=5"));
}

TEST(CommandLine, LeavesRoomForMore) {
  EXPECT_LT(linux_command_line(GuestConsole::serial).size(), boot::max_command_line / 4);
}

}  // namespace
}  // namespace twinbox::vmm
