#include "compare/diff.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "compare/density.hpp"
#include "compare/diff_environment.hpp"
#include "compare/environment.hpp"

namespace twinbox::compare {
namespace {

template <typename T>
const T* by_name(const std::vector<T>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const T& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

std::string setting(const Engine& engine, const std::string& name) {
  return fact(engine.settings, name);
}

// Why an engine of the same name is not the same in both reports; empty when it is.
std::string engine_mismatch(const Result& before, const Result& after, const std::string& name) {
  const auto* engine = before.find_engine(name);
  const auto* engine_after = after.find_engine(name);
  if (engine == nullptr || engine_after == nullptr) return "";
  for (const auto& known : engine->settings) {
    const auto now = setting(*engine_after, known.name);
    if (!agree(known.value, now)) {
      return fmt::format("{}: '{}' and '{}'", known.name, known.value, now);
    }
  }
  return "";
}

// Why the same name is not the same thing in both reports; empty when it is.
std::string mismatch(const Result& before, const Result& after, const Series& series) {
  const auto metrics_before = metrics_of(before);
  const auto metrics_after = metrics_of(after);
  const auto* metric = by_name(metrics_before, series.metric);
  const auto* metric_after = by_name(metrics_after, series.metric);
  if (metric != nullptr && metric_after != nullptr &&
      (metric->definition != metric_after->definition || metric->unit != metric_after->unit ||
       metric->better != metric_after->better)) {
    return "the metric is defined in another way";
  }
  const auto* workload = by_name(before.workloads, series.workload);
  const auto* workload_after = by_name(after.workloads, series.workload);
  if (workload != nullptr && workload_after != nullptr &&
      (workload->args != workload_after->args || !agree(workload->ready, workload_after->ready) ||
       !agree(workload->image_digest, workload_after->image_digest))) {
    return "the workload is another command or image";
  }
  if (series.metric == memory_metric().name) {
    // Pages that instances share are divided up among them.
    const int running = most_running(before, series.engine);
    const int running_after = most_running(after, series.engine);
    if (running != running_after) {
      return fmt::format("measured while {} and {} ran", running, running_after);
    }
  }
  return engine_mismatch(before, after, series.engine);
}

std::string named(const Series& series) {
  return fmt::format("{}, {}, {}{}", series.metric, series.workload, series.engine,
                     series.at ? fmt::format(" at {}", *series.at) : "");
}

double noise_of(const std::vector<NoiseFloor>& floors, const Series& series) {
  double noise = 0;
  for (const auto& floor : floors) {
    if (floor.metric == series.metric && floor.workload == series.workload &&
        floor.engine == series.engine && floor.at == series.at) {
      noise = std::max(noise, floor.share);
    }
  }
  return noise;
}

Change change_of(const Contrast& contrast, Better better, double margin) {
  const auto difference = contrast.difference();
  const bool small = std::abs(contrast.ratio - 1) <= margin;
  const bool told = difference == Difference::higher || difference == Difference::lower;
  if (told && !small) {
    return (difference == Difference::lower) == (better == Better::lower) ? Change::improved
                                                                          : Change::regressed;
  }
  if (told) return Change::same;
  const bool within = contrast.interval.low >= 1 - margin && contrast.interval.high <= 1 + margin;
  return within ? Change::same : Change::inconclusive;
}

void judge(const Result& before, ReportDiff& result, double margin) {
  std::vector<double> p;
  for (const auto& row : result.rows) p.push_back(row.contrast.p);
  const auto adjusted = holm(p);
  auto metrics = metrics_of(before);
  metrics.push_back(density_metric());
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    auto& row = result.rows[i];
    row.contrast.p_adjusted = adjusted[i];
    row.change = change_of(row.contrast, by_name(metrics, row.metric)->better, margin);
  }
}

// Engines and states that have been grown.
std::set<std::pair<std::string, std::string>> growths(const Result& result) {
  std::set<std::pair<std::string, std::string>> found;
  for (const auto& series : result.density) found.emplace(series.engine, series.state);
  return found;
}

std::string stop_of(const DensitySummary& growth) {
  return fmt::format("{}{} at {}", growth.stopped_by_budget ? "" : "failed by ", growth.constraint,
                     growth.survived);
}

void add_density(const Result& before, const Result& after, ReportDiff& result) {
  const auto now = growths(after);
  for (const auto& [engine, state] : growths(before)) {
    const auto name = fmt::format("{}, {}, {}", density_metric().name, state, engine);
    const auto old_growth = density_of(before, engine, state);
    const auto new_growth = density_of(after, engine, state);
    if (!now.contains({engine, state})) {
      result.unmatched.push_back(name + ": in the first report only");
      continue;
    }
    if (old_growth && new_growth && stop_of(*old_growth) != stop_of(*new_growth)) {
      result.warnings.push_back(fmt::format("growth of {} {}: {} and {}", state, engine,
                                            stop_of(*old_growth), stop_of(*new_growth)));
    }
    auto why = engine_mismatch(before, after, engine);
    const bool measurable =
        old_growth && new_growth && old_growth->measurable() && new_growth->measurable();
    if (why.empty() && !measurable) why = "a slope has too few points or is lost in the noise";
    if (!why.empty()) {
      result.unmatched.push_back(name + ": " + why);
      continue;
    }
    result.rows.push_back(
        {density_metric().name,
         state,
         engine,
         density_metric().unit,
         {},
         old_growth->line.slope,
         new_growth->line.slope,
         contrast_of_slopes({after, engine, *new_growth}, {before, engine, *old_growth}),
         Change::inconclusive});
  }
  const auto old = growths(before);
  for (const auto& [engine, state] : now) {
    if (old.contains({engine, state})) continue;
    result.unmatched.push_back(
        fmt::format("{}, {}, {}: in the second report only", density_metric().name, state, engine));
  }
}

}  // namespace

std::string_view to_string(Change change) {
  switch (change) {
    case Change::improved:
      return "improved";
    case Change::regressed:
      return "regressed";
    case Change::same:
      return "same";
    case Change::inconclusive:
      return "inconclusive";
  }
  return {};
}

int ReportDiff::count(Change change) const {
  return static_cast<int>(std::count_if(rows.begin(), rows.end(),
                                        [&](const DiffRow& row) { return row.change == change; }));
}

ReportDiff diff(const Result& before, const Result& after, const DiffOptions& options) {
  ReportDiff result;
  result.warnings = compare_environments(before, after, options.across_hosts);
  const auto old_series = series_of(before);
  const auto new_series = series_of(after);
  const auto old_floors = noise_floors(before, old_series);
  const auto new_floors = noise_floors(after, new_series);
  const auto metrics = metrics_of(before);
  for (const auto& series : old_series) {
    const auto found =
        std::find_if(new_series.begin(), new_series.end(), [&](const Series& candidate) {
          return candidate.engine == series.engine && candidate.matches(series);
        });
    if (found == new_series.end()) {
      result.unmatched.push_back(named(series) + ": in the first report only");
      continue;
    }
    if (const auto why = mismatch(before, after, series); !why.empty()) {
      result.unmatched.push_back(named(series) + ": " + why);
      continue;
    }
    DiffRow row{series.metric,
                series.workload,
                series.engine,
                "",
                series.at,
                median(series.values),
                median(found->values),
                contrast(found->values, series.values, before.plan.seed),
                Change::inconclusive};
    row.unit = by_name(metrics, series.metric)->unit;
    row.contrast.noise = std::max(noise_of(old_floors, series), noise_of(new_floors, series));
    result.rows.push_back(std::move(row));
  }
  for (const auto& series : new_series) {
    const auto known = std::any_of(old_series.begin(), old_series.end(), [&](const Series& other) {
      return other.engine == series.engine && other.matches(series);
    });
    if (!known) result.unmatched.push_back(named(series) + ": in the second report only");
  }
  add_density(before, after, result);
  judge(before, result, options.margin);
  return result;
}

}  // namespace twinbox::compare
