// Processes whose reports are another's work.
#include "container/child.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>

#include "base/syscall.hpp"
#include "container/init.hpp"
#include "container/process_setup.hpp"

namespace twinbox::container {
namespace {

// How a process is told to have ended that does `work` on its end of the socket and then waits for
// ever.
Child::Ended end_of(const std::function<void(int report)>& work, const std::string& command) {
  base::EventLoop loop;
  std::optional<Child::Ended> ended;
  auto launched = launch(0, -1, [&](int report, int parent_end) {
    ::close(parent_end);
    reset_signals();
    work(report);
    ::close(report);
    for (;;) ::pause();
  });
  Child child(loop, std::move(launched), command, {-1, -1, -1},
              {.on_ready = {},
               .on_executed = [&] { child.signal(SIGTERM); },
               .on_end = [&](const Child::Ended& told) { ended = told; }});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!ended && std::chrono::steady_clock::now() < deadline) {
    loop.run_once(std::chrono::milliseconds(100));
  }
  EXPECT_TRUE(ended);
  return ended.value_or(Child::Ended{});
}

void send(int report, report_abi::Type type) {
  report_abi::Header header{};
  header.type = type;
  base::write_all(report, {reinterpret_cast<const char*>(&header), sizeof header});
}

TEST(Child, RunsOnceItsReportsHaveEnded) {
  const auto ended = end_of([](int report) { send(report, report_abi::executing); }, "program");
  EXPECT_FALSE(ended.failure);
  EXPECT_EQ(ended.status, 128 + SIGTERM);
}

TEST(Child, IsKilledForAReportThatCannotBe) {
  const auto ended = end_of(
      [](int report) {
        send(report, report_abi::executing);
        send(report, report_abi::failed);
      },
      "program");
  ASSERT_TRUE(ended.failure);
  EXPECT_EQ(ended.failure->status, sandbox::status_own_error);
  EXPECT_EQ(ended.status, 128 + SIGKILL);
}

TEST(Child, MayReportAFailureOfItsOwnWork) {
  const auto ended = end_of(
      [](int report) {
        send(report, report_abi::executing);
        report_failure(report, {1, {base::ErrorKind::not_found, "no such file"}});
      },
      "");
  ASSERT_TRUE(ended.failure);
  EXPECT_EQ(ended.failure->error.message(), "no such file");
}

TEST(Child, IsKilledForATerminalThatItIsNotToHave) {
  const auto ended = end_of([](int report) { report_terminal(report, STDIN_FILENO); }, "program");
  ASSERT_TRUE(ended.failure);
  EXPECT_NE(ended.failure->error.message().find("terminal"), std::string::npos);
}

TEST(Child, IsKilledWhereItsReportsEndTooEarly) {
  const auto ended = end_of([](int) {}, "program");
  EXPECT_FALSE(ended.executing);
  EXPECT_EQ(ended.status, 128 + SIGKILL);
}

TEST(Child, EndsWithItsSuccessor) {
  base::EventLoop loop;
  std::optional<Child::Ended> ended;
  auto successor = Successor::expected();
  auto launched = launch(0, -1, [&](int report, int parent_end) {
    ::close(parent_end);
    successor.take_over();
    send(report, report_abi::executing);
    ::close(report);
    end_child(7);
  });
  launched.successor = std::move(successor);
  const pid_t first = launched.pid;
  Child child(loop, std::move(launched), "program", {-1, -1, -1},
              {.on_ready = {}, .on_executed = {}, .on_end = [&](const Child::Ended& told) {
                 ended = told;
               }});
  while (!ended) loop.run_once(std::chrono::milliseconds(100));
  EXPECT_EQ(ended->status, 7);
  EXPECT_NE(child.pid(), first);
  EXPECT_EQ(::waitpid(first, nullptr, WNOHANG), -1);
}

TEST(Child, IsReapedWithItsSuccessorWhereNobodyWaits) {
  for (int count = 0; count < 200; ++count) {
    base::EventLoop loop;
    auto successor = Successor::expected();
    auto launched = launch(0, -1, [&](int, int) {
      successor.take_over();
      for (;;) ::pause();
    });
    launched.successor = std::move(successor);
    ::usleep(static_cast<unsigned>(count) * 10);
    Child(loop, std::move(launched), "program", {-1, -1, -1}, {});
    ASSERT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a process is left";
  }
}

}  // namespace
}  // namespace twinbox::container
