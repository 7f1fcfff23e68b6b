// Virtio devices as a guest's driver sees them, through KVM's doorbells and interrupts.
#include <gtest/gtest.h>

#include "tests/native/vmm/monitor_fixture.hpp"

namespace twinbox::vmm::testing {
namespace {

using Virtio = MonitorFixture;

TEST_F(Virtio, DevicesAreInTheirSlots) {
  base::write_file(scratch("disk"), std::string(4096, '\0'));
  auto machine = config("virtio-probe");
  machine.disks.push_back({scratch("disk"), false});
  const auto result = run(machine);
  EXPECT_EQ(result.serial,
            "slot=0x0\nversion=0x2\ntype=0x2\n"   // the disk
            "slot=0x1\nversion=0x2\ntype=0x4\n"   // the entropy device
            "slot=0x2\nversion=0x2\ntype=0x5\n")  // the balloon
      << result.end().message;
}

TEST_F(Virtio, GuestFetchesEntropy) {
  const auto result = run("virtio-entropy");
  EXPECT_TRUE(result.printed("entropy: used=0x1\nneeds reset=0x0\nbytes=0x20\nall zero=0x0\n"))
      << result.serial;
}

TEST_F(Virtio, StatusMachineIsEnforced) {
  const auto result = run("virtio-status");
  EXPECT_EQ(result.serial,
            "after reset=0x0\n"
            "after negotiation=0xb\n"
            "running=0xf\n"
            "still running=0xf\n"
            "size of a queue that is not there=0x0\n"
            "after second reset=0x0\n");
}

TEST_F(Virtio, BadDescriptorsStopTheDeviceAndAResetMendsIt) {
  const auto result = run("virtio-bad-descriptor");
  EXPECT_EQ(result.reason(), EndReason::shutdown) << result.end().message;
  EXPECT_EQ(result.serial,
            "buffer outside of memory: used=0x0\nneeds reset=0x1\n"
            "chain without an end: used=0x0\nneeds reset=0x1\n"
            "head outside of the queue: used=0x0\nneeds reset=0x1\n"
            "after a reset: used=0x1\nneeds reset=0x0\n");
}

}  // namespace
}  // namespace twinbox::vmm::testing
