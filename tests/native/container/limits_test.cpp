// Memory, processor and process limits, on whichever cgroup version the host has.
#include <gtest/gtest.h>
#include <signal.h>

#include "base/size.hpp"
#include "box_fixture.hpp"
#include "container/cgroup_layout.hpp"

namespace twinbox::testing {
namespace {

class ContainerLimits : public BoxFixture {
 protected:
  static bool unified() { return !container::host_cgroup_layout().unified.empty(); }
};

TEST_F(ContainerLimits, MemoryLimitKillsAndIsReported) {
  auto made = request(std::vector<std::string>{"tail", "/dev/zero"});  // holds all that it reads
  made.spec.resources.memory_bytes = 32 * base::mebibyte;

  const auto result = run(std::move(made));

  EXPECT_EQ(result.status(), 128 + SIGKILL);
  EXPECT_TRUE(result.outcome.oom_killed);
  EXPECT_FALSE(result.outcome.error);
}

TEST_F(ContainerLimits, MemoryLimitOnAChildIsReportedToo) {
  auto made = request("tail /dev/zero; echo $?");
  made.spec.resources.memory_bytes = 32 * base::mebibyte;

  const auto result = run(std::move(made));

  EXPECT_EQ(result.out, "137\n");
  EXPECT_EQ(result.status(), 0);
  EXPECT_TRUE(result.outcome.oom_killed);
}

TEST_F(ContainerLimits, AnOrdinaryKillIsNoOutOfMemory) {
  auto made = request("sh -c 'kill -KILL $$'; exit $?");
  made.spec.resources.memory_bytes = 32 * base::mebibyte;

  const auto result = run(std::move(made));

  EXPECT_EQ(result.status(), 128 + SIGKILL);
  EXPECT_FALSE(result.outcome.oom_killed);
}

TEST_F(ContainerLimits, SharedMemoryCountsAgainstTheLimit) {
  auto made = request("dd if=/dev/zero of=/dev/shm/file bs=1M count=60; echo $?");
  made.spec.resources.memory_bytes = 24 * base::mebibyte;

  const auto result = run(std::move(made));

  EXPECT_TRUE(result.outcome.oom_killed);
}

TEST_F(ContainerLimits, FilesMayFillHalfOfTheMemory) {
  auto made = request("dd if=/dev/zero of=/big bs=1M count=40 2>&1 | tail -3; wc -c < /big");
  made.spec.resources.memory_bytes = 64 * base::mebibyte;

  const auto result = run(std::move(made));

  EXPECT_NE(result.out.find("No space left on device"), std::string::npos) << result.out;
  EXPECT_FALSE(result.outcome.oom_killed);
}

// Making a box and executing its program takes more than these.
TEST_F(ContainerLimits, AProcesssLimitsAreNotTheRuntimes) {
  auto made = request("ulimit -f; ulimit -n; echo text > /tmp/file");
  made.spec.process.rlimits = {{"RLIMIT_FSIZE", 0, 0}, {"RLIMIT_NOFILE", 3, 3}};

  const auto result = run(std::move(made));

  EXPECT_FALSE(result.outcome.error) << result.outcome.error->what();
  EXPECT_EQ(result.out, "0\n3\n");
  EXPECT_NE(result.status(), 0);
}

TEST_F(ContainerLimits, ProcessLimitStopsForks) {
  auto made = request("for n in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done; echo all");
  made.spec.resources.pids = 5;

  const auto result = run(std::move(made));

  EXPECT_NE(result.err.find("fork"), std::string::npos) << result.err;
  EXPECT_EQ(result.out, "");
}

TEST_F(ContainerLimits, TheWorkloadSeesItsLimits) {
  const std::string script = unified() ? "cd /sys/fs/cgroup; cat memory.max cpu.max pids.max"
                                       : "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes; "
                                         "q=$(cat cpu*/cpu.cfs_quota_us); p=$(cat "
                                         "cpu*/cpu.cfs_period_us); echo $q $p; cat pids/pids.max";
  auto made = request(script);
  made.spec.resources = {64 * base::mebibyte, 0.5, 77};

  EXPECT_EQ(run(std::move(made)).out, "67108864\n50000 100000\n77\n");
}

TEST_F(ContainerLimits, CannotRaiseItsOwnLimit) {
  const auto result =
      run("for file in /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max; do "
          "[ -e $file ] && echo max > $file && echo raised; done; true");

  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find("Read-only file system"), std::string::npos) << result.err;
}

TEST_F(ContainerLimits, TooLittleMemoryToStartIsAClearError) {
  auto made = request("true");
  made.spec.resources.memory_bytes = 64 * base::kibibyte;

  const auto result = run(std::move(made));

  EXPECT_NE(result.status(), 0);
  EXPECT_TRUE(result.outcome.oom_killed || result.outcome.error);
}

TEST_F(ContainerLimits, TellsItsProcesses) {
  const auto engine = make_engine();
  RunningBox running(*engine, request("sleep 1000 & echo ready; wait"));
  running.wait_for_output("ready");

  EXPECT_EQ(running.box().processes().size(), 2U);

  running.box().signal(SIGKILL);
  running.finish();
  EXPECT_TRUE(running.box().processes().empty());
}

TEST_F(ContainerLimits, RemovesItsControlGroups) {
  auto made = request("echo ready; cat");
  const auto id = made.id;
  const auto engine = make_engine();
  RunningBox running(*engine, std::move(made));
  running.wait_for_output("ready");
  EXPECT_FALSE(control_groups_of(id).empty());

  running.finish();

  EXPECT_TRUE(control_groups_of(id).empty());
}

}  // namespace
}  // namespace twinbox::testing
