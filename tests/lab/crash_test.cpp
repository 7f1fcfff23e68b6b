// SIGKILL at any moment: whatever is killed, the next command finds nothing left.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "base/file.hpp"
#include "sandbox/paths.hpp"
#include "tests/lab/lab_run.hpp"

namespace twinbox::test {
namespace {

namespace fs = std::filesystem;

// Kills one of twinbox's processes at a random moment of a box's life, again and again, and
// compares what there is on the host with what there was. $1: seed, $2: rounds, $3: engine, $4: the
// longest wait in milliseconds.
constexpr const char* kill_rounds = R"sh(
seed=$1
random() { seed=$(((seed * 1103515245 + 12345) & 2147483647)); echo $((seed / 65536 % $1)); }
# The processes of twinbox.
ours() {
  ls -l /proc/[0-9]*/exe 2>/dev/null |
    sed -n 's!.*/proc/\([0-9]*\)/exe -> /usr/bin/twinbox\(-vmm\)\?$!\1!p'
}
# Everything that a box could leave behind.
snapshot() {
  ours
  find /sys/fs/cgroup -mindepth 1 -type d
  cat /proc/mounts
  find $TWINBOX_ROOT/boxes $TWINBOX_ROOT/lab $TWINBOX_ROOT/layers /tmp /run /dev/shm 2>/dev/null
  ls /sys/class/net
  ls -l /proc/[0-9]*/ns/ 2>/dev/null | sed -n 's/.* -> //p' | sort -u
}
twinbox run --rm --as $3 busybox true   # makes what is kept between boxes
twinbox image ls >/dev/null
touch /run/.output /run/.after /run/.before.$3  # so that they are in every snapshot
snapshot >/run/.before.$3
round=0
while [ $round -lt $2 ]; do
  round=$((round + 1))
  twinbox run --rm --die-with-parent --as $3 busybox sleep 3 >/run/.output 2>&1 &
  run=$!
  usleep $(($(random $4) * 1000))
  victims=$(ours); count=$(echo $victims | wc -w)
  victim=$run
  [ $count -eq 0 ] || victim=$(echo $victims | cut -d ' ' -f $(($(random $count) + 1)))
  kill -KILL $victim 2>/dev/null
  wait $run  # which notices, or has nothing to do with it and ends by itself
  tries=0
  until twinbox image ls >/dev/null && snapshot >/run/.after && cmp -s /run/.before.$3 /run/.after; do
    tries=$((tries + 1))
    if [ $tries -ge 100 ]; then
      echo "round $round: left after killing $victim of: $victims (command: $run)"
      diff /run/.before.$3 /run/.after
      exit 1
    fi
    sleep 0.1
  done
done
echo "rounds=$round"
)sh";

RunResult kill_at_random(const char* engine, int rounds, int longest_wait_ms) {
  return in_lab({"sh", "-c", kill_rounds, "sh", "20240607", std::to_string(rounds), engine,
                 std::to_string(longest_wait_ms)});
}

TEST(SigkillAtARandomMoment, LeavesNothingOfAContainer) {
  const auto result = kill_at_random("container", 36, 400);
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_NE(result.out.find("rounds=36"), std::string::npos) << result.out << result.err;
}

TEST(SigkillAtARandomMoment, LeavesNothingOfAMachine) {
  const auto result = kill_at_random("vm", 14, 3000);
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_NE(result.out.find("rounds=14"), std::string::npos) << result.out << result.err;
}

// A root of its own, so that the lab of the suite stays out of it.
class KilledLab : public testing::Test {
 protected:
  KilledLab() {
    fs::create_directory_symlink(sandbox::data_root() / "kernels", root_.path() / "kernels");
    // A command that is killed at once may not get as far as to make it.
    fs::create_directory(root_.path() / "cache");
  }
  std::vector<std::string> environment() const { return {"TWINBOX_ROOT=" + root_.path().string()}; }
  RunResult twinbox(std::vector<std::string> args) const {
    args.insert(args.begin(), "twinbox");
    return run(std::move(args), {}, environment());
  }
  // The processes that have a file of this root open or mapped, or its name on the command line.
  std::string processes() const {
    return run({"sh", "-c",
                "for p in /proc/[0-9]*; do [ $p != /proc/$$ ] && grep -qa \"$0\" $p/cmdline "
                "2>/dev/null && echo ${p##*/}; done; true",
                root_.path().string()})
        .out;
  }

  const fs::path& root_path() const { return root_.path(); }

 private:
  base::TemporaryDirectory root_;
};

TEST_F(KilledLab, LeavesNothingWhenItsSupervisorDies) {
  const auto start = twinbox({"lab", "start"});
  ASSERT_EQ(start.status, 0) << start.err;
  const auto status = twinbox({"lab", "status"});
  int supervisor = 0;
  ASSERT_EQ(std::sscanf(status.out.c_str(), "running: process %d,", &supervisor), 1) << status.out;
  ASSERT_NE(processes(), "") << "QEMU was not found";
  ::kill(supervisor, SIGKILL);
  RunResult after = twinbox({"lab", "status"});
  for (int tries = 0; tries < 600 && (after.status == 0 || !processes().empty()); ++tries) {
    run({"sleep", "0.1"});
    after = twinbox({"lab", "status"});
  }
  EXPECT_EQ(after.out, "not running\n");
  EXPECT_EQ(processes(), "");
  EXPECT_FALSE(fs::exists(root_path() / "lab/kept"));
}

TEST_F(KilledLab, LeavesNothingWhenItsCommandDies) {
  for (const auto* wait : {"0.02", "0.2", "0.7", "2.5"}) {
    Running command({"twinbox", "lab", "exec", "--", "sleep", "1000"}, {}, environment());
    run({"sleep", wait});
    command.signal(SIGKILL);
    command.wait();
    twinbox({"lab", "status"});
    std::string left = processes();
    for (int tries = 0; tries < 600 && !left.empty(); ++tries) {
      run({"sleep", "0.1"});
      left = processes();
    }
    EXPECT_EQ(left, "") << "after " << wait << " s";
    for (const auto& file : fs::recursive_directory_iterator(root_path() / "cache")) {
      EXPECT_NE(file.path().extension(), ".draft") << file.path();
    }
  }
}

}  // namespace
}  // namespace twinbox::test
