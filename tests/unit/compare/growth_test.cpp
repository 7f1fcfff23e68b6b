#include "compare/growth.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::compare {
namespace {

// An engine that is the workload itself, run by this host's shell.
class Direct : public Adapter {
 public:
  Engine describe() const override { return {}; }
  void prepare(const std::string&) override {}
  Launch launch(const LaunchRequest& request) override { return {.command = request.args}; }
};

class Growth : public ::testing::Test {
 protected:
  Growth() {
    plan_.density.settle_ms = 1;
    plan_.density.limits["direct"] = 3;
    plan_.settings["direct"] = {.engine = "process"};
    plan_.timeout_s = 60;
  }
  // The nth instance runs the nth script, the last one again and again.
  DensitySeries grow(std::vector<std::string> scripts) {
    Grower grower(
        plan_, "direct", "idle",
        [&] {
          const auto script = scripts[std::min(started_++, scripts.size() - 1)];
          return Box(adapter_, {.id = "x",
                                .args = {"/bin/sh", "-c", script},
                                .image = "",
                                .memory = "",
                                .held_open = true});
        },
        [](int, int) {});
    auto part = grower.grow();
    memory_ = part.memory;
    return part.density.at(0);
  }

  base::TemporaryDirectory directory_;
  Plan plan_;
  std::vector<InstanceMemory> memory_;
  Direct adapter_;
  std::size_t started_ = 0;
};

constexpr const char* idle = "echo ready; exec cat";

TEST_F(Growth, StopsAtItsBudget) {
  const auto series = grow({idle});
  EXPECT_EQ(series.constraint, "instance budget");
  EXPECT_TRUE(series.stopped_by_budget);
  ASSERT_EQ(series.points.size(), 4U);
  EXPECT_TRUE(series.points[1].ready_ns.has_value());
}

TEST_F(Growth, NamesTheConstraintThatFailed) {
  const auto series = grow({idle, "echo 'sh: fork: Resource temporarily unavailable' >&2; exit 1"});
  EXPECT_EQ(series.constraint, "fork");
  EXPECT_FALSE(series.stopped_by_budget);
  EXPECT_EQ(series.detail, "sh: fork: Resource temporarily unavailable");
  EXPECT_EQ(series.points.back().instances, 1);
}

TEST_F(Growth, StopsWhenStartsTakeTooLong) {
  plan_.density.ready_ms = 20;
  const auto series = grow({idle, "sleep 0.2; echo ready; exec cat"});
  EXPECT_EQ(series.constraint, "readiness");
  EXPECT_EQ(series.points.back().instances, 2);
}

TEST_F(Growth, EndsWhenOneThatRanHasBeenKilled) {
  // The second one ends the first, as a kernel does that has no memory left.
  const auto pid = directory_.path() / "pid";
  const auto series = grow({fmt::format("echo $$ >{}; {}", pid.string(), idle), idle,
                            fmt::format("kill -KILL $(cat {}); {}", pid.string(), idle)});
  EXPECT_EQ(series.constraint, "out of memory");
  EXPECT_FALSE(series.stopped_by_budget);
  EXPECT_EQ(series.detail, "instance 1 ended with status 137: it said nothing");
  EXPECT_EQ(series.points.back().instances, 2);
}

TEST_F(Growth, EndsWhenOneThatRanHasDied) {
  plan_.density.settle_ms = 100;
  const auto series = grow({idle, "echo ready; echo oops >&2; exit 3"});
  EXPECT_EQ(series.constraint, "instance died");
  EXPECT_EQ(series.detail, "instance 2 ended with status 3: oops");
  EXPECT_EQ(series.points.back().instances, 1);
}

TEST_F(Growth, TellsOfAnInstanceThatDoesNotEndAsItShould) {
  const auto series = grow({"echo ready; cat; exit 4"});
  EXPECT_EQ(series.constraint, "instance died");
  EXPECT_EQ(series.points.back().instances, 3);
}

TEST_F(Growth, NamesAStartThatIsNeverReady) {
  plan_.timeout_s = 1;
  const auto series = grow({idle, "exec sleep 100"});
  EXPECT_EQ(series.constraint, "readiness");
  EXPECT_EQ(series.detail, "it was not ready after 1 s");
}

TEST_F(Growth, NamesAStartThatWasKilled) {
  EXPECT_EQ(grow({idle, "kill -KILL $$"}).constraint, "out of memory");
}

TEST_F(Growth, MeasuresNoMemoryOfTheDead) {
  plan_.density.settle_ms = 100;
  grow({idle, idle, "echo ready; exit 3"});
  ASSERT_EQ(memory_.size(), 3U);  // the first alone, and the two that are left
  EXPECT_EQ(memory_.back().running, 2);
}

TEST_F(Growth, IsAnErrorWhenTheFirstDies) {
  plan_.density.settle_ms = 100;
  EXPECT_THROW(grow({"echo ready; exit 1"}), base::Error);
}

TEST_F(Growth, IsAnErrorWhenNotEvenOneStarts) {
  EXPECT_THROW(grow({"echo no >&2; exit 1"}), base::Error);
}

TEST(Constraint, IsReadFromWhatFailed) {
  EXPECT_EQ(constraint_named_in("mmap: Cannot allocate memory"), "out of memory");
  EXPECT_EQ(constraint_named_in("pipe: Too many open files"), "descriptors");
  EXPECT_EQ(constraint_named_in("segmentation fault"), "instance failed");
}

TEST(States, HoldOrUseWhatTheyAskFor) {
  Plan plan;
  plan.memory = "64m";
  EXPECT_EQ(workload_in_state(plan, "vm", "idle").args, plan.idle.args);
  EXPECT_NE(workload_in_state(plan, "vm", "touched").args.back().find("bs=16777216"),
            std::string::npos);
  EXPECT_NE(workload_in_state(plan, "vm", "active").args.back().find("sleep 0.1"),
            std::string::npos);
}

}  // namespace
}  // namespace twinbox::compare
