#include "sandbox/marks.hpp"

#include <gtest/gtest.h>

namespace twinbox::sandbox {
namespace {

TEST(Marks, TheFirstStampStands) {
  Marks marks;
  marks.stamp(Mark::created, {.monotonic_ns = 5, .cpu_ns = 3});
  marks.stamp(Mark::created, {.monotonic_ns = 7, .cpu_ns = 6});
  EXPECT_EQ(marks.at(Mark::created), 5U);
  EXPECT_EQ(marks.cpu_at(Mark::created), 3U);
  EXPECT_FALSE(marks.at(Mark::booted));
  EXPECT_FALSE(marks.cpu_at(Mark::booted));
}

TEST(Marks, AreReadBackAsTheyWereWritten) {
  Marks marks;
  marks.stamp(Mark::entered, {.monotonic_ns = 12});
  marks.stamp(Mark::executed, {.monotonic_ns = 34, .cpu_ns = 56});
  const auto back = Marks::from_json(marks.to_json(), "marks");
  EXPECT_EQ(back.at(Mark::entered), 12U);
  EXPECT_FALSE(back.cpu_at(Mark::entered)) << "nobody counted";
  EXPECT_EQ(back.at(Mark::executed), 34U);
  EXPECT_EQ(back.cpu_at(Mark::executed), 56U);
  EXPECT_FALSE(back.at(Mark::gone));
}

TEST(Marks, TellOfNoCpuTimeThatNobodyCounts) {
  Marks marks;
  marks.stamp(Mark::ready);
  EXPECT_GT(marks.at(Mark::ready), 0U);
  EXPECT_EQ(marks.to_json().find("cpu_ns"), std::string::npos) << marks.to_json();
}

TEST(Marks, OfBeforeCpuTimeWasCountedAreRead) {
  const auto marks = Marks::from_json(R"({"entered": 1, "gone": 2})", "marks");
  EXPECT_EQ(marks.at(Mark::gone), 2U);
  EXPECT_FALSE(marks.cpu_at(Mark::gone));
}

}  // namespace
}  // namespace twinbox::sandbox
