#include "compare/diff.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "compare/density.hpp"
#include "compare/diff_environment.hpp"
#include "compare/diff_matching.hpp"

namespace twinbox::compare {
namespace {

std::string named(const Series& series) {
  return fmt::format("{}, {}, {}{}", series.metric, series.workload, series.engine,
                     series.at ? fmt::format(" at {}", *series.at) : "");
}

double noise_of(const std::vector<NoiseFloor>& floors, const DiffRow& row) {
  double noise = 0;
  for (const auto& floor : floors) {
    if (floor.metric == row.metric && floor.workload == row.workload &&
        floor.engine == row.engine && floor.at == row.at) {
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

// A row before it is judged, with the samples that its p is of.
struct Candidate {
  DiffRow row;
  std::vector<double> after;
  std::vector<double> before;
  bool even = true;  // a slope that is none of its curve cannot be told to have changed
};

void judge(const Result& before, std::vector<Candidate> candidates, ReportDiff& result,
           double margin) {
  std::vector<FamilyMember> family;
  family.reserve(candidates.size());
  for (auto& candidate : candidates) {
    family.push_back({&candidate.row.contrast, candidate.after, candidate.before});
  }
  adjust(family, before.plan.seed);
  auto metrics = metrics_of(before);
  metrics.push_back(density_metric());
  for (auto& candidate : candidates) {
    auto& row = candidate.row;
    row.change = change_of(row.contrast, by_name(metrics, row.metric)->better, margin);
    if (!candidate.even) row.change = Change::inconclusive;
    if (candidate.after == candidate.before) row.change = Change::same;
    result.rows.push_back(std::move(row));
  }
}

// An A/A run is the noise of its report, and no engine of its own.
bool repeats_another(const Result& result, const std::string& engine) {
  const auto* described = result.find_engine(engine);
  return described != nullptr && !described->repeats.empty();
}

// Engines and states that have been grown.
std::set<std::pair<std::string, std::string>> growths(const Result& result) {
  std::set<std::pair<std::string, std::string>> found;
  for (const auto& series : result.density) {
    if (!repeats_another(result, series.engine)) found.emplace(series.engine, series.state);
  }
  return found;
}

std::string stop_of(const DensitySummary& growth) {
  return fmt::format("{}{} at {}", growth.stopped_by_budget ? "" : "failed by ", growth.constraint,
                     growth.survived);
}

// One growth in both reports.
void add_growth(const Result& before, const Result& after, const std::string& engine,
                const std::string& state, ReportDiff& result, std::vector<Candidate>& candidates) {
  const auto name = fmt::format("{}, {}, {}", density_metric().name, state, engine);
  const auto old_growth = density_of(before, engine, state);
  const auto new_growth = density_of(after, engine, state);
  if (old_growth && new_growth && stop_of(*old_growth) != stop_of(*new_growth)) {
    result.warnings.push_back(fmt::format("growth of {} {}: {} and {}", state, engine,
                                          stop_of(*old_growth), stop_of(*new_growth)));
  }
  auto why = growth_mismatch(before, after, engine);
  const bool measurable =
      old_growth && new_growth && old_growth->measurable() && new_growth->measurable();
  if (why.empty() && !measurable) why = "a slope has too few points or is lost in the noise";
  if (!why.empty()) {
    result.unmatched.push_back(name + ": " + why);
    return;
  }
  DiffRow row{density_metric().name,
              state,
              engine,
              density_metric().unit,
              {},
              old_growth->line.slope,
              new_growth->line.slope,
              contrast_of_slopes({after, engine, *new_growth}, {before, engine, *old_growth}),
              Change::inconclusive};
  candidates.push_back({std::move(row), steps_of(after, engine, state),
                        steps_of(before, engine, state),
                        old_growth->linear() && new_growth->linear()});
}

void add_density(const Result& before, const Result& after, ReportDiff& result,
                 std::vector<Candidate>& candidates) {
  const auto old = growths(before);
  const auto now = growths(after);
  const auto name = [](const auto& key) {
    return fmt::format("{}, {}, {}", density_metric().name, key.second, key.first);
  };
  for (const auto& key : old) {
    if (now.contains(key)) {
      add_growth(before, after, key.first, key.second, result, candidates);
    } else {
      result.unmatched.push_back(name(key) + ": in the first report only");
    }
  }
  for (const auto& key : now) {
    if (!old.contains(key)) result.unmatched.push_back(name(key) + ": in the second report only");
  }
}

// Instances of one growth share the host that they met: each growth is one value, its median.
std::vector<double> independent_values(const Series& series) {
  if (series.metric != memory_metric().name) return series.values;
  std::vector<double> medians;
  std::vector<double> growth;
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    // Instances are numbered from 1 in each growth.
    if (i > 0 && series.blocks[i] <= series.blocks[i - 1]) {
      medians.push_back(median(growth));
      growth.clear();
    }
    growth.push_back(series.values[i]);
  }
  medians.push_back(median(growth));
  return medians;
}

std::optional<Contrast> contrast_of(const Series& after, const Series& before, std::uint64_t seed) {
  auto found = contrast(after.values, before.values, seed);
  if (found && after.metric == memory_metric().name) {
    found->p = permutation_p(independent_values(after), independent_values(before), seed);
  }
  return found;
}

// A series that is in both reports.
void add_pair(const Result& before, const Result& after, const Series& old_series,
              const Series& new_series, ReportDiff& result, std::vector<Candidate>& candidates) {
  if (const auto why = mismatch(before, after, old_series); !why.empty()) {
    result.unmatched.push_back(named(old_series) + ": " + why);
    return;
  }
  const auto told = contrast_of(new_series, old_series, before.plan.seed);
  const double old_median = median(old_series.values);
  const double new_median = median(new_series.values);
  if (!told) {
    if (new_median == 0) {
      result.warnings.push_back(named(old_series) + ": 0 in both reports");
    } else {
      result.unmatched.push_back(named(old_series) +
                                 ": 0 in the first report, so there is no "
                                 "ratio");
    }
    return;
  }
  const auto metrics = metrics_of(before);
  candidates.push_back({{old_series.metric, old_series.workload, old_series.engine,
                         by_name(metrics, old_series.metric)->unit, old_series.at, old_median,
                         new_median, *told, Change::inconclusive},
                        independent_values(new_series),
                        independent_values(old_series)});
}

std::vector<Series> compared_series(const Result& result) {
  auto all = series_of(result);
  std::erase_if(all, [&](const Series& series) { return repeats_another(result, series.engine); });
  return all;
}

void add_series(const Result& before, const Result& after, ReportDiff& result,
                std::vector<Candidate>& candidates) {
  const auto old_series = compared_series(before);
  const auto new_series = compared_series(after);
  const auto like = [](const std::vector<Series>& all, const Series& series) {
    return std::ranges::find_if(all, [&](const Series& candidate) {
      return candidate.engine == series.engine && candidate.matches(series);
    });
  };
  for (const auto& series : old_series) {
    const auto found = like(new_series, series);
    if (found == new_series.end()) {
      result.unmatched.push_back(named(series) + ": in the first report only");
    } else {
      add_pair(before, after, series, *found, result, candidates);
    }
  }
  for (const auto& series : new_series) {
    if (like(old_series, series) == old_series.end()) {
      result.unmatched.push_back(named(series) + ": in the second report only");
    }
  }
}

// What each report's own runs differ by.
void add_noise(const Result& before, const Result& after, std::vector<Candidate>& candidates) {
  const auto old_floors = noise_floors(before, series_of(before));
  const auto new_floors = noise_floors(after, series_of(after));
  for (auto& candidate : candidates) {
    auto& noise = candidate.row.contrast.noise;
    noise =
        std::max({noise, noise_of(old_floors, candidate.row), noise_of(new_floors, candidate.row)});
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
  std::vector<Candidate> candidates;
  add_series(before, after, result, candidates);
  add_density(before, after, result, candidates);
  add_noise(before, after, candidates);
  judge(before, std::move(candidates), result, options.margin);
  return result;
}

}  // namespace twinbox::compare
