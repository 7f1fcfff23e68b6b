// SIGKILL at any moment leaves nothing that the next command does not undo.

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "tests/native/cli/cli_fixture.hpp"
#include "tests/support/leftovers.hpp"

namespace twinbox::testing {
namespace {

class Sigkill : public CliFixture {
 protected:
  void SetUp() override {
    CliFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    // Makes the directories that the first box makes.
    ASSERT_EQ(twinbox({"run", "--rm", "--die-with-parent", "busybox", "true"}).status, 0);
  }

  // A twinbox at work, of a kind chosen by `choice`.
  Words command(unsigned choice) const {
    switch (choice % 5) {
      case 0:
        return {"run", "--rm", "--die-with-parent", "busybox", "sleep", "1000"};
      case 1:
        return {"run",
                "--rm",
                "--die-with-parent",
                "--memory",
                "64m",
                "--pids-limit",
                "20",
                "busybox",
                "sh",
                "-c",
                "sleep 1000 & sleep 1000"};
      case 2:
        return {"run", "--rm", "--die-with-parent",      "--as", "process", "busybox",
                "sh",  "-c",   "sleep 1000 & sleep 1000"};
      case 3:
        return {"image", "import", "again", image_source()};
      default:
        return {"run", "--rm", "--die-with-parent", "busybox", "true"};
    }
  }

  // The command's process itself, or one that it has started.
  static void kill_one(const testing::Command& command, bool child) {
    const auto pid = std::to_string(command.pid());
    std::istringstream children(child ? text_of("/proc/" + pid + "/task/" + pid + "/children")
                                      : "");
    if (pid_t found = 0; children >> found) {
      // It may end at this moment: then the pidfd cannot be opened, and nobody else is hit.
      const base::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, found, 0)));
      if (process &&
          text_of("/proc/" + pid + "/task/" + pid + "/children").find(std::to_string(found)) !=
              std::string::npos) {
        ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
      }
    }
    command.signal(SIGKILL);
  }

  void wait_until_no_process_is_left() const {
    for (int i = 0; i < 3000 && !leftovers_.processes().empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(leftovers_.processes(), Words{});
  }

  const Leftovers leftovers_{root()};
};

TEST_F(Sigkill, AtFiftyRandomMomentsLeavesNothing) {
  constexpr unsigned seed = 20240229;
  std::mt19937 random(seed);
  const auto before = leftovers_.store();
  for (int round = 0; round < 50; ++round) {
    SCOPED_TRACE("round " + std::to_string(round) + " of seed " + std::to_string(seed));
    std::vector<std::string> ids;
    {
      auto victim = start(command(static_cast<unsigned>(random())));
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
      kill_one(victim, random() % 3 == 0);
      victim.reap();
      ids = names_in(root() / "boxes");
    }
    const auto next = twinbox({"run", "--rm", "--die-with-parent", "busybox", "echo", "next"});
    ASSERT_EQ(next.status, 0) << next.err;
    EXPECT_EQ(next.out, "next\n");
    sweep_until_no_box_is_left();
    EXPECT_EQ(Leftovers::control_groups(ids), Words{});
    EXPECT_FALSE(leftovers_.mounted());
    wait_until_no_process_is_left();
    // An import may have won its race; its image is no left-over.
    if (twinbox({"image", "ls"}).out.find("again") != std::string::npos) {
      ASSERT_EQ(twinbox({"image", "rm", "again"}).status, 0);
    }
    ASSERT_EQ(leftovers_.store(), before);
  }
}

TEST_F(Sigkill, OfManyAtOnceLeavesNothing) {
  const auto before = leftovers_.store();
  std::vector<std::unique_ptr<testing::Command>> victims;
  for (int i = 0; i < 8; ++i) {
    victims.push_back(std::make_unique<testing::Command>(
        TWINBOX_PROGRAM,
        Words{"run", "--rm", "--die-with-parent", "busybox", "sh", "-c", "echo ready; sleep 1000"},
        Words{"TWINBOX_ROOT=" + root().string()}));
  }
  for (auto& victim : victims) victim->wait_for_output("ready");
  const auto ids = names_in(root() / "boxes");
  EXPECT_EQ(ids.size(), 8U);
  for (auto& victim : victims) victim->signal(SIGKILL);
  for (auto& victim : victims) victim->reap();
  // Several commands find the same dead boxes at the same time.
  std::vector<std::unique_ptr<testing::Command>> sweepers;
  for (int i = 0; i < 4; ++i) {
    sweepers.push_back(std::make_unique<testing::Command>(
        TWINBOX_PROGRAM, Words{"run", "--rm", "--die-with-parent", "busybox", "true"},
        Words{"TWINBOX_ROOT=" + root().string()}));
  }
  for (auto& sweeper : sweepers) {
    const auto result = sweeper->finish();
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "");
  }
  sweep_until_no_box_is_left();
  EXPECT_EQ(Leftovers::control_groups(ids), Words{});
  wait_until_no_process_is_left();
  EXPECT_EQ(leftovers_.store(), before);
}

}  // namespace
}  // namespace twinbox::testing
