// Makers of templates whose monitor is a script.
#include "vmm/template_maker.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "base/file.hpp"

namespace twinbox::vmm {
namespace {

namespace fs = std::filesystem;

// Says hello as an agent does, a frame with JSON (sandbox/protocol.hpp), and dies soon after.
constexpr const char* dies_after_hello = R"(#!/bin/bash
set -e
config=${1#--config-fd=}
port=$(sed -E 's/.*"ports": *\[\{[^]]*"descriptor": *([0-9]+).*/\1/' /proc/self/fd/$config)
printf '\x22\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0{"protocol": 3, "kernel": "6.1.0"}' >&$port
sleep 0.05
)";

class TemplateMakerTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(directory_.path() / "templates");
    ::setenv("TWINBOX_BIN", directory_.path().c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("TWINBOX_BIN");
    ::umount2((directory_.path() / "templates").c_str(), MNT_DETACH);
  }

  void monitor_is(const char* script) const {
    const auto path = directory_.path() / "twinbox-vmm";
    base::write_file(path, script);
    ::chmod(path.c_str(), 0755);
  }
  WarmStart warm() const {
    WarmStart made;
    made.snapshot = directory_.path() / "templates/key.snapshot";
    return made;
  }

  base::TemporaryDirectory directory_;
  base::EventLoop loop_;
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
