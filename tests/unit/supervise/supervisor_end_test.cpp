// How a supervised box is stopped, killed and restarted.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <csignal>

#include "base/syscall.hpp"
#include "supervisor_fixture.hpp"

namespace twinbox::tests {
namespace {

using supervise::Status;
using SupervisorEndTest = SupervisorFixture;

TEST_F(SupervisorEndTest, StopsByTheStopSignal) {
  launch(waits);
  start();

  ask_done([&](const auto& done) { client->stop({}, {}, done); });

  EXPECT_EQ(Status::exited, record().state.status);
  EXPECT_EQ(128 + SIGTERM, record().state.exit_code);
  join();
}

TEST_F(SupervisorEndTest, KillsWhatDoesNotStopInTime) {
  launch("trap '' TERM; echo ready; while :; do sleep 1000; done");
  const Attachment attachment(loop, *client);
  start();
  run_until([&] { return !attachment.out().empty(); });

  ask_done([&](const auto& done) { client->stop(0, {}, done); });

  EXPECT_EQ(128 + SIGKILL, record().state.exit_code);
}

TEST_F(SupervisorEndTest, StopsAPausedBox) {
  launch(waits);
  start();
  ask_done([&](const auto& done) { client->pause(done); });
  EXPECT_EQ(Status::paused, record().state.status);

  ask_done([&](const auto& done) { client->stop({}, {}, done); });

  EXPECT_EQ(128 + SIGTERM, record().state.exit_code);
}

TEST_F(SupervisorEndTest, RefusesWhatItsStatusForbids) {
  launch(waits);
  start();

  const auto unpause =
      error_of([&] { ask_done([&](const auto& done) { client->unpause(done); }); });
  ask_done([&](const auto& done) { client->pause(done); });
  const auto pause = error_of([&] { ask_done([&](const auto& done) { client->pause(done); }); });
  const auto start_again = error_of([&] { start(); });

  EXPECT_EQ(base::ErrorKind::conflict, unpause.kind());
  EXPECT_EQ(base::ErrorKind::conflict, pause.kind());
  EXPECT_EQ(base::ErrorKind::conflict, start_again.kind());
  ask_done([&](const auto& done) { client->unpause(done); });
  EXPECT_EQ(Status::running, record().state.status);
}

TEST_F(SupervisorEndTest, StopsInOrderWhenItIsTerminated) {
  launch(waits);
  start();

  ::kill(supervisor, SIGTERM);
  join();

  EXPECT_EQ(Status::exited, record().state.status);
  EXPECT_EQ(128 + SIGTERM, record().state.exit_code);
}

TEST_F(SupervisorEndTest, RestartsOnFailureAsOftenAsItIsToldTo) {
  auto settings = default_settings();
  settings.restart = supervise::restart_policy_from("on-failure:2");
  launch("echo run; exit 1", settings);
  start();
  join();

  EXPECT_EQ(2, record().state.restart_count);
  EXPECT_EQ(Status::exited, record().state.status);
  const auto text = log();
  EXPECT_EQ(3, std::ranges::count(text, '\n'));
}

TEST_F(SupervisorEndTest, DoesNotRestartWhatWasStoppedByHand) {
  auto settings = default_settings();
  settings.restart = supervise::restart_policy_from("always");
  launch(waits, settings);
  start();

  ask_done([&](const auto& done) { client->stop({}, {}, done); });
  join();

  EXPECT_EQ(Status::exited, record().state.status);
}

TEST_F(SupervisorEndTest, StopsABoxThatWaitsForItsRestart) {
  auto settings = default_settings();
  settings.restart = supervise::restart_policy_from("always");
  launch("exit 1", settings);
  start();
  run_until([&] { return record().state.restart_count > 2; });

  ask_done([&](const auto& done) { client->stop({}, {}, done); });
  join();

  EXPECT_EQ(Status::exited, record().state.status);
}

TEST_F(SupervisorEndTest, RestartsByTheVerb) {
  launch(waits);
  start();
  const auto pid = record().state.pid;

  ask_done([&](const auto& done) { client->restart({}, {}, done); });

  EXPECT_EQ(Status::running, record().state.status);
  EXPECT_NE(pid, record().state.pid);
}

TEST_F(SupervisorEndTest, AStopThatCrossesARestartHasTheLastWord) {
  launch("trap 'sleep 0.2; exit 0' TERM; while :; do sleep 0.01; done");
  start();
  std::optional<base::Error> restarted;
  client->restart({}, {}, [&](const auto& answer) {
    if (const auto* error = std::get_if<base::Error>(&answer)) restarted = *error;
  });

  ask_done([&](const auto& done) { client->stop({}, {}, done); });

  run_until([&] { return restarted.has_value(); });
  EXPECT_EQ(Status::exited, record().state.status);
}

}  // namespace
}  // namespace twinbox::tests
