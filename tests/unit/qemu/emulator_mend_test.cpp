// What is mended in QEMU's code, looked for in the QEMU that is installed. That a mended one
// interrupts once is tested in the lab (lab.interrupts_once).
#include "qemu/lab/emulator_mend.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/file.hpp"

namespace twinbox::qemu {
namespace {

class EmulatorMend : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path program = "/usr/bin/qemu-system-x86_64";
    if (!std::filesystem::exists(program)) GTEST_SKIP() << program << " is not installed";
    code = base::read_file(program);
  }

  std::string code;
};

TEST_F(EmulatorMend, FindsOneStoreToAFieldOfTheProcessor) {
  const auto at = find_noting_instruction(code);
  ASSERT_TRUE(at);
  EXPECT_EQ(code.substr(*at, 2), "\x89\xb3");  // mov %esi, displacement(%rbx)
}

TEST_F(EmulatorMend, LeavesCodeThatIsOtherwise) {
  const auto at = find_noting_instruction(code);
  ASSERT_TRUE(at);
  auto mended = code;
  mended.replace(*at, noting_instruction_size, noting_instruction_size, '\x90');
  EXPECT_FALSE(find_noting_instruction(mended));
  EXPECT_FALSE(find_noting_instruction(code + code)) << "one of two places may be another's";
  EXPECT_FALSE(find_noting_instruction(""));
  EXPECT_FALSE(find_noting_instruction(code.substr(0, *at + noting_instruction_size)));
}

TEST(EmulatorMendOf, ALostProcessMendsNothing) { EXPECT_FALSE(mend_interrupts(1 << 22)); }

}  // namespace
}  // namespace twinbox::qemu
