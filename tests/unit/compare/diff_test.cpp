#include "compare/diff.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

const DiffRow* find(const ReportDiff& diff, const std::string& metric, const std::string& engine) {
  for (const auto& row : diff.rows) {
    if (row.metric == metric && row.engine == engine) return &row;
  }
  return nullptr;
}

// The same comparison with every time of the microVM stretched.
Result stretched(double factor) {
  auto result = rich_result();
  for (auto& sample : result.starts) {
    if (sample.engine != "vm") continue;
    for (auto& [mark, at] : sample.marks) {
      at = static_cast<std::uint64_t>(static_cast<double>(at) * factor);
    }
  }
  return result;
}

TEST(Diff, OfAReportWithItselfIsTheSameEverywhere) {
  const auto found = diff(sample_result(), sample_result(), {});
  EXPECT_FALSE(found.rows.empty());
  EXPECT_TRUE(found.unmatched.empty());
  EXPECT_TRUE(found.warnings.empty());
  EXPECT_EQ(found.count(Change::improved) + found.count(Change::regressed), 0);
}

TEST(Diff, FindsWhatRegressedAndWhatImproved) {
  const auto slower = diff(rich_result(), stretched(1.2), {});
  ASSERT_NE(find(slower, "start-up", "vm"), nullptr);
  EXPECT_EQ(find(slower, "start-up", "vm")->change, Change::regressed);
  EXPECT_NEAR(find(slower, "start-up", "vm")->contrast.ratio, 1.2, 0.001);
  EXPECT_EQ(find(slower, "start-up", "container")->change, Change::same);
  EXPECT_EQ(find(diff(rich_result(), stretched(0.8), {}), "tear-down", "vm")->change,
            Change::improved);
}

TEST(Diff, HigherIsAnImprovementWhereHigherIsBetter) {
  auto after = rich_result();
  for (auto& item : after.measurements) {
    if (item.metric == "requests" && item.engine == "vm") item.value *= 1.5;
  }
  EXPECT_EQ(find(diff(rich_result(), after, {}), "requests", "vm")->change, Change::improved);
}

TEST(Diff, FindsAnInstanceThatHoldsMoreMemory) {
  auto after = rich_result();
  for (auto& memory : after.memory) {
    if (memory.engine == "vm") memory.components.at("guest RAM").pss += 20U << 20U;
  }
  EXPECT_EQ(find(diff(rich_result(), after, {}), "memory of one instance", "vm")->change,
            Change::regressed);
}

TEST(Diff, AChangeWithinTheMarginIsNone) {
  DiffOptions options;
  options.margin = 0.3;
  EXPECT_EQ(find(diff(rich_result(), stretched(1.2), options), "start-up", "vm")->change,
            Change::same);
}

TEST(Diff, FewSamplesAreInconclusive) {
  auto before = rich_result();
  auto after = stretched(1.02);
  const auto few = [](const StartSample& sample) { return sample.block > 2; };
  std::erase_if(before.starts, few);
  std::erase_if(after.starts, few);
  EXPECT_EQ(find(diff(before, after, {}), "start-up", "vm")->change, Change::inconclusive);
}

TEST(Diff, DoesNotCompareWhatIsDefinedInAnotherWay) {
  auto after = rich_result();
  after.metrics.at(0).definition = "Requests in a pipeline.";
  for (auto& engine : after.engines) {
    if (engine.name == "container") engine.settings = {{"cpus", "2"}, {"memory", "128m"}};
  }
  const auto found = diff(rich_result(), after, {});
  EXPECT_EQ(find(found, "requests", "vm"), nullptr);
  EXPECT_EQ(find(found, "start-up", "container"), nullptr);
  EXPECT_NE(find(found, "random read", "vm"), nullptr);
  const auto mentions = [&](const std::string& part) {
    for (const auto& reason : found.unmatched) {
      if (reason.find(part) != std::string::npos) return true;
    }
    return false;
  };
  EXPECT_TRUE(mentions("defined in another way"));
  EXPECT_TRUE(mentions("cpus: '1' and '2'"));
}

TEST(Diff, RefusesOtherHostsUnlessAsked) {
  auto after = sample_result();
  after.hosts.front().facts.at(0).value = "Other Processor";
  try {
    diff(sample_result(), after, {});
    FAIL() << "reports of two processors were compared";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("processor"), std::string::npos) << error.message();
  }
  DiffOptions options;
  options.across_hosts = true;
  EXPECT_EQ(diff(sample_result(), after, options).warnings.size(), 1U);
}

TEST(Diff, RefusesTheLabAgainstANativeHost) {
  auto after = sample_result();
  after.hosts.front().name = "lab";
  after.hosts.front().kind = HostKind::deterministic_lab;
  for (auto& engine : after.engines) engine.host = "lab";
  // The machine that emulated it has the first report's name.
  after.hosts.push_back(sample_result().hosts.front());
  EXPECT_THROW(diff(sample_result(), after, {}), base::Error);
}

TEST(Diff, WarnsOfASettingOfTheHost) {
  auto after = sample_result();
  for (auto& fact : after.hosts.front().facts) {
    if (fact.name == "frequency governor") fact.value = "powersave";
  }
  const auto found = diff(sample_result(), after, {});
  ASSERT_EQ(found.warnings.size(), 1U);
  EXPECT_NE(found.warnings[0].find("powersave"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::compare
