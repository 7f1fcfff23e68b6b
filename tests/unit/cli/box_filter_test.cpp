#include "cli/box_filter.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "cli/box_status.hpp"
#include "cli/moment.hpp"

namespace twinbox::cli {
namespace {

constexpr std::int64_t second = 1'000'000'000;

supervise::BoxRecord box() {
  supervise::BoxRecord record{.id = "0123456789ab", .name = "web-1", .settings = {}, .state = {}};
  record.settings.image = "busybox";
  record.settings.image_id = "sha256:feed";
  record.settings.engine = "container";
  record.settings.labels = {{"tier", "front"}, {"empty", ""}};
  record.state.status = supervise::Status::exited;
  record.state.exit_code = 3;
  return record;
}

bool matches_box(const std::vector<std::string>& filters) {
  return matches(box(), parse_box_filters(filters));
}

TEST(BoxFilter, MatchesByEachKey) {
  for (const auto* const filter : {"id=0123", "name=web", "name=^/?web-[0-9]$", "status=exited",
                                   "exited=3", "label=tier", "label=tier=front", "label=empty=",
                                   "ancestor=busybox", "ancestor=feed", "engine=container"}) {
    EXPECT_TRUE(matches_box({filter})) << filter;
  }
  for (const auto* const filter : {"id=123", "name=^eb", "status=running", "exited=0", "label=ti",
                                   "label=tier=back", "ancestor=busy", "engine=vm"}) {
    EXPECT_FALSE(matches_box({filter})) << filter;
  }
}

TEST(BoxFilter, WantsOneOfEachKeyAndAllLabels) {
  EXPECT_TRUE(matches_box({}));
  EXPECT_TRUE(matches_box({"status=running", "status=exited", "exited=3"}));
  EXPECT_FALSE(matches_box({"status=exited", "exited=4"}));
  EXPECT_FALSE(matches_box({"label=tier", "label=missing"}));
}

TEST(BoxFilter, RefusesWhatItDoesNotKnow) {
  for (const auto* const filter : {"colour=red", "name", "status=tired"}) {
    EXPECT_THROW(parse_box_filters({filter}), base::Error) << filter;
  }
  EXPECT_THROW(matches_box({"name=["}), base::Error);
}

TEST(StatusText, IsDockers) {
  using supervise::Status;
  supervise::BoxState state;
  state.started = 100 * second;
  state.finished = 200 * second;
  const auto text = [&](Status status, std::int64_t now) {
    state.status = status;
    return status_text(state, now * second);
  };
  state.exit_code = 1;
  EXPECT_EQ(text(Status::created, 0), "Created");
  EXPECT_EQ(text(Status::running, 400), "Up 5 minutes");
  EXPECT_EQ(text(Status::paused, 400), "Up 5 minutes (Paused)");
  EXPECT_EQ(text(Status::exited, 203), "Exited (1) 3 seconds ago");
  EXPECT_EQ(text(Status::restarting, 202), "Restarting (1) 2 seconds ago");
}

TEST(Moment, IsATimeOrSoLongAgo) {
  constexpr auto now = 2000 * second;
  EXPECT_EQ(moment("", "--since", now), std::nullopt);
  EXPECT_EQ(moment("10.5", "--since", now), 10 * second + second / 2);
  EXPECT_EQ(moment("1970-01-01T00:01:00Z", "--since", now), 60 * second);
  EXPECT_EQ(moment("1970-01-01T00:01:00", "--since", now), 60 * second);
  EXPECT_EQ(moment("1970-01-02", "--since", now), 86400 * second);
  EXPECT_EQ(moment("1m30s", "--since", now), now - 90 * second);
  EXPECT_EQ(moment("500ms", "--since", now), now - second / 2);
  EXPECT_THROW(moment("yesterday", "--since", now), base::Error);
  EXPECT_THROW(moment("10x", "--since", now), base::Error);
}

}  // namespace
}  // namespace twinbox::cli
