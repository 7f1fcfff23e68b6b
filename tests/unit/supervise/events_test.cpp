#include "supervise/events.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "base/syscall.hpp"
#include "store_fixture.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class EventsTest : public StoreFixture {
 protected:
  fs::path file() const { return root_.path() / "events"; }
  std::vector<Event> events(std::int64_t since = 0) const {
    std::vector<Event> found;
    read_events({.since = since, .until = now()},
                [&](const Event& event) { found.push_back(event); });
    return found;
  }
  std::vector<std::string> actions() const {
    std::vector<std::string> found;
    for (const auto& event : events()) found.push_back(event.action);
    return found;
  }

  BoxRecord box_{.id = "0123456789ab", .name = "web", .settings = settings_of("vm"), .state = {}};
};

TEST_F(EventsTest, TellWhatHappenedToWhichBox) {
  box_.settings.labels = {{"tier", "front"}};
  const auto before = now();
  emit(box_, "die", {{"exitCode", "137"}});
  const auto found = events();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].action, "die");
  EXPECT_EQ(found[0].id, "0123456789ab");
  EXPECT_GE(found[0].time, before);
  EXPECT_THAT(found[0].attributes,
              ElementsAre(std::pair("engine", "vm"), std::pair("exitCode", "137"),
                          std::pair("image", "busybox"), std::pair("name", "web"),
                          std::pair("tier", "front")));
}

TEST_F(EventsTest, AreNoneAtFirst) { EXPECT_THAT(events(), IsEmpty()); }

TEST_F(EventsTest, OfThePastAreGivenOnlyWhenAskedFor) {
  emit(box_, "create");
  std::vector<std::string> seen;
  read_events(
      {}, [&](const Event& event) { seen.push_back(event.action); },
      [&] {
        if (seen.empty()) emit(box_, "start");
        return !seen.empty();
      });
  EXPECT_THAT(seen, ElementsAre("start"));
  EXPECT_THAT(actions(), testing::IsSupersetOf({"create", "start"}));
}

TEST_F(EventsTest, SinceAndUntilBoundTheTime) {
  for (const auto* const action : {"create", "start", "die"}) emit(box_, action);
  const auto all = events();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(events(all[1].time).size(), 2U);
  std::vector<std::string> seen;
  read_events({.since = 0, .until = all[1].time},
              [&](const Event& event) { seen.push_back(event.action); });
  EXPECT_THAT(seen, ElementsAre("create", "start"));
}

TEST_F(EventsTest, OfManyProcessesAreAllThereInTheOrderOfTheirTimes) {
  std::vector<Child> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&] {
      for (int j = 0; j < 200; ++j) emit(box_, fmt::format("{}-{}", i, j));
      return 0;
    });
  }
  for (auto& writer : writers) EXPECT_EQ(writer.wait(), 0);
  const auto found = events();
  EXPECT_EQ(found.size(), 1600U);
  EXPECT_TRUE(std::ranges::is_sorted(found, {}, &Event::time));
}

TEST_F(EventsTest, BehindTheBeginningOfOneWhoseWriterWasKilledAreNotLost) {
  emit(box_, "create");
  base::write_all(base::open_file(file(), O_WRONLY | O_APPEND).get(), R"({"time":1,"act)");
  emit(box_, "start");
  EXPECT_THAT(actions(), ElementsAre("create", "start"));
}

TEST_F(EventsTest, AreFollowedAcrossTheChangeOfFiles) {
  box_.settings.labels = {{"filler", std::string(100'000, 'x')}};  // a change every 80 events
  constexpr int count = 200;
  std::jthread writer;
  std::vector<std::string> seen;
  const auto write = [&] {
    for (int i = 0; i < count; ++i) emit(box_, std::to_string(i));
  };
  read_events(
      {}, [&](const Event& event) { seen.push_back(event.action); },
      [&] {
        if (!writer.joinable()) writer = std::jthread(write);
        return seen.size() == count;
      });
  writer.join();
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_TRUE(fs::exists(root_.path() / "events.1"));
  EXPECT_LT(fs::file_size(file()) + fs::file_size(root_.path() / "events.1"), 17U << 20);
}

TEST_F(EventsTest, WhereTheyCannotBeWrittenAreLostWithAWarning) {
  fs::create_directory(file());
  testing::internal::CaptureStderr();
  emit(box_, "create");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(file().string()));
}

}  // namespace
}  // namespace twinbox::supervise
