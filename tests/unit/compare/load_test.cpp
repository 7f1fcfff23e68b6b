#include "compare/load.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace twinbox::compare {
namespace {

using namespace std::chrono_literals;

// An engine that is the workload itself, run by this host's shell.
class Direct : public Adapter {
 public:
  Engine describe() const override { return {}; }
  void prepare(const std::string&) override {}
  Launch launch(const LaunchRequest& request) override { return {.command = request.args}; }
};

LaunchRequest shell(const std::string& script) {
  return {.id = "x", .args = {"/bin/sh", "-c", script}, .image = "", .memory = ""};
}

std::vector<double> beside(const std::string& others, const std::string& started) {
  Direct adapter;
  return starts_beside([&](LaunchRequest request) { return Box(adapter, std::move(request)); },
                       {shell(others), shell(others)}, {shell(started), shell(started)}, 60s);
}

std::string failure(const std::string& others, const std::string& started) {
  try {
    beside(others, started);
  } catch (const base::Error& error) {
    return error.message();
  }
  return "none";
}

constexpr const char* idle = "echo ready; exec cat";

TEST(StartsBeside, AreTimedOneByOne) { EXPECT_EQ(beside(idle, "echo ready").size(), 2U); }

TEST(StartsBeside, FailWhenOneThatRanHasDied) {
  EXPECT_EQ(failure("echo ready; echo oops >&2; exit 3", "echo ready"),
            "of those that were to run already, instance 1 ended with status 3: oops");
}

TEST(StartsBeside, FailWhenOneThatRanDoesNotEndAsItShould) {
  EXPECT_EQ(failure("echo ready; cat; echo oops >&2; exit 4", "echo ready"),
            "of those that were to run already, instance 1 ended with status 4: oops");
}

TEST(StartsBeside, FailWithTheStatusOfWhatIsStarted) {
  EXPECT_EQ(failure(idle, "echo ready; echo no >&2; exit 5"), "status 5: no");
}

}  // namespace
}  // namespace twinbox::compare
