// SIGKILL at any moment of a QEMU box leaves nothing that the next command does not undo.

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

#include "tests/native/qemu/qemu_fixture.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

class QemuSigkill : public QemuFixture {
 protected:
  void expect_nothing_is_left_after_the_next_command() const {
    const auto next = start_here({"run", "--rm", "busybox", "echo", "next"}).finish();
    EXPECT_EQ(next.status, 0);
    EXPECT_EQ(next.out, "next\n");
    EXPECT_EQ(next.err, "");
    // A supervisor dies with its command, but not at the same instant.
    for (int i = 0; i < 3000 && !names_in(root() / "boxes").empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      start_here({"image", "ls"}).finish();
    }
    EXPECT_EQ(names_in(root() / "boxes"), Words{});
    EXPECT_EQ(names_in(run_directory() / "libvirt"), Words{});
    EXPECT_EQ(qemus(), Words{});
  }
};

TEST_F(QemuSigkill, OfARunningBoxLeavesNothing) {
  auto victim = start_box({"busybox", "sh", "-c", "echo ready; sleep 1000"});
  victim.wait_for_output("ready\n");
  victim.signal(SIGKILL);
  victim.finish();
  ASSERT_EQ(qemus().size(), 1U) << "nobody has ended it yet";
  expect_nothing_is_left_after_the_next_command();
}

TEST_F(QemuSigkill, AtRandomMomentsLeavesNothing) {
  constexpr unsigned seed = 20240229;
  std::mt19937 random(seed);
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE("round " + std::to_string(round) + " of seed " + std::to_string(seed));
    // Half of them have to ask QEMU first what it can do, by QEMUs that have no box.
    if (round % 2 == 1) fs::remove_all(root() / "cache/libvirt");
    auto victim = start_box({"busybox", "true"});
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1500));
    victim.signal(SIGKILL);
    victim.finish();
    expect_nothing_is_left_after_the_next_command();
  }
}

}  // namespace
}  // namespace twinbox::testing
