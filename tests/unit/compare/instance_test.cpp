#include "compare/instance.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/error.hpp"

namespace twinbox::compare {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

TEST(Instance, StampsOutputReadinessAndEndInOrder) {
  Instance instance(shell("echo hello; echo ready"), Instance::Input::none);
  ASSERT_TRUE(instance.wait_ready(60s));
  const auto end = instance.finish(60s);
  const auto& stamps = instance.stamps();
  EXPECT_EQ(end.status, 0);
  EXPECT_GT(stamps.request, 0U);
  EXPECT_GT(stamps.first_output, stamps.request);
  EXPECT_GE(stamps.ready, stamps.first_output);
  EXPECT_GT(stamps.gone, stamps.ready);
  EXPECT_EQ(instance.output(), "hello\nready\n");
}

TEST(Instance, IsNotReadyBeforeTheWholeLine) {
  Instance instance(shell("printf 'not ready\\nread'; read line; echo y; read line"),
                    Instance::Input::held_open);
  EXPECT_THROW(instance.wait_ready(1s), base::Error);
  EXPECT_EQ(instance.stamps().ready, 0U);
  EXPECT_GT(instance.stamps().first_output, 0U);
}

TEST(Instance, ThatEndsWithoutBeingReadyIsNotReady) {
  Instance instance(shell("echo oops >&2; exit 3"), Instance::Input::none);
  EXPECT_FALSE(instance.wait_ready(60s));
  EXPECT_EQ(instance.finish(60s).status, 3);
  EXPECT_EQ(instance.errors(), "oops\n");
}

TEST(Instance, KeepsRunningUntilItsInputEnds) {
  Instance instance(shell("echo ready; cat; exit 5"), Instance::Input::held_open);
  ASSERT_TRUE(instance.wait_ready(60s));
  EXPECT_EQ(::kill(instance.pid(), 0), 0);
  EXPECT_EQ(instance.finish(60s).status, 5);
}

TEST(Instance, GetsAnEnvironmentBesideItsCallers) {
  ::setenv("OF_THE_CALLER", "old", 1);
  Instance instance(shell("echo $OF_THE_CALLER $OF_ITS_OWN ${PATH:+path}"), Instance::Input::none,
                    Instance::Cpu::not_counted, {"OF_THE_CALLER=new", "OF_ITS_OWN=own"});
  EXPECT_EQ(instance.finish(60s).status, 0);
  EXPECT_EQ(instance.output(), "new own path\n");
  ::unsetenv("OF_THE_CALLER");
}

TEST(Instance, CountsTheCpuTimeOfItsChildren) {
  Instance instance(shell("sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'; echo ready"),
                    Instance::Input::none);
  ASSERT_TRUE(instance.wait_ready(120s));
  const auto end = instance.finish(60s);
  EXPECT_GT(end.user_ns + end.system_ns, 1'000'000U);
}

TEST(Instance, TellsTheCpuTimeUpToEachMark) {
  const std::string spin = "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'; ";
  Instance instance(shell(spin + "echo ready; read line; " + spin), Instance::Input::held_open,
                    Instance::Cpu::counted);
  ASSERT_TRUE(instance.wait_ready(120s));
  const auto& cpu = instance.cpu_stamps();
  if (!cpu.ready) GTEST_SKIP() << "the kernel refuses the task clock here";
  EXPECT_GT(*cpu.ready, 1'000'000U);
  // What this process does meanwhile is not the command's.
  const auto until = std::chrono::steady_clock::now() + 200ms;
  while (std::chrono::steady_clock::now() < until) {
  }
  const auto end = instance.finish(120s);
  const auto accounted = end.user_ns + end.system_ns;
  EXPECT_GT(*cpu.gone, *cpu.ready + 1'000'000U);
  EXPECT_NEAR(static_cast<double>(*cpu.gone), static_cast<double>(accounted),
              0.1 * static_cast<double>(accounted));
}

// As the command sees it: the number in its environment, and what that is.
std::string counter_seen_with(Instance::Cpu cpu) {
  Instance instance(
      shell("n=$TWINBOX_CPU_COUNTER; [ \"$n\" ] && readlink /proc/$$/fd/$n; echo ready"),
      Instance::Input::none, cpu);
  EXPECT_TRUE(instance.wait_ready(120s));
  instance.finish(60s);
  if (!instance.cpu_stamps().gone) return {};
  return instance.output();
}

TEST(Instance, HandsTheCounterOnOnlyWhenAsked) {
  const auto told = counter_seen_with(Instance::Cpu::handed_on);
  if (told.empty()) GTEST_SKIP() << "the kernel refuses the task clock here";
  EXPECT_EQ(told, "anon_inode:[perf_event]\nready\n");
  EXPECT_EQ(counter_seen_with(Instance::Cpu::counted), "ready\n");
}

TEST(Instance, DoesNotCountUnasked) {
  Instance instance(shell("echo ready"), Instance::Input::none);
  ASSERT_TRUE(instance.wait_ready(120s));
  instance.finish(60s);
  EXPECT_FALSE(instance.cpu_stamps().ready || instance.cpu_stamps().gone);
}

TEST(Instance, ReportsASignalAsAShellDoes) {
  Instance instance(shell("kill -KILL $$"), Instance::Input::none);
  EXPECT_EQ(instance.finish(60s).status, 128 + SIGKILL);
}

TEST(Instance, HandsOutErrorLinesAsTheyCome) {
  Instance instance(shell("echo one >&2; printf 'two\\nhal' >&2"), Instance::Input::none);
  std::vector<std::string> lines;
  instance.finish(60s, [&](std::string_view line) { lines.emplace_back(line); });
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
}

TEST(Instance, AMissingProgramIsAnErrorThatNamesIt) {
  try {
    Instance instance({"/nonexistent/program"}, Instance::Input::none);
    FAIL() << "it started";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("/nonexistent/program"), std::string::npos);
  }
}

TEST(Instance, IsEndedWithItsOwner) {
  pid_t pid = -1;
  {
    Instance instance(shell("echo ready; exec sleep 1000"), Instance::Input::none);
    ASSERT_TRUE(instance.wait_ready(60s));
    pid = instance.pid();
  }
  // Reaped as well: our child's number is free again.
  EXPECT_EQ(::kill(pid, 0), -1);
}

// Whether a process runs; one that has ended and has not been waited for does not.
bool runs(pid_t pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string number;
  std::string name;
  std::string state;
  return (stat >> number >> name >> state) && state != "Z" && state != "X";
}

// The process that the script tells of on its second line.
pid_t child_of(const std::string& script) {
  Instance instance(shell(script), Instance::Input::none);
  EXPECT_TRUE(instance.wait_ready(60s));
  return std::stoi(instance.output());
}

TEST(Instance, IsEndedWithAllOfItsGroup) {
  // Once with a command that ends as it is asked, and once with one that has to be killed.
  for (const std::string deaf : {"", "trap '' TERM; "}) {
    const auto child =
        child_of(deaf + "(trap '' TERM; exec sleep 1000) & echo $!; echo ready; wait");
    for (int i = 0; i < 100 && runs(child); ++i) std::this_thread::sleep_for(20ms);
    EXPECT_FALSE(runs(child)) << deaf;
  }
}

TEST(Instance, LeavesNoProcessWhenDescriptorsRunOut) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  bool started = false;
  for (rlim_t limit = 3; !started; ++limit) {
    const rlimit few{limit, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
    try {
      const Instance instance(shell("exec sleep 1000"), Instance::Input::none);
      started = true;
    } catch (const base::Error&) {
      EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left with " << limit;
    }
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Instance, MovesWithoutEndingTheProcess) {
  Instance first(shell("echo ready; cat"), Instance::Input::held_open);
  ASSERT_TRUE(first.wait_ready(60s));
  Instance second(std::move(first));
  EXPECT_EQ(::kill(second.pid(), 0), 0);
  EXPECT_EQ(second.finish(60s).status, 0);
}

}  // namespace
}  // namespace twinbox::compare
