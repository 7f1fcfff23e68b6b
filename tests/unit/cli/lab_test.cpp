// The lab's command line, up to where a machine would start.
#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

// The id is above all that the kernel gives.
TEST(LabExecDeathTest, EndsWithAParentThatDiedBeforeItBegan) {
  EXPECT_EXIT(lab({"exec", "--die-with-parent", "2147483647", "--", "true"}),
              testing::ExitedWithCode(1), "");
}

TEST(LabExec, RefusesAParentThatIsNoProcess) {
  for (const auto* id : {"0", "-1", "parent"}) {
    try {
      lab({"exec", std::string("--die-with-parent=") + id, "--", "true"});
      FAIL() << id;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::usage) << id;
    }
  }
}

}  // namespace
}  // namespace twinbox::cli
