// Density with real boxes: what each state holds, and what ends a growth.
#include <map>

#include "tests/native/compare/compare_fixture.hpp"

namespace twinbox::compare {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

class Density : public CompareCommand {
 protected:
  // `limits` is what a shell runs before.
  Result grow(const std::string& density, const std::string& limits = ":") const {
    const auto plan = out().parent_path() / "plan.json";
    base::write_file(plan, R"({"engines": ["process", "container"], "runs": 1, "warm_ups": 0,
      "memory": "96m", "load": {"parallel": [], "beside": []}, "image_imports": 0, "density": )" +
                               density + "}");
    const auto run =
        base::run_command({"sh", "-c", limits + "; exec \"$@\"", "sh", twinbox_program(), "compare",
                           "--here", "--out", out().string(), plan.string()});
    EXPECT_EQ(run.status, 0) << run.err;
    return report();
  }
};

TEST_F(Density, HoldsWhatEachStateAsksFor) {
  const auto result = grow(R"({"instances": 2, "states": ["idle", "touched", "active"]})");
  ASSERT_EQ(result.density.size(), 6U);
  for (const auto& series : result.density) {
    EXPECT_EQ(series.constraint, "instance budget");
    EXPECT_TRUE(series.stopped_by_budget);
    EXPECT_EQ(series.points.back().instances, 2);
  }
  std::map<std::string, int> processes;
  for (const auto& memory : result.memory) {
    const auto held = memory.components.at("workload").uss;
    if (memory.state == "touched") {
      EXPECT_GE(held, 24 * mebibyte) << memory.engine;
    } else {
      EXPECT_LT(held, 12 * mebibyte) << memory.engine;
    }
    auto& most = processes[memory.state];
    most = std::max(most, memory.processes);
  }
  // The one that works beside the one that waits for its input.
  EXPECT_GT(processes["active"], processes["idle"]);
}

TEST_F(Density, NamesTheDescriptorsThatRanOut) {
  const auto result = grow(R"({"instances": 100, "settle_ms": 1})", "ulimit -n 40");
  ASSERT_EQ(result.density.size(), 2U);
  for (const auto& series : result.density) {
    EXPECT_EQ(series.constraint, "descriptors") << series.detail;
    EXPECT_FALSE(series.stopped_by_budget);
    EXPECT_NE(series.detail.find("oo many open files"), std::string::npos) << series.detail;
    EXPECT_LT(series.points.back().instances, 20);
  }
}

TEST_F(Density, NamesTheMemoryBudgetThatEndedIt) {
  const auto result =
      grow(R"({"instances": 1000, "states": ["touched"], "memory_share": 0.01, "settle_ms": 20})");
  for (const auto& series : result.density) {
    EXPECT_EQ(series.constraint, "memory budget");
    EXPECT_TRUE(series.stopped_by_budget);
    EXPECT_GT(series.points.back().instances, 1);
  }
}

}  // namespace
}  // namespace twinbox::compare
