#include "supervise/time.hpp"

#include <gtest/gtest.h>

namespace twinbox::supervise {
namespace {

constexpr std::int64_t moment = 1'769'846'400'123'456'789;

TEST(Time, IsWrittenAndReadToTheNanosecond) {
  EXPECT_EQ(rfc3339(moment), "2026-01-31T08:00:00.123456789Z");
  EXPECT_EQ(time_from_rfc3339("2026-01-31T08:00:00.123456789Z"), moment);
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
}

TEST(Time, IsReadWithShorterFractionsAndOffsets) {
  constexpr std::int64_t second = 1'769'846'400'000'000'000;
  EXPECT_EQ(time_from_rfc3339("2026-01-31T08:00:00Z"), second);
  EXPECT_EQ(time_from_rfc3339("2026-01-31T08:00:00.5Z"), second + 500'000'000);
  EXPECT_EQ(time_from_rfc3339("2026-01-31T10:30:00+02:30"), second);
  EXPECT_EQ(time_from_rfc3339("2026-01-31T05:00:00-03:00"), second);
}

TEST(Time, OfAnotherFormIsNone) {
  for (const auto* const text :
       {"", "now", "2026-01-31", "2026-01-31T08:00:00", "2026-01-31T08:00:00X",
        "2026-01-31 08:00:00Z", "2026-01-31T08:00:00+0230"}) {
    EXPECT_FALSE(time_from_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace twinbox::supervise
