#include "compare/summary.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

bool any_verdict(const Summary& summary, const std::string& part) {
  return std::any_of(summary.verdicts.begin(), summary.verdicts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

TEST(Durations, LeaveWarmUpsOut) {
  const auto values = durations(sample_result(), "vm", Mark::request, Mark::ready);
  ASSERT_EQ(values.size(), 5U);
  // The warm-up took half as long again.
  for (const double value : values) EXPECT_LT(value, 450e6);
}

TEST(Durations, SkipRunsWithoutTheMark) {
  auto result = sample_result();
  for (auto& sample : result.starts) sample.marks.erase(Mark::executed);
  EXPECT_TRUE(durations(result, "vm", Mark::request, Mark::executed).empty());
  EXPECT_FALSE(summarise(result).find("vm")->to_executed.has_value());
}

TEST(Summarise, FindsEveryEngineInThePlansOrder) {
  const auto summary = summarise(sample_result());
  ASSERT_EQ(summary.engines.size(), 3U);
  EXPECT_EQ(summary.engines[0].engine, "process");
  EXPECT_EQ(summary.engines[2].engine, "vm");
}

TEST(Summarise, PhasesJoinUpFromTheRequestToTheEnd) {
  const auto summary = summarise(sample_result());
  const auto& phases = summary.find("vm")->phases;
  ASSERT_EQ(phases.size(), 7U);
  EXPECT_EQ(phases.front().from, Mark::request);
  EXPECT_EQ(phases.back().to, Mark::gone);
  for (std::size_t i = 1; i < phases.size(); ++i) {
    EXPECT_EQ(phases[i].from, phases[i - 1].to);
    EXPECT_DOUBLE_EQ(phases[i].start_ns, phases[i - 1].start_ns + phases[i - 1].length_ns);
  }
}

TEST(Summarise, AMissingMarkMakesOnePhaseOfTwo) {
  auto result = sample_result();
  for (auto& sample : result.starts) sample.marks.erase(Mark::booted);
  const auto summary = summarise(result);
  const auto& phases = summary.find("vm")->phases;
  ASSERT_EQ(phases.size(), 6U);
  EXPECT_EQ(phases[2].from, Mark::created);
  EXPECT_EQ(phases[2].to, Mark::executed);
}

TEST(Summarise, WhatIsReadyWhenItEndsHasNoTearDown) {
  auto result = sample_result();
  for (auto& sample : result.starts) sample.marks[Mark::ready] = sample.marks[Mark::gone];
  const auto summary = summarise(result);
  EXPECT_FALSE(summary.find("vm")->teardown.has_value());
  EXPECT_EQ(summary.find("vm")->phases.back().to, Mark::ready);
}

TEST(Summarise, NoMarkWasReachedAfterOneThatFollowsIt) {
  auto result = sample_result();
  for (auto& sample : result.starts) {
    sample.marks[Mark::executed] = sample.marks[Mark::ready] + 1000;
  }
  EXPECT_EQ(durations(result, "vm", Mark::request, Mark::executed),
            durations(result, "vm", Mark::request, Mark::first_output));
  const auto summary = summarise(result);
  for (const auto& phase : summary.find("vm")->phases) EXPECT_GE(phase.length_ns, 0) << phase.name;
}

TEST(Summarise, TellsTheCpuTimeAtTheMarksThatHaveOne) {
  auto result = sample_result();
  for (auto& sample : result.starts) {
    if (sample.engine != "vm") continue;
    sample.cpu_ns = {{Mark::entered, 10}, {Mark::executed, 90}, {Mark::ready, 70}};
  }
  const auto summary = summarise(result);
  // The supervisor learnt of the exec after the workload was ready.
  EXPECT_EQ(summary.find("vm")->cpu_at_marks,
            (std::map<Mark, double>{{Mark::entered, 10}, {Mark::executed, 70}, {Mark::ready, 70}}));
  EXPECT_TRUE(summary.find("container")->cpu_at_marks.empty());
  const auto median = [&](const std::string& metric) {
    const auto found = std::ranges::find_if(summary.figures, [&](const MetricFigure& figure) {
      return figure.metric == metric && figure.engine == "vm";
    });
    return found == summary.figures.end() ? 0 : found->figure.median;
  };
  EXPECT_EQ(median("CPU time to exec"), 70);
  EXPECT_EQ(median("CPU time to ready"), 70);
}

TEST(Summarise, FitsTheSlopeWithoutTheFirstInstances) {
  const auto summary = summarise(sample_result());
  const auto& density = *summary.find("vm")->density;
  EXPECT_EQ(density.first, 3);
  EXPECT_EQ(density.last, 6);
  EXPECT_NEAR(density.line.slope, 52.0 * 1024 * 1024, 100.0 * 1024);
  EXPECT_TRUE(density.measurable());
  EXPECT_NEAR(density.capacity, (3000.0 - 9) / 52, 1);
}

TEST(Summarise, ComparesWithTheProcessAndTheContainer) {
  const auto summary = summarise(sample_result());
  const auto* found = summary.find_comparison("start-up", "vm", "container");
  ASSERT_NE(found, nullptr);
  EXPECT_NEAR(found->contrast.ratio, 405.01 / 7.31, 2);
  EXPECT_LE(found->contrast.interval.low, found->contrast.ratio);
  EXPECT_GE(found->contrast.interval.high, found->contrast.ratio);
  EXPECT_EQ(found->contrast.delta, 1);
  EXPECT_NE(summary.find_comparison("tear-down", "vm", "process"), nullptr);
  EXPECT_EQ(summary.find_comparison("start-up", "process", "container"), nullptr);
}

TEST(Summarise, ComparesNothingAcrossHosts) {
  auto result = sample_result();
  result.hosts.push_back({"lab", HostKind::deterministic_lab, {}});
  result.engines.at(2).host = "lab";
  const auto summary = summarise(result);
  EXPECT_EQ(summary.find_comparison("start-up", "vm", "container"), nullptr);
  EXPECT_NE(summary.find_comparison("start-up", "container", "process"), nullptr);
  EXPECT_TRUE(std::all_of(summary.ratios.begin(), summary.ratios.end(),
                          [](const Ratio& ratio) { return ratio.engine != "vm"; }));
}

TEST(Summarise, MemoryHasAComponentForTheGuest) {
  const auto summary = summarise(sample_result());
  const auto& alone = *summary.find("vm")->alone;
  EXPECT_EQ(alone.components.at("guest RAM").pss, 46U << 20U);
  EXPECT_EQ(alone.running, 1);
  EXPECT_EQ(summary.find("vm")->together->running, 6);
  EXPECT_LT(summary.find("vm")->together->total.pss, alone.total.pss);
}

TEST(Verdicts, SayWhatTheFiguresSay) {
  const auto summary = summarise(sample_result());
  EXPECT_TRUE(any_verdict(summary, "A microVM is ready after 40") &&
              any_verdict(summary, "(95 % interval "));
  EXPECT_TRUE(any_verdict(summary, "\"kernel boots\" makes up 88 %"));
  EXPECT_TRUE(any_verdict(summary, "the monitor holds 3.0 MiB beside it"));
  EXPECT_TRUE(any_verdict(summary, "Extrapolated, not reached"));
}

TEST(Verdicts, SetTheContainerAgainstTheProcessWhereThereIsNoMachine) {
  auto result = rich_result();
  std::erase_if(result.engines,
                [](const Engine& engine) { return engine.kind == BoxKind::machine; });
  std::erase_if(result.starts, [](const auto& sample) { return sample.engine.starts_with("vm"); });
  const auto summary = summarise(result);
  ASSERT_FALSE(summary.verdicts.empty());
  EXPECT_TRUE(summary.verdicts[0].starts_with("A container takes 3.4")) << summary.verdicts[0];
}

TEST(Verdicts, SetTheMachineAgainstTheProcessWhereThereIsNoContainer) {
  auto result = sample_result();
  std::erase_if(result.engines, [](const Engine& engine) { return engine.name == "container"; });
  std::erase_if(result.starts, [](const auto& sample) { return sample.engine == "container"; });
  std::erase_if(result.density, [](const auto& series) { return series.engine == "container"; });
  // Enough runs to tell.
  const auto once = result.starts;
  for (int more = 1; more < 4; ++more) {
    for (auto sample : once) {
      sample.block += 10 * more;
      result.starts.push_back(sample);
    }
  }
  const auto summary = summarise(result);
  EXPECT_TRUE(summary.verdicts.at(0).starts_with("A microVM takes 15")) << summary.verdicts[0];
  EXPECT_TRUE(any_verdict(summary, "that a microVM takes longer than a plain process"));
}

TEST(Verdicts, GiveTheEffectSizeBesideP) {
  EXPECT_TRUE(any_verdict(summarise(rich_result()), ", Cliff's delta 1.00; A/A differs by"));
}

TEST(Verdicts, GiveAbsoluteValuesOfWorkloads) {
  const auto summary = summarise(rich_result());
  EXPECT_TRUE(any_verdict(summary, "against a plain process with 90.8 k/s: a container "));
  EXPECT_TRUE(any_verdict(summary, "a microVM 78.8 k/s, 0.868 times (95 % interval 0.861"));
}

TEST(Verdicts, NameEnginesThatWereNotMeasured) {
  auto result = sample_result();
  std::erase_if(result.starts, [](const StartSample& sample) { return sample.engine == "vm"; });
  std::erase_if(result.memory, [](const InstanceMemory& memory) { return memory.engine == "vm"; });
  std::erase_if(result.density, [](const DensitySeries& series) { return series.engine == "vm"; });
  result.failures.push_back({"vm", "start-up", "there is no /dev/kvm"});
  const auto summary = summarise(result);
  EXPECT_EQ(summary.engines.size(), 2U);
  EXPECT_TRUE(any_verdict(summary, "A microVM was not measured (start-up): there is no /dev/kvm"));
}

TEST(Verdicts, DoNotReadASlopeOutOfNoise) {
  auto result = sample_result();
  auto& points = result.density.at(0).points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i].available_bytes = (3000U << 20U) + (i % 2 == 0 ? 0U : 40U << 20U);
  }
  const auto summary = summarise(result);
  EXPECT_FALSE(summary.find("process")->density->measurable());
  EXPECT_TRUE(any_verdict(summary, "lost in the noise of this host's memory for a plain process"));
}

// Idle containers that cost next to nothing at first and `late` KiB each in the end.
Result curved(std::uint64_t late) {
  auto result = rich_result();
  for (auto& series : result.density) {
    if (series.engine != "container") continue;
    auto available = series.points.front().available_bytes;
    for (auto& point : series.points) {
      if (point.instances > 0) available -= (point.instances <= 40 ? 4 : late) << 10U;
      point.available_bytes = available;
    }
  }
  return result;
}

TEST(Density, ACurveIsNotLinear) {
  const auto summary = summarise(curved(600));
  const auto& density = *summary.find("container")->density;
  EXPECT_LT(density.halves[0], 10 << 10U);
  EXPECT_GT(density.halves[1], 500 << 10U);
  EXPECT_FALSE(density.linear());
  EXPECT_TRUE(density.unstable());
  EXPECT_EQ(density.flags(), "not linear, unstable");
  EXPECT_EQ(density.capacity, 0);
  EXPECT_TRUE(summary.find("vm")->density->linear());
  EXPECT_EQ(summary.find("vm")->density->flags(), "");
}

TEST(Density, NothingIsBuiltOnACurve) {
  const auto summary = summarise(curved(600));
  EXPECT_TRUE(std::ranges::none_of(summary.ratios, [](const Ratio& ratio) {
    return ratio.engine == "container" || ratio.baseline == "container";
  }));
  EXPECT_TRUE(std::ranges::any_of(summary.ratios, [](const Ratio& ratio) {
    return ratio.engine == "vm" && ratio.baseline == "process";
  }));
  EXPECT_TRUE(any_verdict(summary, "is not one figure for a container"));
}

TEST(Verdicts, SayThatASlopeIsUnstable) {
  auto result = rich_result();
  for (auto& series : result.density) {
    if (series.engine != "process") continue;
    for (auto& point : series.points) {
      point.available_bytes -= static_cast<std::uint64_t>(point.instances % 7) << 20U;
    }
  }
  const auto summary = summarise(result);
  EXPECT_TRUE(summary.find("process")->density->dependable());
  EXPECT_TRUE(any_verdict(summary, ", unstable)"));
  EXPECT_FALSE(any_verdict(summarise(rich_result()), ", unstable)"));
}

TEST(Density, BothSlopesOfARatioCanBeTold) {
  auto result = sample_result();
  for (auto& point : result.density.at(1).points) {
    point.available_bytes = (3000U << 20U) + (point.instances % 2 == 0 ? 0U : 40U << 20U);
  }
  const auto summary = summarise(result);
  EXPECT_FALSE(summary.find("container")->density->measurable());
  EXPECT_TRUE(std::ranges::none_of(summary.ratios, [](const Ratio& ratio) {
    return ratio.engine == "container" || ratio.baseline == "container";
  }));
}

TEST(Verdicts, OfNothingAreNone) { EXPECT_TRUE(summarise(Result()).verdicts.empty()); }

TEST(FormatTime, KeepsThreeDigits) {
  EXPECT_EQ(format_time(850e3), "850 µs");
  EXPECT_EQ(format_time(12.34e6), "12.3 ms");
  EXPECT_EQ(format_time(1.523e9), "1.52 s");
  EXPECT_EQ(format_time(999.7e3), "1.00 ms");
}

TEST(Summary, HasNoCpuTimeThatIsNotKnown) {
  auto result = sample_result();
  for (auto& sample : result.starts) {
    if (sample.engine == "container") sample.user_ns = sample.system_ns = 0;
  }
  const auto summary = summarise(result);
  EXPECT_FALSE(summary.find("container")->cpu.has_value());
  EXPECT_TRUE(summary.find("vm")->cpu.has_value());
}

}  // namespace
}  // namespace twinbox::compare
