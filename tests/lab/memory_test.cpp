// The memory figures of a machine, and of a container on cgroup v2: the comparison's own tests, run
// in the lab.
#include <gtest/gtest.h>

#include "tests/lab/lab_run.hpp"

namespace twinbox::test {
namespace {

TEST(MemoryFiguresInTheLab, AgreeWithTheKernel) {
  expect_comparison_tests_pass_in_lab("MemoryFigures.*Kernel*", 2);
}

}  // namespace
}  // namespace twinbox::test
