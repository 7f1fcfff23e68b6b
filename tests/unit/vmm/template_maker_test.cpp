#include "vmm/template_maker.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>

#include "tests/unit/vmm/scripted_monitor.hpp"

namespace twinbox::vmm {
namespace {

// Says hello as an agent does, a frame with JSON (sandbox/protocol.hpp), and dies soon after.
constexpr const char* dies_after_hello = R"(
port=$(value '"ports":\[[^]]*"descriptor"')
printf '\x22\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0{"protocol": 3, "kernel": "6.1.0"}' >&$port
sleep 0.05
)";

class TemplateMakerTest : public ScriptedMonitor {
 protected:
  WarmStart warm() const {
    WarmStart made;
    made.snapshot = snapshot();
    return made;
  }
};

TEST_F(TemplateMakerTest, LeavesNothingBehindWhenTheMonitorDiesAfterItsHello) {
  monitor_is(dies_after_hello);
  std::optional<base::Error> ended;
  auto maker = std::make_unique<TemplateMaker>(
      loop_, warm(),
      TemplateMaker::Handlers{.on_monitor = [](pid_t) {},
                              .on_end = [&](const auto& error) { ended = error; }});
  while (!ended) ASSERT_TRUE(loop_.run_once(std::chrono::seconds(20)));
  EXPECT_NE(ended->message().find("status 0"), std::string::npos) << ended->what();
  maker.reset();

  // It waits 200 ms after a hello, and must not be called back when it is gone.
  EXPECT_FALSE(loop_.run_once(std::chrono::milliseconds(400)));
}

}  // namespace
}  // namespace twinbox::vmm
