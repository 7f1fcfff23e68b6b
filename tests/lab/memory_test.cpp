// The memory figures of a machine, and of a container on cgroup v2: the comparison's own tests, run
// in the lab.
#include <gtest/gtest.h>

#include "tests/lab/lab_run.hpp"

namespace twinbox::test {
namespace {

TEST(MemoryFiguresInTheLab, AgreeWithTheKernel) {
  const auto result = script_in_lab("TWINBOX_TEST_IN_PLACE=1 exec " COMPARE_TEST_PROGRAM
                                    " --gtest_filter='MemoryFigures.*Kernel*' 2>&1");
  EXPECT_EQ(result.status, 0) << result.out;
  EXPECT_NE(result.out.find("[  PASSED  ] 2 tests"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("[  SKIPPED ]"), std::string::npos) << result.out;
}

}  // namespace
}  // namespace twinbox::test
