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

// Processes of the host whose command line or mount table has `text`.
std::vector<std::string> processes_with(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    for (const auto* file : {"cmdline", "mountinfo"}) {
      try {
        const auto content = base::read_file(entry.path() / file);
        if (content.find(text) != std::string::npos) found.push_back(entry.path());
      } catch (const base::Error&) {
        continue;  // no process, or one that ended meanwhile
      }
    }
  }
  return found;
}

// A workload with children, told apart from all other processes by its arguments.
std::string family(const std::string& mark) {
  return fmt::format("sleep 1000{0} & sh -c 'sleep 1000{0} & wait' & echo ready; wait", mark);
}

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

  void expect_nothing_left(const sandbox::BoxRequest& made, const std::string& mark) {
    EXPECT_TRUE(control_groups_of(made.id).empty());
    // A killed process stays in /proc until its parent has seen it.
    eventually("processes to be gone", [&] {
      return processes_with("1000" + mark).empty() && processes_with(made.directory).empty();
    });
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
  auto made = request("sleep 1000777 & sh -c 'sleep 1000777 & exit' ; exit 4");

  const auto result = run(made);

  EXPECT_EQ(result.status(), 4);
  expect_nothing_left(made, "777");
}

TEST_F(ContainerLifetime, DestroyingARunningBoxEndsIt) {
  auto made = request(family("778"));
  const auto engine = make_engine();
  {
    RunningBox running(*engine, made);
    running.wait_for_output("ready");
  }
  expect_nothing_left(made, "778");
}

TEST_F(ContainerLifetime, DestroyingABoxThatWasNeverStartedIsNothing) {
  const auto made = request("true");
  const auto engine = make_engine();
  engine->create(made).reset();
  expect_nothing_left(made, "nothing");
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
  const auto made = request("sleep 1000779");
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto engine = make_engine();
    RunningBox running(*engine, made);
    running.finish();
    ::_exit(0);
  }
  ASSERT_GT(owner, 0);
  eventually("the workload to run", [] { return !processes_with("1000779").empty(); });

  ::kill(owner, SIGKILL);
  base::wait_for(owner);

  // Without any help.
  eventually("the workload to end", [] { return processes_with("1000779").empty(); });
  make_engine()->clean_up(made.id, made.directory);
  expect_nothing_left(made, "779");
}

TEST_F(ContainerLifetime, KillingTheOwnerAtAnyMomentLeavesNothing) {
  std::mt19937 random(20240229);
  std::uniform_int_distribution<int> delay(0, 25'000);
  for (int round = 0; round < 50; ++round) {
    SCOPED_TRACE(round);
    const auto made = request(family("780"));
    kill_owner(made, std::chrono::microseconds(delay(random)));
    make_engine()->clean_up(made.id, made.directory);
    expect_nothing_left(made, "780");
  }
}

TEST_F(ContainerLifetime, CleaningUpNothingIsNothing) {
  const auto made = request("true");
  make_engine()->clean_up(made.id, made.directory);
  make_engine()->clean_up(made.id, made.directory);
  expect_nothing_left(made, "nothing");
}

TEST_F(ProcessLifetime, BackgroundProcessesEndWithTheFirst) {
  auto made = request("sleep 1000781 & sh -c 'sleep 1000781 & exit' ; exit 4");

  const auto result = run(made);

  EXPECT_EQ(result.status(), 4);
  expect_nothing_left(made, "781");
}

TEST_F(ProcessLifetime, KillingTheOwnerAtAnyMomentLeavesNothing) {
  std::mt19937 random(20240301);
  std::uniform_int_distribution<int> delay(0, 15'000);
  for (int round = 0; round < 30; ++round) {
    SCOPED_TRACE(round);
    const auto made = request(family("782"));
    kill_owner(made, std::chrono::microseconds(delay(random)));
    make_engine()->clean_up(made.id, made.directory);
    expect_nothing_left(made, "782");
  }
}

}  // namespace
}  // namespace twinbox::testing
