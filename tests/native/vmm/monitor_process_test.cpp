// The host's side of a monitor: how it starts, is told apart from one that died, and never stays.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <memory>
#include <span>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "tests/native/vmm/monitor_fixture.hpp"

namespace twinbox::vmm::testing {
namespace {

using MonitorProcessTest = MonitorFixture;

constexpr auto a_moment = std::chrono::milliseconds(1000);

TEST_F(MonitorProcessTest, ReportsAMonitorThatWasKilled) {
  const auto result = run(config("spin"), [](MonitorProcess& monitor, const std::string& text) {
    if (text.find("spinning\n") != std::string::npos) monitor.kill();
  });
  EXPECT_EQ(result.reason(), EndReason::killed);
  EXPECT_NE(result.end().message.find("signal 9"), std::string::npos) << result.end().message;
}

TEST_F(MonitorProcessTest, StopsAMonitorThatReportsSo) {
  const auto result = run(config("spin"), [](MonitorProcess& monitor, const std::string& text) {
    if (text.find("spinning\n") != std::string::npos) monitor.stop();
  });
  EXPECT_EQ(result.reason(), EndReason::stopped);
  EXPECT_GT(result.end().exits.at("io"), 0U);
}

TEST_F(MonitorProcessTest, IsGoneWithItsObject) {
  base::EventLoop loop;
  pid_t pid = -1;
  {
    const MonitorProcess monitor(loop, config("spin"),
                                 [](const MonitorReport&) { FAIL() << "nobody asks any more"; });
    pid = monitor.pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST_F(MonitorProcessTest, MayBeDestroyedByItsOwnHandler) {
  base::EventLoop loop;
  bool ended = false;
  std::unique_ptr<MonitorProcess> monitor;
  monitor = std::make_unique<MonitorProcess>(loop, config("hello"), [&](const MonitorReport& end) {
    monitor.reset();
    ended = end.end.has_value();
  });
  while (monitor) loop.run_once(a_moment);
  EXPECT_TRUE(ended);
}

TEST_F(MonitorProcessTest, InheritsOnlyWhatItIsGiven) {
  const base::Fd secret(::open("/dev/zero", O_RDONLY));  // not close-on-exec, on purpose
  std::size_t zeros = 0;
  std::size_t descriptors = 0;
  run(config("spin"), [&](MonitorProcess& monitor, const std::string& text) {
    if (text.find("spinning\n") == std::string::npos) return;
    const auto directory = "/proc/" + std::to_string(monitor.pid()) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      ++descriptors;
      if (std::filesystem::read_symlink(entry) == "/dev/zero") ++zeros;
    }
    monitor.stop();
  });
  EXPECT_GT(descriptors, 0U);
  EXPECT_EQ(zeros, 0U);
}

TEST_F(MonitorProcessTest, DiesWithItsParent) {
  auto [read_end, write_end] = base::make_pipe();
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    base::EventLoop loop;
    const MonitorProcess monitor(loop, config("spin"), [](const MonitorReport&) {});
    const pid_t pid = monitor.pid();
    base::write_all(write_end.get(), std::as_bytes(std::span(&pid, 1)));
    ::pause();
    ::_exit(1);
  }
  pid_t monitor = -1;
  ASSERT_EQ(base::read_some(read_end.get(), std::as_writable_bytes(std::span(&monitor, 1))),
            sizeof monitor);
  const auto pidfd = base::open_pidfd(monitor);
  ::kill(parent, SIGKILL);
  base::wait_for(parent);
  base::EventLoop loop;
  bool gone = false;
  loop.add(pidfd.get(), EPOLLIN, [&](std::uint32_t) { gone = true; });
  for (int i = 0; i < 60 && !gone; ++i) loop.run_once(a_moment);
  EXPECT_TRUE(gone);
}

TEST_F(MonitorProcessTest, DescriptorThatIsNotOpenIsRefused) {
  base::EventLoop loop;
  auto machine = config("hello");
  machine.ports.push_back({"port", 999});
  try {
    const MonitorProcess monitor(loop, machine, [](const MonitorReport&) {});
    FAIL() << "descriptor 999 is not open";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("twinbox-vmm"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace twinbox::vmm::testing
