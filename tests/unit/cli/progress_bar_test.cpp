#include "cli/progress_bar.hpp"

#include <gtest/gtest.h>

namespace twinbox::cli {
namespace {

TEST(ProgressBar, ShowsTheShareAndTheTimeLeft) {
  EXPECT_EQ(bar_line({"start-up", 5, 20, compare::Seconds(170)}, 80),
            "[#####---------------]  25 %, 3 min left: start-up");
}

TEST(ProgressBar, HasNoBarWhereTheEndIsNotKnown) {
  EXPECT_EQ(bar_line({"it boots", 0, 0, {}}, 80), "it boots");
}

TEST(ProgressBar, IsNoWiderThanItsTerminal) {
  EXPECT_EQ(bar_line({"start-up of something long", 20, 20, {}}, 30).size(), 30U);
}

}  // namespace
}  // namespace twinbox::cli
