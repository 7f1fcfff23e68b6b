#include "compare/diff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/density.hpp"
#include "tests/unit/compare/diff_support.hpp"

namespace twinbox::compare {
namespace {

// The same comparison with every time of the microVM stretched.
Result stretched(double factor) {
  auto result = no_growth();
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
  const auto slower = diff(no_growth(), stretched(1.2), {});
  ASSERT_NE(find(slower, "start-up", "vm"), nullptr);
  EXPECT_EQ(find(slower, "start-up", "vm")->change, Change::regressed);
  EXPECT_NEAR(find(slower, "start-up", "vm")->contrast.ratio, 1.2, 0.001);
  EXPECT_EQ(find(slower, "start-up", "container")->change, Change::same);
  EXPECT_EQ(find(diff(no_growth(), stretched(0.8), {}), "tear-down", "vm")->change,
            Change::improved);
}

TEST(Diff, HigherIsAnImprovementWhereHigherIsBetter) {
  auto after = no_growth();
  for (auto& item : after.measurements) {
    if (item.metric == "requests" && item.engine == "vm") item.value *= 1.5;
  }
  EXPECT_EQ(find(diff(no_growth(), after, {}), "requests", "vm")->change, Change::improved);
}

// As many growths of each engine, one after another, instances numbered from 1 in each.
Result with_growths(int growths, std::uint64_t more) {
  auto result = no_growth();
  const auto once = result.memory;
  result.memory.clear();
  for (int growth = 0; growth < growths; ++growth) {
    for (auto memory : once) {
      if (memory.running != 8) continue;
      memory.components.at("supervisor").pss += static_cast<std::uint64_t>(growth) * 4096;
      if (memory.engine == "vm") memory.components.at("guest RAM").pss += more;
      result.memory.push_back(memory);
    }
  }
  result.starts.clear();
  result.measurements.clear();
  return result;
}

TEST(Diff, FindsAnInstanceThatHoldsMoreMemory) {
  const auto found = diff(with_growths(6, 0), with_growths(6, 20U << 20U), {});
  EXPECT_EQ(find(found, "memory of one instance", "vm")->change, Change::regressed);
  EXPECT_EQ(find(found, "memory of one instance", "container")->change, Change::same);
}

TEST(Diff, InstancesOfOneGrowthAreOneValue) {
  const auto found = diff(with_growths(1, 0), with_growths(1, 20U << 20U), {});
  const auto* row = find(found, "memory of one instance", "vm");
  ASSERT_NE(row, nullptr);
  EXPECT_GT(row->contrast.ratio, 1.2);
  EXPECT_EQ(row->contrast.p, 1);
  EXPECT_EQ(row->change, Change::inconclusive);
}

TEST(Diff, AReportIsTheSameAsItselfToTheLastRow) {
  auto result = no_growth();
  // A workload that never says ready, and a metric that is 0.
  for (auto& sample : result.starts) {
    sample.marks[sandbox::Mark::ready] = sample.marks[sandbox::Mark::gone];
  }
  for (auto& item : result.measurements) {
    if (item.metric == "events") item.value = 0;
  }
  const auto found = diff(result, result, {});
  EXPECT_FALSE(found.rows.empty());
  EXPECT_EQ(found.count(Change::same), static_cast<int>(found.rows.size()));
  EXPECT_TRUE(found.unmatched.empty());
  EXPECT_TRUE(mentions(found.warnings, "events, sysbench, vm: 0 in both reports"));
}

TEST(Diff, DoesNotJudgeTheEngineThatRepeatsAnother) {
  const auto found = diff(no_growth(), no_growth(), {});
  EXPECT_EQ(find(found, "start-up", "container-again"), nullptr);
  EXPECT_FALSE(mentions(found.unmatched, "container-again"));
}

// Twelve engines in two dozen metrics.
Result of_many_rows(double factor) {
  Result result;
  result.plan.seed = 1;
  result.hosts = {{"this host", HostKind::native, {}}};
  for (int engine = 0; engine < 12; ++engine) {
    result.engines.push_back(describe_engine(fmt::format("engine-{}", engine)));
    result.engines.back().host = "this host";
  }
  for (int metric = 0; metric < 25; ++metric) {
    const auto name = fmt::format("metric {}", metric);
    result.metrics.push_back({name, name, "ns", Better::lower, "A time.", ""});
    for (int engine = 0; engine < 12; ++engine) {
      const bool worse = metric == 3 && engine == 5;
      for (int block = 0; block < 30; ++block) {
        result.measurements.push_back(
            {name,
             result.engines[static_cast<std::size_t>(engine)].name,
             "work",
             block,
             0,
             false,
             {},
             (100 + (block * 7 + metric + engine) % 11) * (worse ? factor : 1)});
      }
    }
  }
  return result;
}

TEST(Diff, TellsOneRegressionAmongThreeHundredRows) {
  const auto found = diff(of_many_rows(1), of_many_rows(1.5), {});
  EXPECT_EQ(found.rows.size(), 300U);
  EXPECT_EQ(found.count(Change::regressed), 1);
  EXPECT_EQ(find(found, "metric 3", "engine-5")->change, Change::regressed);
}

TEST(Diff, WarnsOfAFactThatOneReportDoesNotTell) {
  auto after = sample_result();
  std::erase_if(after.hosts.front().facts,
                [](const Fact& fact) { return fact.name == "frequency governor"; });
  EXPECT_TRUE(mentions(diff(sample_result(), after, {}).warnings,
                       "frequency governor: 'performance' and not told"));
  EXPECT_TRUE(mentions(diff(after, sample_result(), {}).warnings,
                       "frequency governor: not told and 'performance'"));
}

// The growths of two engines alone.
Result growths_only() {
  auto result = rich_result();
  result.starts.clear();
  result.measurements.clear();
  result.memory.clear();
  std::erase_if(result.density, [](const DensitySeries& series) {
    return series.engine != "vm" && series.engine != "container";
  });
  return result;
}

// What a microVM loses the host, in every state, `factor` times.
Result heavier(double factor) {
  auto result = growths_only();
  for (auto& series : result.density) {
    if (series.engine != "vm") continue;
    const auto first = series.points.front().available_bytes;
    for (auto& point : series.points) {
      point.available_bytes =
          first -
          static_cast<std::uint64_t>(static_cast<double>(first - point.available_bytes) * factor);
    }
  }
  return result;
}

const DiffRow* slope(const ReportDiff& diff, const std::string& engine, const std::string& state) {
  for (const auto& row : diff.rows) {
    if (row.metric == density_metric().name && row.engine == engine && row.workload == state) {
      return &row;
    }
  }
  return nullptr;
}

TEST(Diff, ComparesTheSlopesOfEveryState) {
  const auto found = diff(growths_only(), heavier(1.2), {});
  for (const auto* const state : {"idle", "touched"}) {
    ASSERT_NE(slope(found, "vm", state), nullptr);
    EXPECT_EQ(slope(found, "vm", state)->change, Change::regressed) << state;
    EXPECT_NEAR(slope(found, "vm", state)->contrast.ratio, 1.2, 0.01);
    EXPECT_EQ(slope(found, "container", state)->change, Change::same) << state;
  }
  EXPECT_EQ(slope(diff(heavier(1.2), growths_only(), {}), "vm", "idle")->change, Change::improved);
}

TEST(Diff, DoesNotCompareGrowthsOfAnotherKind) {
  auto after = growths_only();
  after.plan.density.settle_ms += 100;
  EXPECT_TRUE(mentions(diff(growths_only(), after, {}).unmatched, "milliseconds of settling"));
  after = growths_only();
  after.plan.density.discarded_share = 0.5;
  EXPECT_TRUE(mentions(diff(growths_only(), after, {}).unmatched, "share of instances left out"));
}

// Each instance costs 4 MiB more than the one before it, all of it `factor` times.
Result bent(double factor) {
  auto result = growths_only();
  for (auto& series : result.density) {
    const auto first = series.points.front().available_bytes;
    for (auto& point : series.points) {
      const auto lost = static_cast<double>(first - point.available_bytes) +
                        2.0 * (1U << 20U) * point.instances * point.instances;
      point.available_bytes = first - static_cast<std::uint64_t>(factor * lost);
    }
  }
  return result;
}

TEST(Diff, ACurveIsNoSlopeThatChanged) {
  const auto found = diff(bent(1), bent(3), {});
  const auto* row = slope(found, "vm", "idle");
  ASSERT_NE(row, nullptr);
  EXPECT_NEAR(row->contrast.ratio, 3, 0.1);
  EXPECT_EQ(row->change, Change::inconclusive);
}

TEST(Diff, ASlopeThatIsLostInTheNoiseIsNotCompared) {
  auto after = growths_only();
  for (auto& series : after.density) {
    if (series.engine != "container") continue;
    for (auto& point : series.points) point.available_bytes = series.points[0].available_bytes;
  }
  const auto found = diff(growths_only(), after, {});
  EXPECT_EQ(slope(found, "container", "idle"), nullptr);
  EXPECT_TRUE(mentions(found.unmatched, "memory per instance, idle, container: a slope"));
}

TEST(Diff, WarnsOfAGrowthThatEndedOtherwise) {
  auto after = growths_only();
  for (auto& series : after.density) {
    if (series.engine != "vm" || series.state != "idle") continue;
    series.points.resize(20);
    series.constraint = "out of memory";
    series.stopped_by_budget = false;
  }
  EXPECT_TRUE(mentions(diff(growths_only(), after, {}).warnings,
                       "growth of idle vm: instance budget at 24 and failed by out of memory at "
                       "19"));
}

TEST(Diff, ComparesStartsUnderLoadAtTheSameLoad) {
  auto after = no_growth();
  for (auto& item : after.measurements) {
    if (item.metric == "launch rate" && item.engine == "vm" && item.at == 4) item.value *= 0.7;
  }
  const auto found = diff(no_growth(), after, {});
  int rows = 0;
  for (const auto& row : found.rows) {
    if (row.metric != "launch rate" || row.engine != "vm") continue;
    ++rows;
    EXPECT_EQ(row.change, row.at == 4 ? Change::regressed : Change::same) << *row.at;
  }
  EXPECT_EQ(rows, 3);
}

TEST(Diff, WarnsOfOtherProgramsAndOfWhatFailed) {
  auto before = no_growth();
  auto after = no_growth();
  for (auto* result : {&before, &after}) {
    for (auto& engine : result->engines) {
      if (engine.name == "docker") engine.version = result == &before ? "20.10" : "24.0";
    }
    result->failures.push_back({"vm", "redis", "it has no image"});
  }
  after.failures.push_back({"vm", "fio", "no space left"});
  const auto warnings = diff(before, after, {}).warnings;
  EXPECT_TRUE(mentions(warnings, "docker: version '20.10' and '24.0'"));
  EXPECT_TRUE(mentions(warnings, "vm was not measured in the second report (fio)"));
  EXPECT_FALSE(mentions(warnings, "(redis)"));
}

// Every report that the project keeps, against itself and against one in which an engine got worse.
TEST(Diff, OfKeptReports) {
  int reports = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TWINBOX_SOURCE "/docs/results")) {
    const auto file = entry.path() / "report.json";
    if (!std::filesystem::exists(file)) continue;
    ++reports;
    const auto before = result_from_json(base::read_file(file), file.string());
    const auto same = diff(before, before, {});
    EXPECT_FALSE(same.rows.empty());
    EXPECT_TRUE(same.warnings.empty());
    EXPECT_EQ(same.count(Change::improved) + same.count(Change::regressed), 0);

    auto after = before;
    for (auto& sample : after.starts) {
      // With its A/A run, or that would be the noise.
      if (!sample.engine.starts_with("container")) continue;
      for (auto& [mark, at] : sample.marks) at += at / 2;
    }
    const auto slower = diff(before, after, {});
    EXPECT_EQ(find(slower, "start-up", "container")->change, Change::regressed);
    EXPECT_EQ(find(slower, "start-up", "process")->change,
              find(same, "start-up", "process")->change);
  }
  EXPECT_GT(reports, 0);
}

TEST(Diff, AChangeWithinTheMarginIsNone) {
  DiffOptions options;
  options.margin = 0.3;
  EXPECT_EQ(find(diff(no_growth(), stretched(1.2), options), "start-up", "vm")->change,
            Change::same);
}

TEST(Diff, FewSamplesAreInconclusive) {
  auto before = no_growth();
  auto after = stretched(1.02);
  const auto few = [](const StartSample& sample) { return sample.block > 2; };
  std::erase_if(before.starts, few);
  std::erase_if(after.starts, few);
  EXPECT_EQ(find(diff(before, after, {}), "start-up", "vm")->change, Change::inconclusive);
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

TEST(Diff, RefusesAColdPageCacheAgainstAWarmOne) {
  auto after = sample_result();
  after.plan.page_cache = PageCache::cold;
  DiffOptions options;
  options.across_hosts = true;
  EXPECT_THROW(diff(sample_result(), after, options), base::Error);
  EXPECT_NO_THROW(diff(after, after, options));
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
