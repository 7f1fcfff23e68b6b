// The container backend on cgroup v2, which the lab has whole: its own tests, run there.
#include <gtest/gtest.h>

#include "tests/lab/lab_run.hpp"

namespace twinbox::test {
namespace {

TEST(ContainersOnCgroup2, PassTheirOwnTests) {
  const auto result = script_in_lab("exec " CONTAINER_TEST_PROGRAM " 2>&1");
  EXPECT_EQ(result.status, 0) << result.out;
  EXPECT_NE(result.out.find("[  PASSED  ]"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("[  SKIPPED ]"), std::string::npos) << result.out;
}

}  // namespace
}  // namespace twinbox::test
