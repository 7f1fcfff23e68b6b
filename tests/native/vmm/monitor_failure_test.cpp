// What the monitor says when a guest, or what it was given, is no good.
#include <gtest/gtest.h>
#include <sched.h>

#include <chrono>
#include <thread>
#include <vector>

#include "base/size.hpp"
#include "tests/native/vmm/monitor_fixture.hpp"
#include "tests/unit/vmm/boot/test_kernel.hpp"

namespace twinbox::vmm::testing {
namespace {

using MonitorFailure = MonitorFixture;

// Keeps this thread, and what it starts, on one processor, with four that never sleep.
class BusyProcessor {
 public:
  BusyProcessor() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    ::sched_setaffinity(0, sizeof one, &one);
    for (int i = 0; i < 4; ++i) {
      hogs_.emplace_back([](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
        }
      });
    }
  }
  BusyProcessor(const BusyProcessor&) = delete;
  BusyProcessor& operator=(const BusyProcessor&) = delete;
  ~BusyProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_{};
  std::vector<std::jthread> hogs_;
};

::testing::AssertionResult mentions(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << text << "' does not mention '" << part << "'";
}

TEST_F(MonitorFailure, TripleFaultIsNamedWithItsPlace) {
  const auto result = run("fault");
  EXPECT_EQ(result.reason(), EndReason::triple_fault) << result.end().message;
  EXPECT_TRUE(mentions(result.end().message, "triple fault"));
  EXPECT_FALSE(result.end().hint.empty());
  // The guest has told where it would fault. SVM forgets the place, and then that is said.
  const auto line = result.serial.find("faulting at=");
  ASSERT_NE(line, std::string::npos) << result.serial;
  const auto place = std::stoull(result.serial.substr(line + 12), nullptr, 16);
  if (result.end().message.find("does not keep the place") == std::string::npos) {
    EXPECT_EQ(result.end().rip, place) << result.end().message;
    EXPECT_TRUE(mentions(result.end().message, "RIP 0x"));
  }
}

TEST_F(MonitorFailure, ResetByTripleFaultIsNoFailure) {
  const auto result = run("reset-by-fault");
  if (result.end().message.find("does not keep the place") != std::string::npos) {
    GTEST_SKIP() << "SVM does not tell a reset by triple fault from another one";
  }
  EXPECT_EQ(result.reason(), EndReason::reset) << result.end().message;
}

TEST_F(MonitorFailure, GuestThatDoesNotComeUpIsEnded) {
  for (const auto* scenario : {"spin", "halt"}) {
    auto machine = config(scenario);
    machine.boot_limit_ms = 1500;
    const auto result = run(machine);
    EXPECT_EQ(result.reason(), EndReason::boot_limit) << result.end().message;
    EXPECT_TRUE(mentions(result.end().message, "1500 ms"));
    EXPECT_TRUE(mentions(result.end().message, "RIP 0x10"));
    EXPECT_TRUE(result.end().rip);
    EXPECT_FALSE(result.end().hint.empty());
  }
}

TEST_F(MonitorFailure, GuestThatTheHostStarvesIsNotEnded) {
  const BusyProcessor processor;  // all that is started from here on shares it with others
  auto machine = config("spin");
  machine.boot_limit_ms = 1000;
  base::EventLoop loop;
  bool ended = false;
  MonitorProcess monitor(loop, machine, [&](const MonitorReport&) { ended = true; });
  const auto start = std::chrono::steady_clock::now();
  const auto past = [&] { return std::chrono::steady_clock::now() - start; };
  while (past() < std::chrono::seconds(3)) loop.run_once(std::chrono::milliseconds(100));
  EXPECT_FALSE(ended) << "it has had a fifth of three seconds";
}

TEST_F(MonitorFailure, GuestThatCameUpIsNotEnded) {
  auto machine = config("marks");
  machine.boot_limit_ms = 100'000;
  EXPECT_EQ(run(machine).reason(), EndReason::shutdown);
}

TEST_F(MonitorFailure, ResetBeforeTheGuestCameUpIsToldAsItsPanic) {
  auto machine = config("reset-by-register");
  machine.boot_limit_ms = 100'000;
  const auto result = run(machine);
  EXPECT_EQ(result.reason(), EndReason::reset);
  EXPECT_TRUE(mentions(result.end().message, "panicked"));
}

TEST_F(MonitorFailure, BadKernelsAreNamed) {
  base::write_file(scratch("text"), "no kernel at all");
  base::write_file(scratch("short"), boot::TestKernel().file().substr(0, 5000));
  for (const auto& name : {scratch("missing"), scratch("text"), scratch("short")}) {
    auto machine = config("hello");
    machine.kernel = name;
    const auto result = run(machine);
    EXPECT_EQ(result.reason(), EndReason::setup_error);
    EXPECT_TRUE(mentions(result.end().message, name));
  }
}

TEST_F(MonitorFailure, InitrdLargerThanMemoryIsNamed) {
  base::write_file(scratch("initrd"), std::string(16 * base::mebibyte, 'i'));
  auto machine = config("hello");
  machine.initrd = scratch("initrd");
  const auto result = run(machine);
  EXPECT_EQ(result.reason(), EndReason::setup_error);
  EXPECT_TRUE(mentions(result.end().message, scratch("initrd")));
  EXPECT_TRUE(mentions(result.end().message, "16.0 MiB"));
}

TEST_F(MonitorFailure, OneMebibyteIsTooLittle) {
  auto machine = config("hello");
  machine.memory_bytes = base::mebibyte;
  const auto result = run(machine);
  EXPECT_EQ(result.reason(), EndReason::setup_error);
  EXPECT_TRUE(mentions(result.end().message, "1.0 MiB"));
  EXPECT_FALSE(result.end().hint.empty());
}

TEST_F(MonitorFailure, ProcessorsHaveALimit) {
  for (const unsigned cpus : {0U, 9U}) {
    auto machine = config("hello");
    machine.cpus = cpus;
    EXPECT_EQ(run(machine).reason(), EndReason::setup_error) << cpus;
  }
  auto machine = config("hello");
  machine.cpus = 8;
  EXPECT_EQ(run(machine).reason(), EndReason::shutdown);
}

TEST_F(MonitorFailure, MissingDiskIsNamed) {
  auto machine = config("hello");
  machine.disks.push_back({scratch("no-disk"), false});
  const auto result = run(machine);
  EXPECT_EQ(result.reason(), EndReason::setup_error);
  EXPECT_TRUE(mentions(result.end().message, scratch("no-disk")));
}

}  // namespace
}  // namespace twinbox::vmm::testing
