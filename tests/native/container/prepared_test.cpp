// Boxes of which a part was made before it was known what they run.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>

#include "box_fixture.hpp"
#include "container/engine.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

class PreparedBox : public BoxFixture {
 protected:
  BoxResult run_prepared(sandbox::BoxRequest made, const std::string& input = {}) {
    engine_.prepare(made.id, furniture());
    RunningBox running(engine_, std::move(made));
    running.write_input(input);
    return running.finish();
  }
  fs::path furniture() const {
    const auto place = scratch() / "furniture";
    fs::create_directories(place);
    return place;
  }

  container::ContainerEngine engine_;
};

std::vector<pid_t> children() {
  std::ifstream list(fmt::format("/proc/self/task/{}/children", ::getpid()));
  return {std::istream_iterator<pid_t>(list), {}};
}

// Of /proc/self/mountinfo what does not depend on the order of mounting, or on the box.
std::vector<std::string> mounts(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

TEST_F(PreparedBox, HasWhatAnotherHas) {
  for (const auto* look :
       {"awk '{ print $4, $5, $6 }' /proc/self/mountinfo", "ls -l /dev | grep -v total",
        "env; id; pwd; hostname; ls -d /proc/[0-9]*",
        "grep -E '^Cap|NoNewPrivs|Seccomp:' /proc/self/status",
        "ifconfig lo | grep UP; ls /sys/class/net; cat /proc/self/cgroup",
        "cat /proc/kcore | wc -c; echo 1 > /proc/sys/kernel/sysrq; ls -l /proc/self/fd | wc -l"}) {
    const auto plain = run(look);
    const auto prepared = run_prepared(request(look));
    EXPECT_EQ(mounts(prepared.out), mounts(plain.out)) << look;
    EXPECT_EQ(prepared.err, plain.err) << look;
    EXPECT_EQ(prepared.status(), plain.status()) << look;
  }
}

TEST_F(PreparedBox, ReadsWritesAndExitsAsItsOwn) {
  const auto result = run_prepared(request("cat; echo wrong >&2; touch /made; exit 7"), "right\n");
  EXPECT_EQ(result.out, "right\n");
  EXPECT_EQ(result.err, "wrong\n");
  EXPECT_EQ(result.status(), 7);
  EXPECT_FALSE(fs::exists(image() / "made"));
  EXPECT_TRUE(fs::is_empty(furniture())) << "a mount has come out of the box";
}

TEST_F(PreparedBox, IsTheProcessThatWaited) {
  auto made = request("echo up; cat");
  engine_.prepare(made.id, furniture());
  const auto waits = children();
  ASSERT_EQ(waits.size(), 1U);

  RunningBox running(engine_, std::move(made));
  running.wait_for_output("up\n");

  EXPECT_EQ(running.box().processes(), waits);
  running.close_input();
  EXPECT_EQ(running.finish().status(), 0);
}

TEST_F(PreparedBox, IsMadeAnewWhereItWasKilled) {
  auto made = request("echo up");
  engine_.prepare(made.id, furniture());
  ASSERT_EQ(children().size(), 1U);
  const auto waits = children().front();
  ASSERT_EQ(::kill(waits, SIGKILL), 0);
  siginfo_t end{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(waits), &end, WEXITED | WNOWAIT), 0);

  const auto result = RunningBox(engine_, std::move(made)).finish();

  EXPECT_EQ(result.out, "up\n");
  EXPECT_EQ(result.status(), 0);
}

TEST_F(PreparedBox, IsHeldToItsLimits) {
  auto made = request("cat /dev/zero | tail");
  made.spec.resources.memory_bytes = 32U << 20;
  EXPECT_TRUE(run_prepared(std::move(made)).outcome.oom_killed);
}

TEST_F(PreparedBox, TakesALargeDescription) {
  auto made = request("echo $LARGE | wc -c");
  made.spec.process.env.push_back("LARGE=" + std::string(100'000, 'x'));
  for (int i = 0; i < 10; ++i) made.spec.process.args.push_back(std::string(100'000, 'y'));
  EXPECT_EQ(run_prepared(std::move(made)).out, "100001\n");
}

TEST_F(PreparedBox, TellsWhyItCannotRun) {
  const auto result = run_prepared(request(std::vector<std::string>{"nothing-like-it"}));
  EXPECT_EQ(result.status(), sandbox::status_command_not_found);
  ASSERT_TRUE(result.outcome.error);
  EXPECT_NE(result.outcome.error->message().find("nothing-like-it"), std::string::npos);
}

TEST_F(PreparedBox, TellsWhyItCannotBeMadeAhead) {
  const auto id = request("true").id;
  try {
    engine_.prepare(id, scratch() / "missing");
    FAIL() << "expected an error";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
    EXPECT_NE(error.message().find("make a box's process ahead"), std::string::npos)
        << error.message();
    EXPECT_NE(error.message().find("missing"), std::string::npos) << error.message();
  }
  EXPECT_TRUE(control_groups_of(id).empty());
  EXPECT_LT(::waitpid(-1, nullptr, WNOHANG), 0) << "a process is left";
}

// What was made ahead is of no use to these, and is taken away again.
TEST_F(PreparedBox, IsMadeAnewWhereItDiffers) {
  const std::vector<std::function<void(sandbox::Spec&)>> differences{
      [](auto& spec) {
        spec.mounts.push_back({"/more", "tmpfs", "tmpfs", {}});
      },
      [](auto& spec) { spec.masked_paths.emplace_back("/proc/uptime"); },
      [](auto& spec) { spec.sysctl["net.ipv4.ip_forward"] = "1"; },
      [](auto& spec) { spec.devices.push_back({.path = "/dev/more", .major = 1, .minor = 3}); }};
  for (const auto& differ : differences) {
    const std::string look =
        "wc -l < /proc/uptime; grep -c more /proc/mounts; ls /dev/more; cat "
        "/proc/sys/net/ipv4/ip_forward";
    auto plain = request(look);
    differ(plain.spec);
    auto prepared = request(look);
    differ(prepared.spec);
    const auto id = prepared.id;
    const auto expected = run(std::move(plain));
    const auto result = run_prepared(std::move(prepared));
    EXPECT_EQ(result.out, expected.out);
    EXPECT_EQ(result.status(), expected.status());
    EXPECT_TRUE(control_groups_of(id).empty());
  }
}

TEST_F(PreparedBox, LeavesNothingWhenItIsNeverStarted) {
  const auto id = request("true").id;
  {
    container::ContainerEngine engine;
    engine.prepare(id, furniture());
    EXPECT_FALSE(control_groups_of(id).empty());
  }
  EXPECT_TRUE(control_groups_of(id).empty());
  EXPECT_LT(::waitpid(-1, nullptr, WNOHANG), 0) << "a process waits still";
}

}  // namespace
}  // namespace twinbox::testing
