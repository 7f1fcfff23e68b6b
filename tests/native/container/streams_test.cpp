// Streams, statuses, signals, environment, user and directory of a workload.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "box_fixture.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

class ContainerStreams : public BoxFixture {};

TEST_F(ContainerStreams, KeepsOutputErrorAndStatusApart) {
  const auto result = run("echo out; echo err >&2; exit 7");

  EXPECT_FALSE(result.outcome.error) << result.outcome.error->what();
  EXPECT_EQ(result.status(), 7);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST_F(ContainerStreams, PassesStandardInputUnchanged) {
  std::string bytes;
  for (int index = 0; index < 50'000; ++index) bytes += static_cast<char>(index * 7 + index / 256);

  const auto result = run(request(std::vector<std::string>{"cat"}), bytes);

  EXPECT_EQ(result.status(), 0);
  EXPECT_EQ(result.out, bytes);
}

TEST_F(ContainerStreams, StampsItsMarksInOrder) {
  const auto result = run("true");

  using sandbox::Mark;
  const auto at = [&](Mark mark) { return result.marks.at(mark).value_or(0); };
  EXPECT_GT(at(Mark::created), 0U);
  EXPECT_GT(at(Mark::booted), at(Mark::created) / 2);
  EXPECT_GT(at(Mark::executed), at(Mark::booted));
  EXPECT_GT(at(Mark::gone), at(Mark::executed));
}

TEST_F(ContainerStreams, ReportsACommandThatIsNotThere) {
  const auto result = run(request(std::vector<std::string>{"no-such-command"}));

  EXPECT_EQ(result.status(), 127);
  ASSERT_TRUE(result.outcome.error);
  EXPECT_NE(std::string(result.outcome.error->what()).find("no-such-command"), std::string::npos);
  EXPECT_FALSE(result.marks.at(sandbox::Mark::executed));
}

TEST_F(ContainerStreams, ReportsAFileThatIsNoProgram) {
  base::write_file(image() / "bin/plain", "just text\n");

  const auto result = run(request(std::vector<std::string>{"plain"}));

  EXPECT_EQ(result.status(), 126);
  ASSERT_TRUE(result.outcome.error);
}

TEST_F(ContainerStreams, ReportsAScriptWithoutInterpreterLine) {
  add_program("/bin/script", "echo hello\n");

  const auto result = run(request(std::vector<std::string>{"/bin/script"}));

  EXPECT_EQ(result.status(), 126);
  ASSERT_TRUE(result.outcome.error);
}

TEST_F(ContainerStreams, ReportsAMissingInterpreter) {
  add_program("/bin/script", "#!/bin/python9\n");

  const auto result = run(request(std::vector<std::string>{"/bin/script"}));

  EXPECT_EQ(result.status(), 127);
  ASSERT_TRUE(result.outcome.error);
}

TEST_F(ContainerStreams, RunsAScript) {
  add_program("/bin/script", "#!/bin/sh\necho \"$0 $1\"\n");

  const auto result = run(request(std::vector<std::string>{"script", "argument"}));

  EXPECT_EQ(result.out, "/bin/script argument\n");
}

TEST_F(ContainerStreams, ReportsTheSignalThatEndedIt) {
  // PID 1 is deaf to signals it does not handle, so a child of it dies.
  EXPECT_EQ(run("sh -c 'kill -TERM $$'; exit $?").status(), 128 + SIGTERM);
}

TEST_F(ContainerStreams, DeliversASignal) {
  const auto engine = make_engine();
  RunningBox running(
      *engine,
      request("trap 'echo caught; exit 3' TERM; echo waiting; while :; do sleep 0.05; done"));
  running.wait_for_output("waiting");

  running.box().signal(SIGTERM);

  const auto result = running.finish();
  EXPECT_EQ(result.out, "waiting\ncaught\n");
  EXPECT_EQ(result.status(), 3);
}

TEST_F(ContainerStreams, KeepsASignalUntilTheWorkloadRuns) {
  const auto engine = make_engine();
  RunningBox running(*engine, request("sleep 1000"));

  running.box().signal(SIGKILL);  // no event was dispatched yet

  const auto result = running.finish();
  EXPECT_EQ(result.status(), 128 + SIGKILL);
  EXPECT_TRUE(result.marks.at(sandbox::Mark::executed));
  running.box().signal(SIGTERM);  // dropped after the end
}

TEST_F(ContainerStreams, GivesTheEnvironmentOfTheSpecAndNoOther) {
  auto made = request(std::vector<std::string>{"env"});
  made.spec.process.env = {"PATH=/bin", "GREETING=hello world"};

  EXPECT_EQ(run(std::move(made)).out, "PATH=/bin\nGREETING=hello world\n");
}

TEST_F(ContainerStreams, LooksForTheCommandAlongTheWorkloadsPath) {
  add_program("/opt/tools/mytool", "#!/bin/sh\necho found\n");
  auto made = request(std::vector<std::string>{"mytool"});
  made.spec.process.env = {"PATH=/nowhere:/opt/tools"};

  EXPECT_EQ(run(std::move(made)).out, "found\n");
}

TEST_F(ContainerStreams, StartsInTheWorkingDirectory) {
  auto made = request(std::vector<std::string>{"pwd"});
  made.spec.process.cwd = "/srv/made/for/it";

  EXPECT_EQ(run(std::move(made)).out, "/srv/made/for/it\n");
}

TEST_F(ContainerStreams, BecomesTheUser) {
  auto made = request("id -u; id -g; id -G; grep -E 'CapEff|CapPrm|CapAmb' /proc/self/status");
  made.spec.process.user = {1000, 1001, {1002, 1003}};

  EXPECT_EQ(run(std::move(made)).out,
            "1000\n1001\n1001 1002 1003\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
            "CapAmb:\t0000000000000000\n");
}

TEST_F(ContainerStreams, StartsWithDefaultSignals) {
  // 33 is one of the two that the C library keeps to itself, so ignore it behind its back.
  struct {
    std::uint64_t handler, flags, restorer, mask;
  } ignored{1, 0, 0, 0}, before{}, before_pipe{};
  ASSERT_EQ(::syscall(SYS_rt_sigaction, 33, &ignored, &before, 8), 0);
  ASSERT_EQ(::syscall(SYS_rt_sigaction, SIGPIPE, &ignored, &before_pipe, 8), 0);

  const auto result =
      run(request(std::vector<std::string>{"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"}));

  ::syscall(SYS_rt_sigaction, 33, &before, nullptr, 8);
  ::syscall(SYS_rt_sigaction, SIGPIPE, &before_pipe, nullptr, 8);
  EXPECT_EQ(result.out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(ContainerStreams, SetsResourceLimits) {
  auto made = request("ulimit -n; ulimit -Hn; ulimit -c");
  made.spec.process.rlimits = {{"RLIMIT_NOFILE", 128, 256}, {"RLIMIT_CORE", 0, 0}};

  EXPECT_EQ(run(std::move(made)).out, "128\n256\n0\n");
}

TEST_F(ContainerStreams, RefusesAnUnknownResourceLimit) {
  auto made = request("true");
  made.spec.process.rlimits = {{"RLIMIT_HOPE", 1, 1}};

  const auto result = run(std::move(made));

  EXPECT_EQ(result.status(), 125);
  ASSERT_TRUE(result.outcome.error);
  EXPECT_EQ(result.outcome.error->kind(), base::ErrorKind::usage);
  EXPECT_EQ(result.outcome.error->message(), "RLIMIT_HOPE is no resource limit");
}

}  // namespace
}  // namespace twinbox::testing
