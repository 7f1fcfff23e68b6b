// Further processes in a running box.

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

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
    start(request("echo up; sleep 1000"));
    running_->wait_for_output("up\n");
  }

  void start(sandbox::BoxRequest made) {
    process_ = made.spec.process;
    running_.emplace(*engine_, std::move(made));
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

// CVE-2016-9962: what enters the box must not give it the host, even where it may look into all.
TEST_F(Exec, ShowsTheBoxNothingThatItDoesNotHave) {
  std::filesystem::copy_file(TWINBOX_ONLOOKER, image() / "bin/onlooker");
  for (const bool no_new_privileges : {false, true}) {
    auto made = request(std::vector<std::string>{"onlooker"});
    made.spec.process.capabilities.push_back("CAP_SYS_PTRACE");
    made.spec.process.no_new_privileges = no_new_privileges;
    start(std::move(made));
    running_->wait_for_output("looking\n");
    process_.args = {"true"};
    for (int count = 0; count < 60; ++count) EXPECT_EQ(exec_process().outcome.status, 0);
    const auto result = running_->finish();
    EXPECT_EQ(result.out, "looking\nsaw many\n");
  }
}

TEST_F(Exec, LeavesNoProcessBehind) {
  for (int count = 0; count < 5; ++count) {
    process_.args = {"sleep", "1000"};
    const auto nothing = base::open_file("/dev/null", O_RDWR);
    running_->box().exec({.process = process_,
                          .task = {},
                          .stdio = {nothing.get(), nothing.get(), nothing.get()},
                          .on_exit = {}});
    std::this_thread::sleep_for(std::chrono::microseconds(count * 300));
  }
  EXPECT_EQ(exec("ps | grep -c '[s]leep 1000'").out, "1\n");  // the box's own
  running_->box().signal(SIGKILL);
  EXPECT_EQ(running_->finish().status(), 128 + SIGKILL);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "there is a child that nobody waits for";
}

// The user's processes are counted as if there were no other step on the way.
TEST_F(Exec, HasItsOwnLimits) {
  process_.user = {.uid = 54321, .gid = 54321, .additional_gids = {}};
  process_.args = {"grep", "processes", "/proc/self/limits"};
  process_.rlimits = {{"RLIMIT_NPROC", 1, 1}, {"RLIMIT_FSIZE", 0, 0}};
  const auto ran = exec_process();
  EXPECT_FALSE(ran.outcome.error) << ran.outcome.error->what();
  EXPECT_THAT(ran.out, HasSubstr("Max processes             1                    1 "));
}

TEST_F(Exec, LeadsASession) {
  EXPECT_EQ(exec("awk '{print $1 == $5, $1 == $6}' /proc/$$/stat").out, "1 1\n");
}

TEST_F(Exec, HasATerminalWhereItIsToHaveOne) {
  process_.terminal = true;
  process_.terminal_size = {.columns = 97, .rows = 31};
  const auto ran = exec("tty; stty size; test -t 2 && echo yes");
  EXPECT_EQ(ran.out, "/dev/pts/0\r\n31 97\r\nyes\r\n");
}

}  // namespace
}  // namespace twinbox::testing
