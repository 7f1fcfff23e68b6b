// Many commands at the same moment.
#include <fmt/format.h>

#include <algorithm>

#include "tests/stress/stress.hpp"

namespace twinbox::testing {
namespace {

using Commands = std::vector<std::unique_ptr<Command>>;

class Many : public Stress {
 protected:
  std::vector<CommandResult> finish(const Commands& commands) const {
    std::vector<CommandResult> results;
    for (const auto& command : commands) results.push_back(command->finish(patience));
    return results;
  }

  static constexpr std::chrono::minutes patience{15};
};

TEST_F(Many, BoxesStartRunStopAndVanish) {
  Commands starts;
  Words names;
  for (unsigned i = 0; i < plan().boxes; ++i) {
    names.push_back(fmt::format("many-{}", i));
    starts.push_back(start(
        box({"run", "-d", "--name", names.back()}, {"busybox", "sh", "-c", "exec sleep 1000000"})));
  }
  Words ids;
  for (const auto& result : finish(starts)) {
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out.size(), 13U) << result.out;
    ids.push_back(result.out.substr(0, 12));
  }
  std::ranges::sort(ids);
  std::ranges::sort(names);
  auto listed = lines({"ps", "--format", "{{.ID}}"});
  std::ranges::sort(listed);
  EXPECT_EQ(listed, ids) << "one is lost, or there twice";
  listed = lines({"ps", "--format", "{{.Names}}"});
  std::ranges::sort(listed);
  EXPECT_EQ(listed, names);

  Commands stops;
  for (const auto& name : names) stops.push_back(start({"stop", "-t", "0", name}));
  for (const auto& result : finish(stops)) EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(lines({"ps", "-q"}), Words{});
  EXPECT_EQ(lines({"ps", "-aq", "--filter", "status=exited"}).size(), ids.size());

  Commands removals;
  for (const auto& name : names) removals.push_back(start({"rm", name}));
  for (const auto& result : finish(removals)) EXPECT_EQ(result.status, 0) << result.err;
  expect_nothing_left(ids);
}

TEST_F(Many, CommandsRaceForAName) {
  constexpr int racers = 20;
  Commands race;
  for (int i = 0; i < racers; ++i) {
    race.push_back(start(box({"run", "-d", "--name", "wanted"}, {"busybox", "sleep", "1000000"})));
  }
  Words winners;
  for (const auto& result : finish(race)) {
    if (result.status == 0) {
      winners.push_back(result.out.substr(0, 12));
      continue;
    }
    EXPECT_EQ(result.status, 125);
    EXPECT_NE(result.err.find("already in use"), std::string::npos) << result.err;
  }
  ASSERT_EQ(winners.size(), 1U);
  EXPECT_EQ(lines({"ps", "-aq"}), winners) << "one that lost has left a box";
  EXPECT_EQ(lines({"inspect", "--format", "{{.Id}}", "wanted"}), winners);
  remove_all_and_expect_nothing_left(winners);
}

}  // namespace
}  // namespace twinbox::testing
