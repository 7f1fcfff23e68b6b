// create, start, attach and exec, and what becomes of a box that `run` leaves.
#include <csignal>
#include <string>

#include "base/file.hpp"
#include "tests/native/cli/cli_fixture.hpp"

namespace twinbox::testing {
namespace {

class Lifecycle : public CliFixture {
 protected:
  static std::string line(const CommandResult& result) {
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out.substr(0, result.out.find('\n'));
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
};

TEST_F(Lifecycle, ABoxStaysAfterItsEndAndStartsAgainWithItsFiles) {
  EXPECT_EQ(
      twinbox({"run", "--name", "kept", "busybox", "sh", "-c", "echo run >>/count; cat /count"})
          .out,
      "run\n");
  EXPECT_EQ(names_in(root() / "boxes").size(), 1U);
  EXPECT_EQ(twinbox({"start", "-a", "kept"}).out, "run\nrun\n");
}

TEST_F(Lifecycle, InputFromAFileIsThereBeforeTheWorkload) {
  const auto file = scratch() / "input";
  base::write_file(file, std::string(3'000'000, 'x'));
  const auto script = "exec \"$0\" run --rm -i busybox wc -c <" + file.string();
  Command command("/bin/sh", {"-c", script, TWINBOX_PROGRAM}, {"TWINBOX_ROOT=" + root().string()});
  EXPECT_EQ(command.finish().out, "3000000\n");
}

TEST_F(Lifecycle, ACreatedBoxRunsOnceItIsStarted) {
  const auto id =
      line(twinbox({"create", "--name", "made", "busybox", "sh", "-c", "echo $X; exit 5"}));
  EXPECT_EQ(names_in(root() / "boxes"), Words{id});
  const auto result = twinbox({"start", "-a", id.substr(0, 5)});
  EXPECT_EQ(result.status, 5);
  EXPECT_EQ(result.out, "\n");
}

TEST_F(Lifecycle, StartNamesEachBoxAndGoesOnAfterAFailure) {
  line(twinbox({"create", "--name", "one", "busybox", "true"}));
  line(twinbox({"create", "--name", "two", "busybox", "no-such-command"}));
  const auto result = twinbox({"start", "two", "none", "one"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "one\n");
  EXPECT_TRUE(has(result.err, "no-such-command")) << result.err;
  EXPECT_TRUE(has(result.err, "no such box: none")) << result.err;
}

TEST_F(Lifecycle, FollowingALogEndsWhenTheSupervisorIsKilled) {
  const auto id = line(twinbox({"run", "-d", "busybox", "sh", "-c", "echo ready; sleep 100"}));
  auto log = start({"logs", "-f", id});
  log.wait_for_output("ready");
  kill_supervisor_of(id);
  EXPECT_EQ(log.finish().status, 0);
  EXPECT_EQ(twinbox({"start", id}).status, 0) << "it has exited";
}

TEST_F(Lifecycle, ADetachedBoxIsAttachedToAndTakesSignals) {
  const auto id = line(twinbox({"run", "-d", "busybox", "sh", "-c",
                                "trap 'echo term; exit 9' TERM; while :; do echo tick; sleep 0.05; "
                                "done"}));
  auto attached = start({"attach", id});
  attached.wait_for_output("tick");
  attached.signal(SIGTERM);
  const auto result = attached.finish();
  EXPECT_EQ(result.status, 9);
  EXPECT_TRUE(result.out.ends_with("term\n")) << result.out;
  EXPECT_EQ(twinbox({"attach", id}).status, 125) << "it has ended";
}

TEST_F(Lifecycle, WithoutSignalProxyACommandEndsAndItsBoxGoesOn) {
  auto run = start({"run", "--name", "on", "--sig-proxy=false", "busybox", "sh", "-c",
                    "echo ready; while :; do sleep 0.05; done"});
  run.wait_for_output("ready");
  run.signal(SIGTERM);
  EXPECT_EQ(run.finish().status, 128 + SIGTERM);
  EXPECT_EQ(twinbox({"exec", "on", "echo", "in"}).out, "in\n");
}

TEST_F(Lifecycle, OnlyTheStreamsThatWereAskedForAreAttached) {
  const auto result =
      twinbox({"run", "--rm", "-a", "stderr", "busybox", "sh", "-c", "echo out; echo err >&2"});
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "err\n");
}

TEST_F(Lifecycle, AnAttachmentWithoutInputLeavesTheWorkloadsOpen) {
  line(twinbox({"create", "-i", "--name", "reads", "busybox", "sh", "-c",
                "until read -t 1 x; do echo waiting; done; echo got $x"}));
  line(twinbox({"start", "reads"}));
  auto watcher = start({"attach", "--no-stdin", "reads"});
  watcher.wait_for_output("waiting");
  auto typist = start({"attach", "reads"}, "text\n");
  EXPECT_TRUE(typist.finish().out.ends_with("got text\n"));
  EXPECT_TRUE(watcher.finish().out.ends_with("got text\n"));
}

TEST_F(Lifecycle, ExecTakesTheBoxsSurroundingsButForWhatIsSaid) {
  line(twinbox({"run", "-d", "--name", "host", "-e", "A=1", "-w", "/tmp", "-u", "web", "busybox",
                "sleep", "1000"}));
  EXPECT_EQ(twinbox({"exec", "host", "sh", "-c", "echo $A; pwd; id -u; exit 3"}).out,
            "1\n/tmp\n33\n");
  EXPECT_EQ(twinbox({"exec", "-e", "A=2", "-w", "/", "-u", "0", "host", "sh", "-c",
                     "echo $A; pwd; id -u; echo $HOME"})
                .out,
            "2\n/\n0\n/root\n");
  EXPECT_EQ(twinbox({"exec", "host", "sh", "-c", "exit 3"}).status, 3);
  EXPECT_EQ(twinbox({"exec", "-i", "host", "cat"}, "typed").out, "typed");
  EXPECT_EQ(twinbox({"exec", "host", "cat"}, "typed").out, "") << "no input without -i";
}

TEST_F(Lifecycle, ExecTellsWhatCouldNotRun) {
  line(twinbox({"run", "-d", "--name", "host", "busybox", "sleep", "1000"}));
  EXPECT_EQ(twinbox({"exec", "host", "no-such-command"}).status, 127);
  EXPECT_EQ(twinbox({"exec", "host", "/etc/passwd"}).status, 126);
  EXPECT_EQ(twinbox({"exec", "-u", "stranger", "host", "true"}).status, 125);
  EXPECT_EQ(twinbox({"exec", "none", "true"}).status, 125);
  EXPECT_EQ(twinbox({"exec", "-d", "host", "no-such-command"}).status, 127);
}

TEST_F(Lifecycle, ADetachedExecGoesOn) {
  line(twinbox({"run", "-d", "--name", "host", "busybox", "sleep", "1000"}));
  EXPECT_EQ(twinbox({"exec", "-d", "host", "sh", "-c", "echo x >/tmp/made; sleep 1000"}).out, "");
  EXPECT_EQ(
      twinbox({"exec", "host", "sh", "-c", "until test -s /tmp/made; do sleep 0.01; done"}).status,
      0);
}

TEST_F(Lifecycle, FilesOfIdsAreWrittenOnce) {
  const auto file = (scratch() / "id").string();
  const auto pid_file = (scratch() / "pid").string();
  const auto id = line(
      twinbox({"run", "-d", "--cidfile", file, "--pidfile", pid_file, "busybox", "sleep", "1000"}));
  EXPECT_EQ(base::read_file(file), id);
  EXPECT_TRUE(
      std::filesystem::exists("/proc/" + std::to_string(std::stoi(base::read_file(pid_file)))));
  const auto refused = twinbox({"run", "--rm", "--cidfile", file, "busybox", "true"});
  EXPECT_EQ(refused.status, 125);
  EXPECT_TRUE(has(refused.err, file)) << refused.err;
}

TEST_F(Lifecycle, NamesAreTakenOnce) {
  line(twinbox({"create", "--name", "one", "busybox", "true"}));
  for (const std::string verb : {"create", "run"}) {
    const auto refused = twinbox({verb, "--name", "one", "busybox", "true"});
    EXPECT_EQ(refused.status, 125);
    EXPECT_TRUE(has(refused.err, "the name one is already in use")) << refused.err;
  }
  EXPECT_EQ(names_in(root() / "boxes").size(), 1U);
}

TEST_F(Lifecycle, ABoxThatDiesWithItsCommandIsGone) {
  auto run =
      start({"run", "--rm", "--die-with-parent", "busybox", "sh", "-c", "echo ready; sleep 1000"});
  run.wait_for_output("ready");
  run.signal(SIGKILL);
  run.reap();
  sweep_until_no_box_is_left();
}

}  // namespace
}  // namespace twinbox::testing
