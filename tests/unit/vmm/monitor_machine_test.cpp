#include "vmm/monitor_machine.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "tests/unit/vmm/scripted_monitor.hpp"
#include "vmm/template_store.hpp"

namespace twinbox::vmm {
namespace {

namespace fs = std::filesystem;

std::string ends_with(const std::string& reason) {
  return R"(echo '{"event":"end","reason":")" + reason +
         R"(","message":"no good"}' >&$(value '"report"'))";
}

class MonitorMachineTest : public ScriptedMonitor {
 protected:
  void SetUp() override {
    ScriptedMonitor::SetUp();
    base::write_file(snapshot(), "a template");
    lock_template(snapshot());
  }

  fs::path lock() const { return fs::path(snapshot()).replace_extension(".lock"); }

  // A machine from the template, and then a cold one, which cannot be planned.
  std::optional<sandbox::GuestMachine::End> start() {
    WarmStart warm;
    warm.snapshot = snapshot();
    MonitorMachine machine({.cold = []() -> MachineConfig {
                              throw base::Error(base::ErrorKind::usage, "it went cold");
                            },
                            .warm = [&] { return warm; },
                            .standby = {}},
                           directory_.path());
    std::optional<sandbox::GuestMachine::End> ended;
    machine.start(loop_, {.on_mark = [](auto, const auto&) {},
                          .on_port = [](auto, auto) {},
                          .on_end = [&](const auto& end) { ended = end; }});
    while (!ended && loop_.run_once(std::chrono::seconds(20))) {
    }
    return ended;
  }
};

TEST_F(MonitorMachineTest, RemovesATemplateThatCannotBeUsed) {
  monitor_is(ends_with("snapshot_error"));
  const auto end = start();
  ASSERT_TRUE(end);
  EXPECT_EQ("it went cold", end->reason.message());
  EXPECT_FALSE(fs::exists(snapshot()));
}

TEST_F(MonitorMachineTest, KeepsTheTemplateWhereSomethingElseIsWrong) {
  monitor_is(ends_with("setup_error"));
  const auto end = start();
  ASSERT_TRUE(end);
  EXPECT_EQ("it went cold", end->reason.message());
  EXPECT_TRUE(fs::exists(snapshot()));
}

TEST_F(MonitorMachineTest, BootsAlsoWhereTheTemplateCannotBeRemoved) {
  monitor_is(ends_with("snapshot_error"));
  fs::remove(lock());
  fs::create_directory(lock());  // it cannot be opened
  const auto end = start();
  ASSERT_TRUE(end);
  EXPECT_EQ("it went cold", end->reason.message());
}

TEST_F(MonitorMachineTest, NotesItsUseOfATemplate) {
  monitor_is(ends_with("setup_error"));
  const auto before = fs::last_write_time(lock());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  start();
  EXPECT_GT(fs::last_write_time(lock()), before);
}

}  // namespace
}  // namespace twinbox::vmm
