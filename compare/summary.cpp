#include "compare/summary.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "compare/verdict.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

constexpr std::array marks_in_order{Mark::request,  Mark::entered,      Mark::created, Mark::booted,
                                    Mark::executed, Mark::first_output, Mark::ready,   Mark::gone};

std::optional<Figure> figure_of(const std::vector<double>& values, std::uint64_t seed) {
  if (values.empty()) return std::nullopt;
  return Figure{median(values),
                median_interval(values, seed),
                quantile(values, 0.9),
                quantile(values, 0.99),
                static_cast<int>(values.size()),
                static_cast<int>(tukey_outliers(values).size())};
}

std::vector<double> cpu_times(const Result& result, const std::string& engine) {
  std::vector<double> values;
  for (const auto& sample : result.starts) {
    if (sample.engine != engine || sample.warm_up) continue;
    values.push_back(static_cast<double>(sample.user_ns + sample.system_ns));
  }
  return values;
}

// What an engine does in the stretch that ends with a mark.
std::string phase_name(const std::string& engine, Mark to) {
  const bool vm = engine == "vm";
  const bool container = engine == "container";
  switch (to) {
    case Mark::request:
      return "request";
    case Mark::entered:
      return "command starts";
    case Mark::created:
      return vm ? "machine is built" : container ? "namespaces" : "fork";
    case Mark::booted:
      return vm ? "kernel boots" : container ? "root and cgroup" : "set-up";
    case Mark::executed:
      return "workload is executed";
    case Mark::first_output:
      return "workload answers";
    case Mark::ready:
      return "workload is ready";
    case Mark::gone:
      return "everything is torn down";
  }
  return {};
}

// When a mark was reached. Marks of different watchers can overtake one another: a parent may learn
// that its child exists after the child has got further. None can have been reached later than a
// mark that follows it.
std::optional<std::uint64_t> reached(const StartSample& sample, Mark mark) {
  auto found = sample.marks.find(mark);
  if (found == sample.marks.end()) return std::nullopt;
  auto earliest = found->second;
  for (; found != sample.marks.end(); ++found) earliest = std::min(earliest, found->second);
  return earliest;
}

std::vector<Phase> phases_of(const Result& result, const std::string& engine) {
  std::vector<Phase> phases;
  Mark from = Mark::request;
  double at = 0;
  for (const auto mark : marks_in_order) {
    const auto values = durations(result, engine, Mark::request, mark);
    if (mark == Mark::request || values.empty()) continue;
    const double end = median(values);
    phases.push_back({from, mark, phase_name(engine, mark), at, end - at});
    from = mark;
    at = end;
  }
  return phases;
}

std::uint64_t median_of(std::vector<double> values) {
  return static_cast<std::uint64_t>(median(values));
}

template <typename Field>
std::uint64_t median_field(const std::vector<const InstanceMemory*>& instances,
                           const std::string& component, Field field) {
  std::vector<double> values;
  for (const auto* instance : instances) {
    const auto found = instance->components.find(component);
    values.push_back(
        found == instance->components.end() ? 0 : static_cast<double>(found->second.*field));
  }
  return median_of(std::move(values));
}

std::uint64_t seen(const InstanceMemory& instance, const std::string& field) {
  const auto found = instance.workload_view.find(field);
  return found == instance.workload_view.end() ? 0 : found->second;
}

std::optional<MemorySummary> memory_of(const Result& result, const std::string& engine,
                                       int running) {
  std::vector<const InstanceMemory*> instances;
  for (const auto& memory : result.memory) {
    if (memory.engine == engine && memory.running == running) instances.push_back(&memory);
  }
  if (instances.empty()) return std::nullopt;
  MemorySummary summary;
  summary.running = running;
  summary.processes = instances.front()->processes;
  summary.workload_total = seen(*instances.front(), "MemTotal");
  summary.workload_available = seen(*instances.front(), "MemAvailable");
  for (const auto& [component, first] : instances.front()->components) {
    const Footprint footprint{median_field(instances, component, &Footprint::virtual_size),
                              median_field(instances, component, &Footprint::rss),
                              median_field(instances, component, &Footprint::pss),
                              median_field(instances, component, &Footprint::uss)};
    summary.components[component] = footprint;
    summary.total += footprint;
  }
  return summary;
}

int most_running(const Result& result, const std::string& engine) {
  int most = 0;
  for (const auto& memory : result.memory) {
    if (memory.engine == engine) most = std::max(most, memory.running);
  }
  return most;
}

struct DensityAxes {
  std::vector<double> instances;
  std::vector<double> lost;
};

DensityAxes axes_of(const DensitySeries& series, double discarded_share) {
  const double discarded = std::max(1.0, discarded_share * series.points.back().instances);
  DensityAxes axes;
  for (const auto& point : series.points) {
    if (point.instances <= discarded) continue;
    axes.instances.push_back(point.instances);
    axes.lost.push_back(static_cast<double>(series.points.front().available_bytes) -
                        static_cast<double>(point.available_bytes));
  }
  return axes;
}

std::optional<DensitySummary> density_of(const Result& result, const std::string& engine) {
  const auto series =
      std::find_if(result.density.begin(), result.density.end(),
                   [&](const DensitySeries& candidate) { return candidate.engine == engine; });
  if (series == result.density.end() || series->points.empty()) return std::nullopt;
  const auto axes = axes_of(*series, result.plan.density.discarded_share);
  if (axes.instances.size() < 2) return std::nullopt;
  DensitySummary summary;
  summary.line = theil_sen(axes.instances, axes.lost, result.plan.seed);
  summary.first = static_cast<int>(axes.instances.front());
  summary.last = static_cast<int>(axes.instances.back());
  summary.constraint = series->constraint;
  const auto memory = static_cast<double>(series->points.front().available_bytes);
  if (summary.measurable()) {
    summary.capacity = (memory - summary.line.intercept) / summary.line.slope;
  }
  return summary;
}

EngineSummary engine_summary(const Result& result, const std::string& engine) {
  const auto seed = result.plan.seed;
  EngineSummary summary;
  summary.engine = engine;
  summary.to_executed = figure_of(durations(result, engine, Mark::request, Mark::executed), seed);
  summary.to_ready = figure_of(durations(result, engine, Mark::request, Mark::ready), seed);
  summary.teardown = figure_of(durations(result, engine, Mark::ready, Mark::gone), seed);
  summary.cpu = figure_of(cpu_times(result, engine), seed);
  summary.phases = phases_of(result, engine);
  summary.alone = memory_of(result, engine, 1);
  const int most = most_running(result, engine);
  if (most > 1) summary.together = memory_of(result, engine, most);
  summary.density = density_of(result, engine);
  return summary;
}

std::optional<Ratio> start_ratio(const Result& result, const std::string& engine,
                                 const std::string& baseline) {
  const auto above = durations(result, engine, Mark::request, Mark::ready);
  const auto below = durations(result, baseline, Mark::request, Mark::ready);
  if (above.empty() || below.empty() || median(below) == 0) return std::nullopt;
  return Ratio{"start-up", engine, baseline, median(above) / median(below),
               ratio_interval(above, below, result.plan.seed)};
}

std::optional<Ratio> memory_ratio(const EngineSummary& engine, const EngineSummary& baseline) {
  if (!engine.density || !baseline.density) return std::nullopt;
  const auto& above = engine.density->line;
  const auto& below = baseline.density->line;
  if (!baseline.density->measurable()) return std::nullopt;
  // The widest that the two intervals allow.
  return Ratio{"memory per instance",
               engine.engine,
               baseline.engine,
               above.slope / below.slope,
               {above.slope_interval.low / below.slope_interval.high,
                above.slope_interval.high / below.slope_interval.low}};
}

// Every engine against the ones before it in the plan: the container against the process, the
// machine against both.
void add_ratios(const Result& result, Summary& summary) {
  for (std::size_t i = 0; i < summary.engines.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const auto& engine = summary.engines[i];
      const auto& baseline = summary.engines[j];
      if (auto ratio = start_ratio(result, engine.engine, baseline.engine)) {
        summary.ratios.push_back(std::move(*ratio));
      }
      if (auto ratio = memory_ratio(engine, baseline)) summary.ratios.push_back(std::move(*ratio));
    }
  }
}

}  // namespace

const EngineSummary* Summary::find(const std::string& engine) const {
  const auto found = std::find_if(engines.begin(), engines.end(), [&](const auto& candidate) {
    return candidate.engine == engine;
  });
  return found == engines.end() ? nullptr : &*found;
}

std::vector<double> durations(const Result& result, const std::string& engine, Mark from, Mark to) {
  std::vector<double> values;
  for (const auto& sample : result.starts) {
    if (sample.engine != engine || sample.warm_up) continue;
    const auto begin = reached(sample, from);
    const auto end = reached(sample, to);
    if (!begin || !end) continue;
    values.push_back(static_cast<double>(*end) - static_cast<double>(*begin));
  }
  return values;
}

Summary summarise(const Result& result) {
  Summary summary;
  for (const auto& engine : result.plan.engines) {
    auto figures = engine_summary(result, engine);
    if (figures.to_ready || figures.density) summary.engines.push_back(std::move(figures));
  }
  add_ratios(result, summary);
  summary.verdicts = verdicts(result, summary);
  return summary;
}

std::string spoken(const std::string& engine) {
  if (engine == "vm") return "a microVM";
  if (engine == "process") return "a plain process";
  return "a " + engine;
}

std::string format_time(double nanoseconds) {
  // Three significant digits.
  const auto digits = [](double value, const char* unit) {
    const int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
    return fmt::format("{:.{}f} {}", value, decimals, unit);
  };
  if (nanoseconds < 999.5e3) return digits(nanoseconds / 1e3, "µs");
  if (nanoseconds < 999.5e6) return digits(nanoseconds / 1e6, "ms");
  return digits(nanoseconds / 1e9, "s");
}

}  // namespace twinbox::compare
