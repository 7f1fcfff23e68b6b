#include "vmm/monitor_record.hpp"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm {
namespace {

// A process that stands for a monitor.
class MonitorRecord : public testing::Test {
 protected:
  MonitorRecord() {
    const char* argv[] = {"/bin/sleep", "1000", nullptr};
    EXPECT_EQ(0, ::posix_spawn(&pid_, argv[0], nullptr, nullptr, const_cast<char* const*>(argv),
                               environ));
  }
  ~MonitorRecord() override {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    base::wait_for(pid_);
  }
  int reap() { return base::shell_status(base::wait_for(std::exchange(pid_, -1))); }
  bool runs() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

  base::TemporaryDirectory directory_;
  pid_t pid_ = -1;
};

TEST_F(MonitorRecord, TheRecordedProcessIsKilled) {
  record_monitor(directory_.path(), pid_);
  kill_recorded_monitor(directory_.path());
  EXPECT_EQ(128 + SIGKILL, reap());
  kill_recorded_monitor(directory_.path());  // once more, now that it is gone
}

TEST_F(MonitorRecord, AnotherProcessWithTheSameNumberIsSpared) {
  record_monitor(directory_.path(), pid_);
  const auto file = directory_.path() / "monitor.json";
  auto json = base::parse_json(base::read_file(file), "monitor.json");
  json["start_time"] = json["start_time"].get<std::uint64_t>() + 1;
  base::write_file(file, json.dump());

  kill_recorded_monitor(directory_.path());

  EXPECT_TRUE(runs());
}

TEST_F(MonitorRecord, NoRecordOrABrokenOneIsNoTrouble) {
  kill_recorded_monitor(directory_.path());
  for (const auto* text : {"", "{", "{}", "[]", "{\"pid\": -1, \"start_time\": 5}",
                           "{\"pid\": 0, \"start_time\": 0}"}) {
    base::write_file(directory_.path() / "monitor.json", text);
    kill_recorded_monitor(directory_.path());
  }
  EXPECT_TRUE(runs());
}

}  // namespace
}  // namespace twinbox::vmm
