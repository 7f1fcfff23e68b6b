#include "compare/progress.hpp"

#include <gtest/gtest.h>

namespace twinbox::compare {
namespace {

TEST(Estimate, KnowsNothingBeforeTheFirstUnit) {
  Estimate estimate;
  estimate.plan("vm", 3);
  EXPECT_EQ(estimate.planned(), 3);
  EXPECT_FALSE(estimate.remaining().has_value());
}

TEST(Estimate, TakesEachKindByItself) {
  Estimate estimate;
  estimate.plan("vm", 3);
  estimate.plan("process", 3);
  estimate.finish("vm", Seconds(10));
  estimate.finish("process", Seconds(1));
  EXPECT_EQ(estimate.done(), 2);
  EXPECT_DOUBLE_EQ(estimate.remaining()->count(), 22);
}

TEST(Estimate, TakesAKindThatItHasNotSeenForLikeTheOthers) {
  Estimate estimate;
  estimate.plan("vm", 2);
  estimate.finish("process", Seconds(4));
  EXPECT_DOUBLE_EQ(estimate.remaining()->count(), 8);
}

TEST(Estimate, FinishesOrDropsWhatItCarriesOut) {
  Estimate estimate;
  estimate.plan("vm growing", 3);
  estimate.carry_out("vm growing", [] { return true; });
  estimate.carry_out("vm growing", [] { return false; });
  EXPECT_EQ(estimate.done(), 1);
  EXPECT_EQ(estimate.planned(), 2);
  EXPECT_TRUE(estimate.remaining().has_value());
}

TEST(Estimate, ForgetsWhatIsDropped) {
  Estimate estimate;
  estimate.plan("vm", 4);
  estimate.finish("vm", Seconds(1));
  estimate.drop("vm", 10);
  EXPECT_EQ(estimate.planned(), 1);
  EXPECT_DOUBLE_EQ(estimate.remaining()->count(), 0);
}

TEST(ProgressLine, IsReadBack) {
  const ProgressEvent event{"start-up: block 3", 12, 93, Seconds(40)};
  EXPECT_EQ(to_line(event), "start-up: block 3 [12/93, 40 s left]");
  const auto read = event_from_line(to_line(event));
  EXPECT_EQ(read.text, event.text);
  EXPECT_EQ(read.done, 12);
  EXPECT_EQ(read.planned, 93);
  EXPECT_EQ(read.remaining->count(), 40);
}

TEST(ProgressLine, OfAnotherKindIsText) {
  EXPECT_EQ(event_from_line("lab: it boots [no]").text, "lab: it boots [no]");
  EXPECT_EQ(event_from_line("lab: it boots [no]").planned, 0);
  EXPECT_FALSE(event_from_line("x [1/2]").remaining.has_value());
}

TEST(SpokenDuration, HasTheUnitThatFits) {
  EXPECT_EQ(spoken_duration(Seconds(39.2)), "40 s");
  EXPECT_EQ(spoken_duration(Seconds(170)), "3 min");
  EXPECT_EQ(spoken_duration(Seconds(7500)), "2 h 5 min");
}

}  // namespace
}  // namespace twinbox::compare
