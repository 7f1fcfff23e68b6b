#include "compare/diff.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "compare/environment.hpp"

namespace twinbox::compare {
namespace {

// Facts without which times of two hosts have nothing to do with one another.
constexpr std::array deciding_facts{"processor", "kernel", "hardware virtualization"};
// Facts that differ from run to run on one host.
constexpr std::array passing_facts{"load before", "memory available", "stolen time"};

bool contains(const auto& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

template <typename T>
const T* by_name(const std::vector<T>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const T& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

// Whether two texts may stand for the same thing: one that is unknown may.
bool agree(const std::string& one, const std::string& other) {
  return one.empty() || other.empty() || one == other;
}

void compare_hosts(const Host& before, const Host& after, bool across_hosts,
                   std::vector<std::string>& warnings) {
  std::vector<std::string> deciding;
  if (before.kind != after.kind) {
    deciding.push_back(
        fmt::format("host: {} and {}", to_string(before.kind), to_string(after.kind)));
  }
  for (const auto& known : before.facts) {
    const auto now = fact(after.facts, known.name);
    if (agree(known.value, now) || contains(passing_facts, known.name)) continue;
    auto text = fmt::format("{}: '{}' and '{}'", known.name, known.value, now);
    (contains(deciding_facts, known.name) ? deciding : warnings).push_back(std::move(text));
  }
  if (!deciding.empty() && !across_hosts) {
    throw base::Error(
        base::ErrorKind::conflict,
        fmt::format("the reports are of different hosts: {}", fmt::join(deciding, "; ")),
        "compare them all the same with --across-hosts");
  }
  warnings.insert(warnings.end(), deciding.begin(), deciding.end());
}

// Of every pair of hosts on which an engine of both reports was measured.
void compare_environments(const Result& before, const Result& after, bool across_hosts,
                          std::vector<std::string>& warnings) {
  std::set<std::pair<const Host*, const Host*>> seen;
  for (const auto& engine : before.engines) {
    if (after.find_engine(engine.name) == nullptr) continue;
    const auto* one = &before.host_of(engine.name);
    const auto* other = &after.host_of(engine.name);
    if (!seen.emplace(one, other).second) continue;
    compare_hosts(*one, *other, across_hosts, warnings);
  }
  if (before.version != after.version) {
    warnings.push_back(fmt::format("twinbox: '{}' and '{}'", before.version, after.version));
  }
}

std::string setting(const Engine& engine, const std::string& name) {
  return fact(engine.settings, name);
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
      (workload->args != workload_after->args ||
       !agree(workload->image_digest, workload_after->image_digest))) {
    return "the workload is another command or image";
  }
  const auto* engine = before.find_engine(series.engine);
  const auto* engine_after = after.find_engine(series.engine);
  if (engine == nullptr || engine_after == nullptr) return "";
  for (const auto& known : engine->settings) {
    if (!agree(known.value, setting(*engine_after, known.name))) {
      return fmt::format("{}: '{}' and '{}'", known.name, known.value,
                         setting(*engine_after, known.name));
    }
  }
  return "";
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
  const auto metrics = metrics_of(before);
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    auto& row = result.rows[i];
    row.contrast.p_adjusted = adjusted[i];
    row.change = change_of(row.contrast, by_name(metrics, row.metric)->better, margin);
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
  compare_environments(before, after, options.across_hosts, result.warnings);
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
  judge(before, result, options.margin);
  return result;
}

}  // namespace twinbox::compare
