#include "vmm/template_maker.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "tests/unit/vmm/scripted_monitor.hpp"

namespace twinbox::vmm {
namespace {

// Says hello as an agent does, a frame with JSON (sandbox/protocol.hpp), and dies soon after.
constexpr const char* dies_after_hello = R"(
port=$(value '"ports":\[[^]]*"descriptor"')
printf '\x22\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0{"protocol": 4, "kernel": "6.1.0"}' >&$port
sleep 0.05
)";

// Is frozen when it is told to, and has no room for a snapshot.
const std::string has_no_room = std::string(dies_after_hello) + R"(
port=$(value '"ports":\[[^]]*"descriptor"')
head -c 16 <&$port >/dev/null
printf '\0\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0\0' >&$port
report=$(value '"report"')
read -r -u $report order
echo '{"event":"done","error":"it does not fit","hint":"","number":28}' >&$report
sleep 100
)";

class TemplateMakerTest : public ScriptedMonitor {
 protected:
  // In place of the file system that a maker mounts; false where it cannot be.
  bool has_room_for(const char* size) const {
    return ::mount("tmpfs", snapshot().parent_path().c_str(), "tmpfs", 0, size) == 0;
  }
  bool booted() const { return std::filesystem::exists(directory_.path() / "booted"); }
  // What a maker ends with.
  std::optional<base::Error> make() {
    std::optional<std::optional<base::Error>> ended;
    const TemplateMaker maker(
        loop_, warm(),
        {.on_monitor = [](pid_t) {}, .on_end = [&](const auto& error) { ended = error; }});
    while (!ended) {
      if (!loop_.run_once(std::chrono::seconds(20))) ADD_FAILURE() << "it does not end";
    }
    return *ended;
  }
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

TEST_F(TemplateMakerTest, BootsNothingWhereThereIsNoRoom) {
  if (!has_room_for("size=8m")) GTEST_SKIP() << "needs root";
  monitor_is("touch ${0%/*}/booted");
  const auto error = make();
  ASSERT_TRUE(error);
  EXPECT_NE(error->message().find("no room for a template"), std::string::npos) << error->what();
  EXPECT_NE(error->hint().find("snapshot prune"), std::string::npos) << error->what();
  EXPECT_FALSE(booted());
}

TEST_F(TemplateMakerTest, MakesRoomByRemovingOthers) {
  if (!has_room_for("size=64m")) GTEST_SKIP() << "needs root";
  const auto other = snapshot().parent_path() / "other.snapshot";
  base::write_file(other, std::string(20 << 20, 's'));
  monitor_is("touch ${0%/*}/booted");
  EXPECT_TRUE(make());
  EXPECT_TRUE(booted());
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(TemplateMakerTest, BootsNothingAgainWhereTheRoomWasTooLittle) {
  if (!has_room_for("size=64m")) GTEST_SKIP() << "needs root";
  monitor_is(has_no_room);
  const auto first = make();
  ASSERT_TRUE(first);
  EXPECT_EQ("it does not fit", first->message());

  monitor_is("touch ${0%/*}/booted");
  EXPECT_TRUE(make());
  EXPECT_FALSE(booted());
}

}  // namespace
}  // namespace twinbox::vmm
