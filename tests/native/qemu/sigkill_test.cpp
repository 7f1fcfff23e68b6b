// SIGKILL at any moment of a QEMU box leaves nothing that the next command does not undo.

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

#include "qemu/libvirt/embedded_driver.hpp"
#include "tests/native/qemu/qemu_fixture.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

using QemuSigkill = QemuFixture;

TEST_F(QemuSigkill, OfARunningBoxLeavesNothing) {
  std::string id;
  std::string driver;
  {
    auto victim = start_box({"busybox", "sh", "-c", "echo ready; sleep 1000"});
    victim.wait_for_output("ready\n");
    const auto ids = names_in(root() / "boxes");
    ASSERT_EQ(ids.size(), 1U);
    id = ids[0];
    const auto qemus = qemus_of(id);
    ASSERT_EQ(qemus.size(), 1U);
    // ...,"file":"/run/twinbox/libvirt/DIRECTORY/lib/..."
    const auto parent = qemu::libvirt::driver_directories().string() + "/";
    const auto argument = argument_of(qemus[0], parent);
    ASSERT_NE(argument, "");
    driver = argument.substr(argument.find(parent) + parent.size(), 12);
    ASSERT_TRUE(fs::exists(parent + driver));
    victim.signal(SIGKILL);
    victim.finish();
    ASSERT_EQ(qemus_of(id).size(), 1U) << "nobody has ended it yet";
  }
  const auto next = twinbox({"run", "busybox", "echo", "next"});
  EXPECT_EQ(next.status, 0);
  EXPECT_EQ(next.err, "");
  EXPECT_EQ(qemus_of(id), Words{});
  EXPECT_FALSE(fs::exists(qemu::libvirt::driver_directories() / driver));
  EXPECT_EQ(names_in(root() / "boxes"), Words{});
}

TEST_F(QemuSigkill, AtRandomMomentsLeavesNothing) {
  constexpr unsigned seed = 20240229;
  std::mt19937 random(seed);
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE("round " + std::to_string(round) + " of seed " + std::to_string(seed));
    Words ids;
    {
      auto victim = start_box({"busybox", "true"});
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1500));
      victim.signal(SIGKILL);
      victim.finish();
      ids = names_in(root() / "boxes");
    }
    const auto next = twinbox({"run", "busybox", "echo", "next"});
    ASSERT_EQ(next.status, 0) << next.err;
    EXPECT_EQ(next.err, "");
    EXPECT_EQ(names_in(root() / "boxes"), Words{});
    for (const auto& id : ids) EXPECT_EQ(qemus_of(id), Words{}) << id;
  }
}

}  // namespace
}  // namespace twinbox::testing
