// The lab itself: streams, statuses, signals and files of commands in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "tests/lab/lab_run.hpp"

namespace twinbox::test {
namespace {

// Bytes without a pattern that a lost or doubled block could hide in.
std::string scrambled(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST(Lab, KeepsStreamsApartAndTheStatus) {
  const auto result = script_in_lab("echo out; echo err >&2; exit 7");
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST(Lab, HasHardwareVirtualizationAndCgroup2) {
  const auto result = script_in_lab(
      "test -c /dev/kvm && grep -qw svm /proc/cpuinfo && cat /sys/fs/cgroup/cgroup.controllers");
  EXPECT_EQ(result.status, 0) << result.err;
  for (const auto* controller : {"cpu", "memory", "pids", "io"}) {
    EXPECT_NE(result.out.find(controller), std::string::npos) << result.out;
  }
}

TEST(Lab, CarriesTenMegabytesByteForByte) {
  const auto sent = scrambled(10'000'000);
  const auto result = in_lab({"cat"}, sent);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(result.out == sent) << "got " << result.out.size() << " bytes";
}

TEST(Lab, NamesACommandThatIsNotThere) {
  const auto result = in_lab({"no-such-command"});
  EXPECT_EQ(result.status, 127);
  EXPECT_NE(result.err.find("no-such-command"), std::string::npos) << result.err;
}

TEST(Lab, PassesSignalsOn) {
  Running command({"twinbox", "lab", "exec", "--", "sh", "-c",
                   "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.1; done"});
  ASSERT_TRUE(command.wait_for_output("ready")) << command.wait().err;
  command.signal(SIGTERM);
  const auto result = command.wait();
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.out, "ready\ncaught\n");
}

TEST(Lab, BringsFilesBack) {
  const base::TemporaryDirectory directory;
  const auto out = (directory.path() / "results").string();
  const auto result = run({"twinbox", "lab", "exec", "--out", out, "--", "sh", "-c",
                           "mkdir /out/sub; echo deep >/out/sub/file; ln -s sub/file /out/link"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(base::read_file(out + "/sub/file"), "deep\n");
  EXPECT_EQ(std::filesystem::read_symlink(out + "/link"), "sub/file");
}

TEST(Lab, RunsSeveralCommandsAtOnce) {
  // Each waits until all four are there, which one after the other would never be.
  const std::string script =
      "touch /tmp/together.$0; until [ $(ls /tmp/together.* | wc -l) -ge 4 ]; do sleep 0.1; done; "
      "echo $0";
  std::vector<std::unique_ptr<Running>> commands;
  for (const auto* name : {"a", "b", "c", "d"}) {
    commands.push_back(std::make_unique<Running>(
        std::vector<std::string>{"twinbox", "lab", "exec", "--", "sh", "-c", script, name}));
  }
  std::string all;
  for (auto& command : commands) all += command->wait().out;
  std::erase(all, '\n');
  EXPECT_EQ(all, "abcd");
  script_in_lab("rm -f /tmp/together.*");
}

TEST(Lab, EndsACommandWhoseCallerWasKilled) {
  {
    Running command({"twinbox", "lab", "exec", "--", "sh", "-c",
                     "echo $$ >/tmp/orphan; echo ready; sleep 1000"});
    ASSERT_TRUE(command.wait_for_output("ready"));
    command.signal(SIGKILL);
    command.wait();
  }
  const auto gone = script_in_lab(
      "i=0; while kill -0 $(cat /tmp/orphan) 2>/dev/null; do sleep 0.1; i=$((i+1)); "
      "[ $i -lt 600 ] || exit 1; done");
  EXPECT_EQ(gone.status, 0) << "the command lives on";
}

// Runs a command with a pipe for its output that does not block, and reads it slowly.
constexpr const char* slow_reader = R"(
import os, subprocess, sys, time
read, write = os.pipe()
os.set_blocking(write, False)
command = subprocess.Popen(sys.argv[1:], stdout=write)
os.close(write)
count = 0
while part := os.read(read, 4096):
    count += len(part)
    if count < 200000: time.sleep(0.001)
print(count)
sys.exit(command.wait())
)";

TEST(DeterministicLab, EndsAsAWordOfTheShellDoesAndLosesNothing) {
  const auto result = run({"python3", "-c", slow_reader, TWINBOX_PROGRAM, "lab", "exec",
                           "--deterministic", "--", "eval", "head -c 1000000 /dev/zero; exit 3"});
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_EQ(result.out, "1000000\n");
}

// A root directory of its own, for a lab beside the suite's that is stopped at the end.
class OwnKeptLab : public testing::Test {
 protected:
  OwnKeptLab() {
    const char* const root = std::getenv("TWINBOX_ROOT");
    std::filesystem::create_directory_symlink(
        std::filesystem::path(root != nullptr ? root : "/var/lib/twinbox") / "kernels",
        root_.path() / "kernels");
  }
  ~OwnKeptLab() override { in_root({"twinbox", "lab", "stop"}); }

  const std::filesystem::path& root() const { return root_.path(); }
  RunResult in_root(std::vector<std::string> args) const {
    return run(std::move(args), {}, {"TWINBOX_ROOT=" + root_.path().string()});
  }

 private:
  const base::TemporaryDirectory root_;
};

// As though its contents had grown since: the memory it has would not do for what they are now.
TEST_F(OwnKeptLab, TakesTheDefaultMemoryAnewWhenItIsStartedAfresh) {
  const auto extra = (root() / "extra").string();
  base::write_file(extra, "old");
  const auto started = in_root({"twinbox", "lab", "start", "--with", extra});
  ASSERT_EQ(started.status, 0) << started.err;
  const auto file = root() / "lab/kept/state.json";
  auto state = base::read_file(file);
  const std::string member = "\"memory_bytes\": ";
  const auto number = state.find(member) + member.size();
  state.replace(number, state.find_first_not_of("0123456789", number) - number, "1048576");
  base::write_file(file, state);
  base::write_file(extra, "new");
  const auto result = in_root({"twinbox", "lab", "exec", "--", "cat", extra});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "new");
}

TEST(DeterministicLab, RepeatsToTheNanosecondAndBringsFilesBack) {
  const base::TemporaryDirectory directory;
  const auto run_into = [&](const std::string& name) {
    return run({"twinbox", "lab", "exec", "--deterministic", "--out",
                (directory.path() / name).string(), "--", "sh", "-c",
                "grep '^now at' /proc/timer_list; cat /proc/sys/kernel/random/uuid; "
                "echo err >&2; echo hello >/out/file; exit 5"});
  };
  const auto first = run_into("first");
  EXPECT_EQ(first.status, 5) << first.err;
  EXPECT_EQ(first.err, "err\n");
  ASSERT_NE(first.out.find("nsecs"), std::string::npos) << first.out;
  EXPECT_EQ(base::read_file(directory.path() / "first/file"), "hello\n");
  EXPECT_EQ(run_into("second").out, first.out);
}

// What is on its way when the command ends is not lost with the machine.
TEST(DeterministicLab, WaitsForAHostThatIsSlow) {
  const base::TemporaryDirectory directory;
  Running command({"twinbox", "lab", "exec", "--deterministic", "--out",
                   (directory.path() / "out").string(), "--", "sh", "-c",
                   "echo started; sleep 1; dd if=/dev/zero of=/out/file bs=1000 count=700; "
                   "head -c 700000 /dev/zero; exit 3"});
  ASSERT_TRUE(command.wait_for_output("started")) << command.wait().err;
  command.signal(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(5));  // the rest of the lab's life takes less
  command.signal(SIGCONT);
  const auto result = command.wait();
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_EQ(result.out.size(), 8U + 700'000);
  EXPECT_EQ(std::filesystem::file_size(directory.path() / "out/file"), 700'000U);
}

TEST(LabErrors, NameThePackageOfAMissingQemu) {
  const auto result =
      run({"twinbox", "lab", "exec", "--memory", "1g", "--", "true"}, {}, {"PATH=/nowhere"});
  EXPECT_EQ(result.status, 125);
  EXPECT_NE(result.err.find("qemu-system-x86"), std::string::npos) << result.err;
}

TEST(LabErrors, NameTheScriptThatFetchesAKernel) {
  const base::TemporaryDirectory root;
  const auto result =
      run({"twinbox", "lab", "exec", "--", "true"}, {}, {"TWINBOX_ROOT=" + root.path().string()});
  EXPECT_EQ(result.status, 125);
  EXPECT_NE(result.err.find("fetch-kernel"), std::string::npos) << result.err;
}

TEST(LabErrors, RefuseTooLittleAndTooMuchMemory) {
  const auto little = run({"twinbox", "lab", "exec", "--memory", "64m", "--", "true"});
  EXPECT_EQ(little.status, 125);
  EXPECT_NE(little.err.find("too little"), std::string::npos) << little.err;
  const auto much = run({"twinbox", "lab", "exec", "--memory", "4096g", "--", "true"});
  EXPECT_EQ(much.status, 125);
  EXPECT_NE(much.err.find("to spare"), std::string::npos) << much.err;
}

TEST(LabErrors, RefuseALabWithoutACommand) {
  const auto result = run({"twinbox", "lab", "exec"});
  EXPECT_EQ(result.status, 125);
  EXPECT_NE(result.err.find("no command"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace twinbox::test
