// A box's end, whoever brings it about: nothing of it may stay.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "base/file.hpp"
#include "base/syscall.hpp"
#include "box_fixture.hpp"
#include "container/engine.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

// The command lines of the host's processes that have the overlay of the box in `directory` in
// their mount table: whoever belongs to it, in either engine.
std::vector<std::string> commands_in_box(const fs::path& directory) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    try {
      const auto mounts = base::read_file(entry.path() / "mountinfo");
      if (mounts.find(directory.string() + "/upper") == std::string::npos) continue;
      found.push_back(base::read_file(entry.path() / "cmdline"));
    } catch (const base::Error&) {
      continue;  // no process, or one that ended meanwhile
    }
  }
  return found;
}

// A workload with children and grandchildren.
const std::string family = "sleep 1000 & sh -c 'sleep 1000 & wait' & echo ready; wait";

class ContainerLifetime : public BoxFixture {
 protected:
  // Runs `made` in a process of its own and kills that process after `delay`.
  void kill_owner(const sandbox::BoxRequest& made, std::chrono::microseconds delay) {
    const pid_t owner = ::fork();
    if (owner == 0) {
      try {
        const auto engine = make_engine();
        RunningBox running(*engine, made);
        running.finish();
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    ASSERT_GT(owner, 0);
    std::this_thread::sleep_for(delay);
    ::kill(owner, SIGKILL);
    base::wait_for(owner);
  }

  // How long a box takes here, now, from nothing to a workload with children.
  std::chrono::microseconds time_to_run() {
    const auto begin = std::chrono::steady_clock::now();
    const auto engine = make_engine();
    RunningBox running(*engine, request(family));
    running.wait_for_output("ready");
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                 begin);
  }

  // Kills owners at moments spread from before the box to after its workload is running.
  void kill_owners(int rounds, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<long> delay(0, 2 * time_to_run().count());
    for (int round = 0; round < rounds; ++round) {
      SCOPED_TRACE(round);
      const auto made = request(family);
      kill_owner(made, std::chrono::microseconds(delay(random)));
      make_engine()->clean_up(made.id, made.directory);
      expect_nothing_left(made);
    }
  }

  void expect_nothing_left(const sandbox::BoxRequest& made) {
    EXPECT_TRUE(control_groups_of(made.id).empty());
    EXPECT_TRUE(commands_in_box(made.directory).empty());
    std::error_code error;
    fs::remove_all(made.directory, error);
    EXPECT_FALSE(error) << error.message();
  }
};

class ProcessLifetime : public ContainerLifetime {
 protected:
  std::unique_ptr<sandbox::Engine> make_engine() const override {
    return std::make_unique<container::ProcessEngine>();
  }
};

TEST_F(ContainerLifetime, OrphansEndWithTheFirstProcess) {
  auto made = request("sleep 1000 & sh -c 'sleep 1000 & exit' ; exit 4");

  const auto result = run(made);

  EXPECT_EQ(result.status(), 4);
  expect_nothing_left(made);
}

TEST_F(ContainerLifetime, DestroyingARunningBoxEndsIt) {
  auto made = request(family);
  const auto engine = make_engine();
  {
    RunningBox running(*engine, made);
    running.wait_for_output("ready");
  }
  expect_nothing_left(made);
}

TEST_F(ContainerLifetime, DestroyingABoxThatWasNeverStartedIsNothing) {
  const auto made = request("true");
  const auto engine = make_engine();
  engine->create(made).reset();
  expect_nothing_left(made);
}

TEST_F(ContainerLifetime, ManyBoxesLiveSideBySide) {
  const auto engine = make_engine();
  std::vector<std::unique_ptr<RunningBox>> boxes;
  for (int index = 0; index < 20; ++index) {
    boxes.push_back(std::make_unique<RunningBox>(
        *engine, request(fmt::format("cat; hostname; exit {}", index))));
  }
  for (int index = 0; index < 20; ++index) {
    auto& box = *boxes[static_cast<std::size_t>(index)];
    box.write_input(std::to_string(index) + "\n");
    const auto result = box.finish();
    EXPECT_EQ(result.status(), index);
    EXPECT_EQ(result.out, std::to_string(index) + "\ntestbox\n");
  }
}

TEST_F(ContainerLifetime, KillingTheOwnerOfARunningBoxEndsIt) {
  const auto made = request("sleep 1000");
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto engine = make_engine();
    RunningBox running(*engine, made);
    running.finish();
    ::_exit(0);
  }
  ASSERT_GT(owner, 0);
  eventually("the workload to run", [&] {
    const auto commands = commands_in_box(made.directory);
    return commands.size() == 1 && commands.front().starts_with("sleep");
  });

  ::kill(owner, SIGKILL);
  base::wait_for(owner);

  // Without any help.
  eventually("the workload to end", [&] { return commands_in_box(made.directory).empty(); });
  make_engine()->clean_up(made.id, made.directory);
  expect_nothing_left(made);
}

TEST_F(ContainerLifetime, KillingTheOwnerAtAnyMomentLeavesNothing) { kill_owners(50, 20240229); }

TEST_F(ContainerLifetime, CleaningUpNothingIsNothing) {
  const auto made = request("true");
  make_engine()->clean_up(made.id, made.directory);
  make_engine()->clean_up(made.id, made.directory);
  expect_nothing_left(made);
}

TEST_F(ProcessLifetime, BackgroundProcessesEndWithTheFirst) {
  auto made = request("sleep 1000 & sh -c 'sleep 1000 & exit' ; exit 4");

  const auto result = run(made);

  EXPECT_EQ(result.status(), 4);
  expect_nothing_left(made);
}

TEST_F(ProcessLifetime, KillingTheOwnerAtAnyMomentLeavesNothing) { kill_owners(30, 20240301); }

}  // namespace
}  // namespace twinbox::testing
