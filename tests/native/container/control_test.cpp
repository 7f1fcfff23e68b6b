// What can be done to a running box, and what it tells of itself.

#include <gmock/gmock.h>

#include <csignal>

#include "base/file.hpp"
#include "base/size.hpp"
#include "tests/native/container/box_fixture.hpp"

namespace twinbox::testing {
namespace {

using ::testing::HasSubstr;

class Control : public BoxFixture {
 protected:
  void start(sandbox::BoxRequest made) {
    engine_ = make_engine();
    running_.emplace(*engine_, std::move(made));
    running_->wait_for_output("up\n");
  }
  void start(const std::string& script) { start(request(script)); }

  static void expect_done(const std::variant<std::monostate, base::Error>& answer) {
    const auto* const error = std::get_if<base::Error>(&answer);
    EXPECT_EQ(error, nullptr) << (error == nullptr ? "" : error->what());
  }

  std::unique_ptr<sandbox::Engine> engine_;
  std::optional<RunningBox> running_;
};

TEST_F(Control, PausedItStandsStillAndGoesOnLater) {
  start("echo up; read line; echo \"got $line\"");
  running_->box().pause(expect_done);
  running_->write_input("word\n");
  const auto state = [&] {
    const auto pid = running_->box().processes().front();
    return base::read_file("/proc/" + std::to_string(pid) + "/wchan");
  };
  eventually("the box is frozen", [&] {
    return state().find("freez") != std::string::npos ||
           state().find("refrigerator") != std::string::npos ||
           state().find("signal") != std::string::npos;
  });
  EXPECT_EQ(running_->out(), "up\n");
  running_->box().resume(expect_done);
  EXPECT_EQ(running_->finish().out, "up\ngot word\n");
}

TEST_F(Control, KillEndsAPausedBox) {
  start("echo up; sleep 1000");
  running_->box().pause(expect_done);
  running_->box().signal(SIGKILL);
  EXPECT_EQ(running_->finish().status(), 128 + SIGKILL);
}

TEST_F(Control, APausedBoxThatIsDroppedIsGone) {
  auto made = request("echo up; sleep 1000");
  const auto id = made.id;
  start(std::move(made));
  running_->box().pause(expect_done);
  running_.reset();
  EXPECT_TRUE(control_groups_of(id).empty());
}

TEST_F(Control, TellsWhatItUses) {
  auto made = request(
      "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo up; sleep 1000 & sleep 1000 & wait");
  made.spec.resources.memory_bytes = 64 * base::mebibyte;
  made.spec.resources.pids = 50;
  start(std::move(made));
  std::optional<sandbox::Statistics> told;
  running_->run_until([&] {
    running_->box().statistics(
        [&](const auto& answer) { told = std::get<sandbox::Statistics>(answer); });
    return told->pids == 3;
  });
  EXPECT_GT(told->cpu_ns, 1'000'000U);
  EXPECT_GT(told->memory_bytes, 0U);
  EXPECT_EQ(told->memory_limit_bytes, 64 * base::mebibyte);
  EXPECT_EQ(told->pids_limit, 50U);
  EXPECT_GT(told->time_ns, 0U);
}

TEST_F(Control, ListsItsProcesses) {
  auto made = request("echo up; sleep 1000 & wait");
  made.spec.process.user = {.uid = 1234, .gid = 1234, .additional_gids = {}};
  start(std::move(made));
  std::vector<sandbox::ProcessEntry> listed;
  running_->run_until([&] {
    running_->box().list_processes(
        [&](const auto& answer) { listed = std::get<std::vector<sandbox::ProcessEntry>>(answer); });
    return listed.size() == 2 && listed[1].command == "sleep 1000";
  });
  EXPECT_EQ(listed[0].uid, 1234U);
  EXPECT_THAT(listed[0].command, HasSubstr("echo up; sleep 1000 & wait"));
  EXPECT_EQ(listed[1].command, "sleep 1000");
  EXPECT_EQ(listed[1].ppid, listed[0].pid);
  EXPECT_EQ(listed[1].terminal, "?");
  EXPECT_NEAR(static_cast<double>(listed[0].started), static_cast<double>(::time(nullptr)), 60);
}

TEST_F(Control, ListsWhatItHasChanged) {
  for (const bool keep : {false, true}) {
    auto made =
        request("echo text > /tmp/new; rm /bin/true; touch /etc/passwd; echo up; sleep 1000");
    base::write_file(image() / "etc/passwd", "");
    made.keep_files = keep;
    start(std::move(made));
    std::string listed;
    running_->box().list_changes([&](const auto& answer) {
      for (const auto& change : std::get<std::vector<sandbox::FileChange>>(answer)) {
        listed += fmt::format("{} {}\n", static_cast<char>(change.kind), change.path);
      }
    });
    EXPECT_EQ(listed, "C /bin\nD /bin/true\nC /etc\nC /etc/passwd\nC /tmp\nA /tmp/new\n") << keep;
    running_.reset();
  }
}

TEST_F(Control, TellsWhatIsGoneFromAReplacedDirectory) {
  const auto secret = scratch() / "host";
  std::filesystem::create_directories(secret);
  base::write_file(secret / "file", "");
  std::filesystem::create_directory_symlink(secret, image() / "link");
  start(
      "rm -r /etc /link; mkdir /etc /link; echo > /etc/new; echo > /link/file; echo up; sleep "
      "1000");

  std::string told;
  running_->box().list_changes([&](const auto& answer) {
    for (const auto& change : std::get<std::vector<sandbox::FileChange>>(answer)) {
      told += fmt::format("{} {}\n", static_cast<char>(change.kind), change.path);
    }
  });

  EXPECT_EQ(told, "C /etc\nA /etc/new\nD /etc/passwd\nC /link\nA /link/file\n");
}

TEST_F(Control, TakesOtherLimits) {
  auto made = request("echo up; sleep 1000");
  made.spec.resources.memory_bytes = 64 * base::mebibyte;
  start(std::move(made));
  sandbox::Resources limits;
  limits.pids = 7;
  for (const auto megabytes : {128, 32}) {
    limits.memory_bytes = megabytes * base::mebibyte;
    running_->box().update(limits, expect_done);
    running_->box().statistics([&](const auto& answer) {
      const auto& told = std::get<sandbox::Statistics>(answer);
      EXPECT_EQ(told.memory_limit_bytes, megabytes * base::mebibyte);
      EXPECT_EQ(told.pids_limit, 7U);
    });
  }
}

}  // namespace
}  // namespace twinbox::testing
