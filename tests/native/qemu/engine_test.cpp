// A workload in QEMU behaves as it does in any other box.

#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/processor.hpp"
#include "tests/native/qemu/qemu_fixture.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

using Qemu = QemuFixture;

TEST_F(Qemu, RunsTheGuestsKernelAndStampsTheMarks) {
  const auto marks_file = scratch() / "marks.json";
  const auto result =
      run_box({"--marks", marks_file.string(), "busybox", "busybox", "uname", "-r"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, base::read_file(root() / "kernels/stock/version"));
  EXPECT_EQ(result.err, "");
  const auto json = base::parse_json(base::read_file(marks_file), "marks");
  const base::JsonView marks(json, "marks");
  std::uint64_t last = 0;
  for (const auto* const mark : {"entered", "created", "booted", "executed", "gone"}) {
    const auto time = marks.get<std::uint64_t>(mark);
    EXPECT_GE(time, last) << mark;
    last = time;
  }
  EXPECT_EQ(names_in(root() / "boxes"), Words{});
  EXPECT_EQ(names_in(run_directory() / "libvirt"), Words{});
  EXPECT_EQ(qemus(), Words{});
}

TEST_F(Qemu, KeepsStreamsApartAndTheStatus) {
  const auto result = run_box({"-e", "A=b c", "-w", "/tmp", "busybox", "sh", "-c",
                               "echo \"$A\"; pwd; echo err >&2; exit 7"});
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out, "b c\n/tmp\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST_F(Qemu, TellsACommandThatIsNotThere) {
  const auto result = run_box({"busybox", "no-such-command"});
  EXPECT_EQ(result.status, 127);
  EXPECT_NE(result.err.find("no-such-command"), std::string::npos) << result.err;
}

TEST_F(Qemu, EchoesTenMegabytes) {
  std::string input(10'000'000, '\0');
  std::mt19937 random(1);
  for (auto& byte : input) byte = static_cast<char>(random());
  const auto result = run_box({"busybox", "cat"}, input);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(result.out == input) << result.out.size() << " bytes came back";
}

TEST_F(Qemu, PassesOnSignals) {
  auto box = start_box({"busybox", "sh", "-c",
                        "trap 'echo told; exit 3' TERM; echo ready; while :; do sleep 0.1; done"});
  box.wait_for_output("ready\n");
  box.signal(SIGTERM);
  const auto result = box.finish();
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_EQ(result.out, "ready\ntold\n");
}

TEST_F(Qemu, IsAsLargeAsTheLimits) {
  const auto result = run_box({"--memory", "96m", "--cpus", "2", "busybox", "sh", "-c",
                               "busybox nproc; busybox grep MemTotal /proc/meminfo"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out.substr(0, 2), "2\n");
  const auto kilobytes = std::stoul(result.out.substr(result.out.find_first_of("0123456789", 2)));
  EXPECT_LE(kilobytes, 96U * 1024);
  EXPECT_GE(kilobytes, 48U * 1024) << "the rest is the kernel's";
}

TEST_F(Qemu, StandsInForTheMonitorWhereTheProcessorCannotAndSaysSo) {
  if (base::processor_virtualizes()) GTEST_SKIP() << "this processor has VT-x or SVM";
  const auto result =
      start_here({"run", "--rm", "--as", "vm", "busybox", "busybox", "uname", "-r"}).finish();
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out, base::read_file(root() / "kernels/stock/version"));
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("QEMU"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("twinbox lab exec -- twinbox run --as vm busybox busybox uname -r"),
            std::string::npos)
      << result.err;
}

TEST_F(Qemu, RefusesAMachineThatCannotBe) {
  const auto result = run_box({"--memory", "32m", "busybox", "true"});
  EXPECT_EQ(result.status, 125);
  EXPECT_NE(result.err.find("cannot boot a kernel"), std::string::npos) << result.err;
}

TEST_F(Qemu, TellsOfMemoryThatTheHostHasNot) {
  const auto result = run_box({"--memory", "900g", "busybox", "true"});
  EXPECT_EQ(result.status, 125);
  EXPECT_NE(result.err.find("does not give a machine 900"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("--memory"), std::string::npos) << result.err;
}

TEST_F(Qemu, NamesThePackageThatIsMissing) {
  const auto result = Command(TWINBOX_PROGRAM, {"run", "--rm", "--as", "qemu", "busybox", "true"},
                              {"TWINBOX_ROOT=" + root().string(), "PATH=/nonexistent"})
                          .finish();
  EXPECT_EQ(result.status, 125);
  EXPECT_NE(result.err.find("qemu-system-x86"), std::string::npos) << result.err;
}

TEST_F(Qemu, TellsWhyAGuestWasLost) {
  auto box = start_box({"busybox", "sh", "-c", "echo ready; sleep 1000"});
  box.wait_for_output("ready\n");
  const auto machines = qemus();
  ASSERT_EQ(machines.size(), 1U);
  // It runs while its box does, and twinbox, its new parent, has not waited for it yet.
  ASSERT_EQ(::kill(std::stoi(machines[0]), SIGKILL), 0);
  const auto result = box.finish();
  EXPECT_EQ(result.status, 125);
  EXPECT_NE(result.err.find("lost while its workload ran"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace twinbox::testing
