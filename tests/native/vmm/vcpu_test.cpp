// The KVM layer with bare-metal guests: exits, interrupts, doorbells, pause, faults.
#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "guest-images/bare-metal/platform.hpp"
#include "tests/native/vmm/bare_machine.hpp"
#include "tests/support/no_threads.hpp"
#include "vmm/kvm/vcpu_state.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::testing {
namespace {

namespace platform = guest::platform;
using kvm::VcpuState;

constexpr int debug_writes = 100;  // of the scenario count-exits

class Vcpu : public ::testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
};

TEST_F(Vcpu, RunsAGuestThatPrints) {
  BareMachine machine("hello");
  EXPECT_EQ(machine.thread->state(), VcpuState::created);
  machine.thread->resume();
  ASSERT_TRUE(machine.journal.wait_for_power_off());
  EXPECT_EQ(machine.journal.text(), "hello from bare metal\n");
}

TEST_F(Vcpu, EntersByPvhToo) {
  BareMachine machine("boot-info", "bare-metal-pvh");
  machine.thread->resume();
  ASSERT_TRUE(machine.journal.wait_for_power_off());
  EXPECT_TRUE(machine.journal.text().starts_with("pvh\nboot-info\n")) << machine.journal.text();
}

TEST_F(Vcpu, CountsExitsByReason) {
  BareMachine machine("count-exits");
  machine.thread->resume();
  ASSERT_TRUE(machine.journal.wait_for_power_off());
  machine.thread->stop();
  EXPECT_EQ(machine.journal.debug_writes(), debug_writes);
  EXPECT_EQ(machine.exits().at("mmio"), 50U);
  EXPECT_GE(machine.exits().at("io"), 100U);
  // What no device answers reads as all ones.
  EXPECT_NE(machine.journal.text().find("read=0xffffffff"), std::string::npos);
}

void expect_one_interrupt_per_edge(const std::string& scenario) {
  BareMachine machine(scenario);
  machine.thread->resume();
  ASSERT_TRUE(machine.journal.wait_for_text("ready\n"));
  for (int i = 1; i <= 5; ++i) {
    machine.vm.interrupt(platform::test_gsi);
    const auto expected = "interrupts=0x" + std::to_string(i) + "\n";
    ASSERT_TRUE(machine.journal.wait_for_text(expected)) << machine.journal.text();
  }
  EXPECT_TRUE(machine.journal.wait_for_power_off());
}

TEST_F(Vcpu, InterruptsTheGuestOncePerEdge) { expect_one_interrupt_per_edge("interrupts"); }

// Emulated hardware virtualization did so twice when its host's clock was up meanwhile.
TEST_F(Vcpu, InterruptsTheGuestOncePerEdgeThatItTakesLongOver) {
  expect_one_interrupt_per_edge("slow-interrupts");
}

TEST_F(Vcpu, DoorbellIsRungInKvm) {
  BareMachine machine("doorbell");
  const auto bell = base::make_eventfd();
  machine.vm.add_ioeventfd(platform::test_doorbell, platform::test_doorbell_value, bell.get());
  machine.thread->resume();
  ASSERT_TRUE(machine.journal.wait_for_power_off());
  machine.thread->stop();
  EXPECT_EQ(base::drain_eventfd(bell.get()), 3U);
  // Only the write of another value came to us.
  EXPECT_EQ(machine.exits().at("mmio"), 1U);
}

TEST_F(Vcpu, IsPausedByAKickAlthoughItNeverExits) {
  BareMachine machine("spin");
  machine.thread->resume();
  ASSERT_TRUE(machine.journal.wait_for_text("spinning\n"));
  for (int i = 0; i < 10; ++i) {
    machine.thread->pause();
    ASSERT_EQ(machine.thread->state(), VcpuState::paused);
    const auto rip = machine.vcpu->registers().rip;
    EXPECT_GE(rip, layout::high_ram);
    EXPECT_EQ(machine.vcpu->registers().rip, rip) << "it runs on while paused";
    machine.thread->resume();
  }
  machine.thread->stop();
  EXPECT_EQ(machine.thread->state(), VcpuState::stopped);
}

TEST_F(Vcpu, PausesLoseAndRepeatNothingTheGuestWrites) {
  BareMachine machine("count-exits");
  for (int i = 0; i < 200; ++i) {
    machine.thread->resume();
    machine.thread->pause();
  }
  machine.thread->resume();
  ASSERT_TRUE(machine.journal.wait_for_power_off());
  EXPECT_EQ(machine.journal.debug_writes(), debug_writes);
  EXPECT_TRUE(machine.journal.text().starts_with("read=0xffffffff\n"));
}

TEST_F(Vcpu, PauseBeforeTheFirstRunHoldsItBack) {
  BareMachine machine("hello");
  machine.thread->pause();
  EXPECT_EQ(machine.thread->state(), VcpuState::paused);
  EXPECT_EQ(machine.vcpu->registers().rip, layout::high_ram);
  machine.thread->resume();
  EXPECT_TRUE(machine.journal.wait_for_power_off());
}

TEST_F(Vcpu, StoppedStaysStopped) {
  BareMachine machine("spin");
  machine.thread->resume();
  ASSERT_TRUE(machine.journal.wait_for_text("spinning\n"));
  machine.thread->stop();
  machine.thread->resume();
  machine.thread->pause();
  EXPECT_EQ(machine.thread->state(), VcpuState::stopped);
}

TEST_F(Vcpu, NeedsRoomForItsThread) {
  const tests::NoThreads none;
  try {
    const BareMachine machine("hello");
    FAIL() << "it has a thread";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("the thread of vCPU 0"), std::string::npos) << error.what();
    EXPECT_NE(error.hint().find("pids.max"), std::string::npos) << error.what();
  }
}

TEST_F(Vcpu, IsNotMadeFromPartOfItsState) {
  BareMachine machine("hello");
  auto saved = kvm::save_vcpu(*machine.vcpu, machine.vm);
  saved.xsave.resize(100);
  kvm::TscSetter tsc;
  try {
    kvm::restore_vcpu(*machine.vcpu, machine.vm, saved, tsc);
    FAIL() << "it takes 100 bytes";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::unsupported);
    EXPECT_NE(error.message().find("has 100 bytes"), std::string::npos) << error.what();
  }
}

TEST_F(Vcpu, TripleFaultIsToldAsSuch) {
  BareMachine machine("fault");
  machine.thread->resume();
  const auto fault = machine.journal.wait_for_fault();
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->fault, kvm::VcpuFault::triple_fault);
  machine.thread->pause();  // returns, although the vCPU ended by itself
  EXPECT_EQ(machine.thread->state(), VcpuState::stopped);
}

}  // namespace
}  // namespace twinbox::vmm::testing
