// A box's supervisor as its clients find it, over boxes that are scripts of this host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <csignal>

#include "base/syscall.hpp"
#include "supervisor_fixture.hpp"

namespace twinbox::tests {
namespace {

namespace fs = std::filesystem;
using supervise::Ended;
using supervise::Status;
using ::testing::HasSubstr;

class SupervisorTest : public SupervisorFixture {
 protected:
  void run_to_end(const Attachment& attachment) {
    run_until([&] { return attachment.ended(); });
    client.reset();
    join();
  }
};

TEST_F(SupervisorTest, CarriesTheStreamsAndWritesDownHowItEnded) {
  launch("echo to stdout; echo to stderr >&2; exit 3");
  const Attachment attachment(loop, *client);
  start();

  run_to_end(attachment);

  EXPECT_EQ("to stdout\n", attachment.out());
  EXPECT_EQ("to stderr\n", attachment.err());
  EXPECT_EQ(3, attachment.outcome()->status);
  const auto state = record().state;
  EXPECT_EQ(Status::exited, state.status);
  EXPECT_EQ(3, state.exit_code);
  EXPECT_EQ(0, state.supervisor);
  EXPECT_LE(state.started, state.finished);
  EXPECT_THAT(log(), HasSubstr("stdout F to stdout\n"));
  EXPECT_THAT(log(), HasSubstr("stderr F to stderr\n"));
}

TEST_F(SupervisorTest, LosesNothingOfMuchOutputToASlowClient) {
  launch("head -c 3000000 /dev/zero");
  Attachment attachment(loop, *client);
  attachment.stall(true);
  start();
  run_until([&] { return fs::file_size(directory() / "log") > 200'000; });
  EXPECT_FALSE(attachment.outcome());
  attachment.stall(false);

  run_to_end(attachment);

  EXPECT_EQ(3'000'000, attachment.out().size());
}

TEST_F(SupervisorTest, GivesInputThatCameBeforeTheStart) {
  auto settings = default_settings();
  settings.open_stdin = settings.stdin_once = true;
  launch("cat; echo end", settings);
  const Attachment attachment(loop, *client, "typed early\n");
  // Answered after what was typed has come.
  error_of(
      [&] { ask<sandbox::Statistics>([&](const auto& answer) { client->statistics(answer); }); });
  start();

  run_to_end(attachment);

  EXPECT_EQ("typed early\nend\n", attachment.out());
}

TEST_F(SupervisorTest, TellsWhyAWorkloadCouldNotBeStarted) {
  launch(std::nullopt);

  const auto error = error_of([&] { start(); });
  join();

  EXPECT_EQ(base::ErrorKind::not_found, error.kind());
  EXPECT_EQ("there is no such script", error.message());
  EXPECT_EQ("write one", error.hint());
  EXPECT_EQ(Status::created, record().state.status);
  EXPECT_EQ(127, record().state.exit_code);
  EXPECT_EQ("there is no such script", record().state.error);
}

TEST_F(SupervisorTest, TellsThatAnotherHasTheBox) {
  launch(waits);
  start();
  const auto first = std::exchange(supervisor, 0);
  const auto first_client = std::move(client);

  launch_again();
  const auto error = error_of([&] { start(); });

  EXPECT_EQ(base::ErrorKind::conflict, error.kind());
  client.reset();
  join();
  supervisor = first;
}

TEST_F(SupervisorTest, RemovesABoxBeforeItsClientHearsOfTheEnd) {
  auto settings = default_settings();
  settings.remove_at_end = true;
  launch("exit 0", settings);
  const Attachment attachment(loop, *client);
  start();

  run_until([&] { return attachment.outcome().has_value(); });

  EXPECT_FALSE(fs::exists(directory()));
  EXPECT_TRUE(store.list().empty());
}

TEST_F(SupervisorTest, EndsWhenItsOnlyClientGoesWithoutAStart) {
  launch(waits);
  run_until([&] { return fs::exists(directory() / "control.sock"); });

  client.reset();
  join();

  EXPECT_EQ(Status::created, record().state.status);
}

TEST_F(SupervisorTest, GoesOnWithoutClients) {
  launch("read line; echo $line; exit 4", [] {
    auto settings = default_settings();
    settings.open_stdin = true;
    return settings;
  }());
  start();
  client.reset();

  const auto late = connect();
  const Attachment attachment(loop, *late, "hello\n");
  run_until([&] { return attachment.outcome().has_value(); });

  EXPECT_EQ("hello\n", attachment.out());
  EXPECT_EQ(4, attachment.outcome()->status);
}

TEST_F(SupervisorTest, AClientThatDiesHoldsUpNobody) {
  launch("head -c 3000000 /dev/zero");
  auto doomed = connect();
  auto stalled = std::make_unique<Attachment>(loop, *doomed);
  stalled->stall(true);
  const Attachment attachment(loop, *client);
  start();
  run_until([&] { return attachment.out().size() > 200'000; });
  doomed.reset();

  run_to_end(attachment);

  EXPECT_EQ(3'000'000, attachment.out().size());
}

TEST_F(SupervisorTest, TellsThoseWhoWaitHowItEnded) {
  launch(waits);
  start();
  std::optional<Ended> ended;
  client->wait([&](const auto& answer) { ended = std::get<Ended>(answer); });

  ask_done([&](const auto& done) { client->kill(SIGKILL, done); });
  run_until([&] { return ended.has_value(); });

  EXPECT_EQ(128 + SIGKILL, ended->outcome.status);
  EXPECT_TRUE(ended->marks.at(sandbox::Mark::executed));
}

TEST_F(SupervisorTest, RunsFurtherProcessesThatEndWithTheirBox) {
  launch(waits);
  start();
  auto [out_read, out_write] = base::make_pipe();
  std::optional<sandbox::Outcome> short_one;
  std::optional<sandbox::Outcome> long_one;
  sandbox::ExecRequest request;
  request.stdio = {-1, out_write.get(), -1};
  request.process.args = {"echo from exec; exit 5"};
  request.on_exit = [&](const auto& outcome) { short_one = outcome; };
  client->exec(request);
  bool executed = false;
  request.process.args = {"exec sleep 1000"};
  request.on_executed = [&] { executed = true; };
  request.on_exit = [&](const auto& outcome) { long_one = outcome; };
  client->exec(request);
  run_until([&] { return short_one && executed; });

  ask_done([&](const auto& done) { client->kill(SIGKILL, done); });
  run_until([&] { return long_one.has_value(); });

  out_write.reset();
  EXPECT_EQ("from exec\n", base::read_to_end(out_read.get()));
  EXPECT_EQ(5, short_one->status);
  EXPECT_EQ(128 + SIGKILL, long_one->status);
}

TEST_F(SupervisorTest, AnExecOfADeadClientGoesOn) {
  launch(waits);
  start();
  const auto witness = scratch.path() / "witness";
  auto doomed = connect();
  bool executed = false;
  sandbox::ExecRequest request;
  request.process.args = {"read gone; head -c 1000000 /dev/zero; echo done >" + witness.string()};
  auto [in_read, in_write] = base::make_pipe();
  request.stdio = {in_read.get(), -1, -1};
  request.on_executed = [&] { executed = true; };
  doomed->exec(request);
  run_until([&] { return executed; });

  doomed.reset();

  run_until([&] { return fs::exists(witness); });
}

TEST_F(SupervisorTest, RemovesARunningBox) {
  launch(waits);
  start();

  ask_done([&](const auto& done) { client->remove(done); });

  EXPECT_FALSE(fs::exists(directory()));
}

TEST_F(SupervisorTest, RenamesAndUpdates) {
  launch(waits);
  start();

  ask_done([&](const auto& done) { client->rename("other", done); });
  ask_done([&](const auto& done) {
    client->update({}, supervise::restart_policy_from("always"), done);
  });

  EXPECT_EQ(id, store.find("other").id);
  EXPECT_EQ("always", supervise::to_string(record().settings.restart));
}

TEST_F(SupervisorTest, AKilledOneLeavesABoxThatASweepRepairs) {
  launch(waits);
  start();
  const auto workload = record().state.pid;

  ::kill(supervisor, SIGKILL);
  join();
  store.sweep([&](const auto&, const auto&, const auto&) { ::kill(workload, SIGKILL); });

  EXPECT_EQ(Status::exited, record().state.status);
  EXPECT_EQ(128 + SIGKILL, record().state.exit_code);
}

TEST_F(SupervisorTest, AStartThatCannotBeWrittenDownFailsAndNamesThePath) {
  launch(waits);
  run_until([&] { return fs::exists(directory() / "control.sock"); });
  const Attachment attachment(loop, *client);
  fs::rename(directory(), scratch.path() / "away");

  const auto error = error_of([&] { start(); });
  run_until([&] { return attachment.outcome().has_value(); });

  EXPECT_THAT(error.message(), HasSubstr(directory().string()));
}

TEST_F(SupervisorTest, GoesOnWhereItCannotWriteDownTheEnd) {
  launch("read line; exit 6", [] {
    auto settings = default_settings();
    settings.open_stdin = settings.stdin_once = true;
    return settings;
  }());
  const Attachment attachment(loop, *client, "go\n");
  start();
  fs::rename(directory(), scratch.path() / "away");

  run_until([&] { return attachment.outcome().has_value(); });

  EXPECT_EQ(6, attachment.outcome()->status);
}

}  // namespace
}  // namespace twinbox::tests
