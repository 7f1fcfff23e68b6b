// Many processes on one store at once.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "store_fixture.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int taken = 3;

class StoreRaceTest : public StoreFixture {
 protected:
  // All of them begin at the same moment; returns how they ended.
  std::vector<int> race(int count, const std::function<int(int)>& work) const {
    auto [read_end, write_end] = base::make_pipe();
    std::vector<Child> children;
    for (int i = 0; i < count; ++i) {
      children.emplace_back([&] {
        write_end.reset();
        std::byte started{};
        base::read_some(read_end.get(), {&started, 1});  // ends with the last writer
        return work(i);
      });
    }
    write_end.reset();
    std::vector<int> statuses;
    for (auto& child : children) statuses.push_back(child.wait());
    return statuses;
  }
  static int unless_taken(const std::function<void()>& work) {
    try {
      work();
      return 0;
    } catch (const base::Error& error) {
      return error.kind() == base::ErrorKind::conflict ? taken : 1;
    }
  }
};

TEST_F(StoreRaceTest, OneOfTwentyProcessesGetsAName) {
  for (int round = 0; round < 5; ++round) {
    const auto name = fmt::format("wanted{}", round);
    auto statuses = race(20, [&](int) { return unless_taken([&] { make_box(name); }); });
    std::ranges::sort(statuses);
    EXPECT_EQ(statuses[0], 0);
    EXPECT_EQ(std::ranges::count(statuses, taken), 19);
    EXPECT_EQ(store().list().size(), static_cast<std::size_t>(round + 1));
    EXPECT_EQ(names_in(boxes()).size(), static_cast<std::size_t>(round + 1));
  }
}

TEST_F(StoreRaceTest, ADeadBoxsNameGoesToOneOfTwentyProcesses) {
  fs::create_directories(names());
  fs::create_symlink("0123456789ab", names() / "wanted");
  auto statuses = race(20, [&](int) { return unless_taken([&] { make_box("wanted"); }); });
  EXPECT_EQ(std::ranges::count(statuses, 0), 1);
  EXPECT_EQ(std::ranges::count(statuses, taken), 19);
}

TEST_F(StoreRaceTest, OneOfManyRenamesWins) {
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(make_box(""));
  const auto statuses = race(10, [&](int i) {
    return unless_taken([&] { store().rename(ids[static_cast<std::size_t>(i)], "wanted"); });
  });
  EXPECT_EQ(std::ranges::count(statuses, 0), 1);
  EXPECT_EQ(std::ranges::count(statuses, taken), 9);
  EXPECT_EQ(names_in(names()).size(), 10U);
  EXPECT_EQ(store().find("wanted").name, "wanted");
}

TEST_F(StoreRaceTest, FiftyBoxesMadeAtOnceAreAllThereWithNamesOfTheirOwn) {
  const auto statuses = race(50, [&](int) { return make_box("").empty() ? 1 : 0; });
  EXPECT_EQ(std::ranges::count(statuses, 0), 50);
  std::set<std::string> found;
  for (const auto& record : store().list()) found.insert(record.name);
  EXPECT_EQ(found.size(), 50U);
}

TEST_F(StoreRaceTest, ABoxIsRepairedOnceByManySweeps) {
  const auto id = make_box("web");
  run_box(id).kill();
  const auto statuses = race(10, [&](int) { return static_cast<int>(sweep().size()); });
  EXPECT_EQ(std::ranges::count(statuses, 1), 1);
  EXPECT_EQ(store().find(id).state.status, Status::exited);
}

TEST_F(StoreRaceTest, BoxesOfLivingProcessesSurviveSweeps) {
  const auto statuses = race(6, [&](int i) {
    for (int round = 0; round < 60; ++round) {
      if (i < 2) {
        sweep();
        continue;
      }
      auto box = store().create("", settings_of("container", true), {});
      box.change([](BoxRecord& record) {
        record.state.status = Status::running;
        record.state.supervisor = ::getpid();
      });
      if (store().find(box.record().name).id != box.record().id) return 1;
      box.change([](BoxRecord& record) { record.state.status = Status::exited; });
      box.remove();
    }
    return 0;
  });
  EXPECT_EQ(std::ranges::count(statuses, 0), 6);
  sweep();
  EXPECT_THAT(names_in(boxes()), IsEmpty());
  EXPECT_THAT(names_in(names()), IsEmpty());
}

}  // namespace
}  // namespace twinbox::supervise
