// `twinbox run`: streams, statuses, signals, the workload's surroundings.

#include <sys/stat.h>

#include <csignal>

#include "sandbox/marks.hpp"
#include "tests/native/cli/cli_fixture.hpp"

namespace twinbox::testing {
namespace {

// Both engines that run natively everywhere keep the same promises.
class Run : public CliFixture, public ::testing::WithParamInterface<const char*> {
 protected:
  Words in_box(const Words& rest) const {
    Words words{"run", "--rm", "--as", GetParam()};
    words.insert(words.end(), rest.begin(), rest.end());
    return words;
  }
  CommandResult sh(const std::string& script, std::string input = {}) const {
    return twinbox(in_box({"-i", "busybox", "sh", "-c", script}), std::move(input));
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, Run, ::testing::Values("container", "process"),
                         [](const auto& given) { return std::string(given.param); });

TEST_P(Run, KeepsStreamsApartAndTheStatus) {
  const auto result = sh("echo out; echo err >&2; exit 7");
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST_P(Run, EchoesTenMegabytesByteForByte) {
  std::string input(10 << 20, '\0');
  unsigned state = 1;
  for (auto& byte : input)
    byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  const auto result = twinbox(in_box({"-i", "busybox", "cat"}), input);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(result.out == input) << result.out.size() << " bytes came back";
}

TEST_P(Run, GivesNoInputUnlessAsked) {
  EXPECT_EQ(twinbox(in_box({"busybox", "wc", "-c"}), "typed").out, "0\n");
}

TEST_P(Run, DoesNotWaitForInputThatTheWorkloadNeverReads) {
  EXPECT_EQ(twinbox(in_box({"-i", "busybox", "true"}), std::string(1 << 20, 'x')).status, 0);
}

TEST_P(Run, ForwardsSignals) {
  // The trap says when it is set; then each signal is counted, and TERM ends it.
  auto command = start(in_box({"busybox", "sh", "-c",
                               "trap 'echo usr1' USR1; trap 'echo hup' HUP; trap 'echo int' INT; "
                               "trap 'echo term; exit 9' TERM; echo ready; "
                               "while :; do sleep 0.01; done"}));
  command.wait_for_output("ready");
  command.signal(SIGUSR1);
  command.wait_for_output("usr1");
  command.signal(SIGHUP);
  command.wait_for_output("hup");
  command.signal(SIGINT);
  command.wait_for_output("int");
  command.signal(SIGTERM);
  const auto result = command.finish();
  EXPECT_EQ(result.status, 9) << result.err;
  EXPECT_TRUE(result.out.ends_with("term\n")) << result.out;
}

TEST_P(Run, ReportsCommandsThatCannotRun) {
  const auto missing = twinbox(in_box({"busybox", "no-such-command"}));
  EXPECT_EQ(missing.status, 127);
  EXPECT_NE(missing.err.find("no-such-command"), std::string::npos) << missing.err;
  const auto text = twinbox(in_box({"busybox", "/etc/passwd"}));
  EXPECT_EQ(text.status, 126);
  EXPECT_NE(text.err.find("/etc/passwd"), std::string::npos) << text.err;
}

TEST_P(Run, ReportsAWorkloadKilledByASignal) {
  EXPECT_EQ(sh("sh -c 'kill -9 $$'; exit $?").status, 137);
}

TEST_P(Run, GivesVariablesUserAndDirectory) {
  const auto result =
      twinbox(in_box({"-e", "GREETING=hello world", "-w", "/tmp", "-u", "web", "busybox", "sh",
                      "-c", "echo $GREETING; pwd; id -u; id -g; echo $HOME; echo $PATH"}));
  EXPECT_EQ(result.out,
            "hello world\n/tmp\n33\n34\n/tmp\n"
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")
      << result.err;
}

TEST_P(Run, KeepsACommandsOwnFlags) {
  EXPECT_EQ(twinbox(in_box({"busybox", "echo", "--memory", "-e", "--"})).out, "--memory -e --\n");
}

TEST_P(Run, ResetsWhatTwinboxIgnoresItself) {
  // A writer whose reader goes away ends by SIGPIPE, as under a shell: not with an endless error.
  const auto result = sh("while :; do echo y; done | head -n 1; echo done");
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out, "y\ndone\n");
}

TEST_P(Run, LeavesTheImageAsItWas) {
  EXPECT_EQ(sh("echo changed >/etc/passwd; touch /new; exit 0").status, 0);
  EXPECT_EQ(sh("cat /etc/passwd | head -n 1; test ! -e /new").out, "root:x:0:0::/root:/bin/sh\n");
}

TEST_P(Run, LeavesNothingBehind) {
  EXPECT_EQ(sh("touch /tmp/file").status, 0);
  EXPECT_EQ(names_in(root() / "boxes"), Words{});
  EXPECT_EQ(names_in(root() / "work"), Words{});
}

TEST_P(Run, WritesItsMarksInOrder) {
  const auto file = scratch() / "marks.json";
  ASSERT_EQ(twinbox(in_box({"--marks", file, "busybox", "true"})).status, 0);
  const auto marks = sandbox::Marks::from_json(base::read_file(file), file.string());
  using sandbox::Mark;
  std::uint64_t last = 0;
  ASSERT_TRUE(marks.at(Mark::created));  // by the parent, so before or after what the child stamps
  for (const auto mark : {Mark::entered, Mark::booted, Mark::executed, Mark::gone}) {
    ASSERT_TRUE(marks.at(mark)) << to_string(mark);
    EXPECT_GE(*marks.at(mark), last) << to_string(mark);
    last = *marks.at(mark);
  }
}

class Container : public CliFixture {};

TEST_F(Container, HasItsOwnHostname) {
  EXPECT_EQ(twinbox({"run", "--rm", "--hostname", "inside", "busybox", "hostname"}).out,
            "inside\n");
  EXPECT_EQ(twinbox({"run", "--rm", "busybox", "hostname"}).out.size(), 13U) << "the box's id";
}

TEST_F(Container, RefusesWritesToAReadOnlyRoot) {
  const auto result = twinbox({"run", "--rm", "--read-only", "busybox", "touch", "/file"});
  EXPECT_NE(result.status, 0);
  EXPECT_NE(result.err.find("Read-only file system"), std::string::npos) << result.err;
}

TEST_F(Container, KeepsToItsLimitOfProcesses) {
  const auto result = twinbox({"run", "--rm", "--pids-limit", "4", "busybox", "sh", "-c",
                               "for i in 1 2 3 4 5 6 7 8; do sleep 60 & done; echo all"});
  EXPECT_EQ(result.out.find("all"), std::string::npos) << "eight processes in a box for four";
}

TEST_F(Container, IsTheDefaultKindOfBox) {
  EXPECT_EQ(twinbox({"run", "--rm", "busybox", "sh", "-c", "echo $$"}).out, "1\n");
}

}  // namespace
}  // namespace twinbox::testing
