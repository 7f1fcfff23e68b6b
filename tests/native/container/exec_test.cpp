// Further processes in a running box.

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>

#include "base/syscall.hpp"
#include "tests/native/container/box_fixture.hpp"

namespace twinbox::testing {
namespace {

using ::testing::HasSubstr;

class Exec : public BoxFixture {
 protected:
  void SetUp() override {
    BoxFixture::SetUp();
    if (IsSkipped()) return;
    engine_ = make_engine();
    auto made = request("echo up; sleep 1000");
    process_ = made.spec.process;
    running_.emplace(*engine_, std::move(made));
    running_->wait_for_output("up\n");
  }

  struct Exit {
    sandbox::Outcome outcome;
    std::string out;
  };

  // `sh -c SCRIPT` in the box, to its end.
  Exit exec(const std::string& script) {
    process_.args = {"sh", "-c", script};
    return exec_process();
  }
  Exit exec_process() {
    auto [read, write] = base::make_pipe();
    std::optional<sandbox::Outcome> outcome;
    const auto nothing = base::open_file("/dev/null", O_RDWR);
    sandbox::ExecRequest request{
        .process = process_,
        .task = {},
        .stdio = {nothing.get(), write.get(), write.get()},
        .on_executed = [this] { ++executed_; },
        .on_exit = [&](const sandbox::Outcome& ended) { outcome = ended; }};
    const auto process = running_->box().exec(std::move(request));
    write.reset();
    if (on_started_) on_started_(*process);
    running_->run_until([&] { return outcome.has_value(); });
    return {*outcome, base::read_to_end(read.get())};
  }

  std::unique_ptr<sandbox::Engine> engine_;
  std::optional<RunningBox> running_;
  sandbox::Process process_;
  std::function<void(sandbox::BoxProcess&)> on_started_;
  int executed_ = 0;
};

TEST_F(Exec, RunsInTheNamespacesAndRootOfTheBox) {
  const auto ran =
      exec("hostname; cat /proc/1/cmdline | tr '\\0' ' '; ls -d /proc/[0-9]* | wc -l; exit 3");
  EXPECT_EQ(ran.outcome.status, 3);
  EXPECT_FALSE(ran.outcome.error);
  EXPECT_THAT(ran.out, HasSubstr("sleep 1000"));
  EXPECT_EQ(executed_, 1);
  for (const auto* name : {"mnt", "pid", "net", "ipc", "uts", "cgroup"}) {
    const auto inside = exec(fmt::format(
        "test $(readlink /proc/1/ns/{0}) = $(readlink /proc/self/ns/{0}) && echo same", name));
    EXPECT_EQ(inside.out, "same\n") << name;
  }
}

TEST_F(Exec, IsUnderTheLimitsAndTheFilterOfTheBox) {
  EXPECT_THAT(exec("grep Seccomp: /proc/self/status").out, HasSubstr("2"));
  EXPECT_EQ(exec("cmp /proc/1/cgroup /proc/self/cgroup && echo same").out, "same\n");
  EXPECT_EQ(exec("grep -h Cap /proc/1/status > /tmp/a; grep -h Cap /proc/self/status | cmp - "
                 "/tmp/a && echo same")
                .out,
            "same\n");
}

TEST_F(Exec, TakesItsOwnUserDirectoryAndEnvironment) {
  process_.user = {.uid = 1000, .gid = 1001, .additional_gids = {7}};
  process_.cwd = "/tmp";
  process_.env.push_back("COLOUR=blue");
  EXPECT_EQ(exec("id -u; id -g; pwd; echo $COLOUR").out, "1000\n1001\n/tmp\nblue\n");
}

TEST_F(Exec, TellsWhyItCouldNotRun) {
  process_.args = {"no-such-program"};
  const auto missing = exec_process();
  EXPECT_EQ(missing.outcome.status, 127);
  ASSERT_TRUE(missing.outcome.error);
  EXPECT_THAT(missing.outcome.error->message(), HasSubstr("no-such-program"));
  process_.args = {"/etc"};
  EXPECT_EQ(exec_process().outcome.status, 126);
  EXPECT_EQ(executed_, 0);
}

TEST_F(Exec, IsSignalled) {
  on_started_ = [](sandbox::BoxProcess& process) { process.signal(SIGTERM); };
  process_.args = {"sleep", "1000"};
  EXPECT_EQ(exec_process().outcome.status, 128 + SIGTERM);
}

TEST_F(Exec, EndsWithTheBox) {
  std::optional<sandbox::Outcome> outcome;
  const auto nothing = base::open_file("/dev/null", O_RDWR);
  process_.args = {"sleep", "1000"};
  const auto process =
      running_->box().exec({.process = process_,
                            .task = {},
                            .stdio = {nothing.get(), nothing.get(), nothing.get()},
                            .on_executed = [this] { running_->box().signal(SIGKILL); },
                            .on_exit = [&](const sandbox::Outcome& ended) { outcome = ended; }});
  running_->run_until([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->status, 128 + SIGKILL);
}

TEST_F(Exec, HasATerminalWhereItIsToHaveOne) {
  process_.terminal = true;
  process_.terminal_size = {.columns = 97, .rows = 31};
  const auto ran = exec("tty; stty size; test -t 2 && echo yes");
  EXPECT_EQ(ran.out, "/dev/pts/0\r\n31 97\r\nyes\r\n");
}

}  // namespace
}  // namespace twinbox::testing
