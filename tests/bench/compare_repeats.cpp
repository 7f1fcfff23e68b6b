// Two comparisons in the deterministic lab give the same figures, also while they disturb each
// other.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "base/command.hpp"
#include "base/file.hpp"
#include "compare/load.hpp"
#include "compare/summary.hpp"

namespace twinbox::compare {
namespace {

// The comparison's own figures, by name.
using Figures = std::map<std::string, double>;

Result compare_in_lab(const std::filesystem::path& out) {
  const auto run = base::run_command(
      {TWINBOX_PROGRAM, "compare", "--lab", "--runs", "2", "--warm-ups", "1", "--instances", "3",
       "--parallel", "1", "--beside", "none", "--image-imports", "1", "--out", out.string()});
  EXPECT_EQ(run.status, 0) << run.err;
  return result_from_json(base::read_file(out / "report.json"), "report.json");
}

void add(Figures& figures, const std::string& name, const std::optional<Figure>& figure) {
  if (figure) figures[name] = figure->median;
}

void add(Figures& figures, const std::string& name, const std::optional<MemorySummary>& memory) {
  if (!memory) return;
  for (const auto& [component, footprint] : memory->components) {
    figures[name + ", " + component] = static_cast<double>(footprint.pss);
  }
}

Figures figures_of(const Result& result) {
  Figures figures;
  for (const auto& engine : summarise(result).engines) {
    add(figures, engine.engine + " request to exec", engine.to_executed);
    add(figures, engine.engine + " request to ready", engine.to_ready);
    add(figures, engine.engine + " tear-down", engine.teardown);
    add(figures, engine.engine + " CPU time", engine.cpu);
    for (const auto& [mark, spent] : engine.cpu_at_marks) {
      figures[fmt::format("{} CPU time at {}", engine.engine, to_string(mark))] = spent;
    }
    add(figures, engine.engine + " alone", engine.alone);
    add(figures, engine.engine + " together", engine.together);
    if (engine.density) figures[engine.engine + " slope"] = engine.density->line.slope;
  }
  for (const auto& done : result.measurements) {
    figures[fmt::format("{} {}, round {}", done.engine, done.metric, done.block)] = done.value;
  }
  for (const auto& exit : result.exits) {
    figures[fmt::format("{} exits, {}, {}", exit.engine, exit.phase, exit.reason)] = exit.count;
  }
  return figures;
}

// What a round leaves behind on the host must not slow down the next.
void expect_even_rounds(const Result& result) {
  std::map<std::string, std::vector<double>> rates;
  for (const auto& done : result.measurements) {
    if (done.metric == launch_rate_metric) rates[done.engine].push_back(done.value);
  }
  EXPECT_EQ(rates.size(), 3U);
  for (const auto& [engine, rounds] : rates) {
    const auto [least, most] = std::ranges::minmax_element(rounds);
    EXPECT_GT(*least, 0.9 * *most) << engine;
  }
}

TEST(Compare, RepeatsInTheDeterministicLab) {
  const base::TemporaryDirectory directory;
  // At once, so that they share this host's processors, and their paths differ in length.
  auto at_once = std::async(std::launch::async, compare_in_lab, directory.path() / "first");
  const auto second = compare_in_lab(directory.path() / "the-second");
  const auto first = at_once.get();

  EXPECT_EQ(first.host_of("vm").kind, HostKind::deterministic_lab);
  EXPECT_TRUE(first.failures.empty()) << first.failures.front().message;
  expect_even_rounds(first);
  const auto expected = figures_of(first);
  const auto found = figures_of(second);
  ASSERT_EQ(expected.size(), found.size());
  // Four times, CPU time at seven marks, five or more memory components, a slope, three launch
  // rates and two rounds of two figures of the image for each of three engines.
  EXPECT_GE(expected.size(), 66U);
  for (const auto& [name, value] : expected) {
    fmt::print("{:<32} {:>16.0f} {:>16.0f}\n", name, value, found.at(name));
    EXPECT_EQ(found.at(name), value) << name;
  }
}

}  // namespace
}  // namespace twinbox::compare
