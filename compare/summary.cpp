#include "compare/summary.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "compare/environment.hpp"
#include "compare/explanation.hpp"
#include "compare/verdict.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

constexpr std::array marks_in_order{Mark::request,  Mark::entered,      Mark::created, Mark::booted,
                                    Mark::executed, Mark::first_output, Mark::ready,   Mark::gone};

// What an engine does in the stretch that ends with a mark.
std::string phase_name(const Engine& engine, Mark to) {
  const bool vm = engine.kind == BoxKind::machine;
  const bool container = engine.kind == BoxKind::container;
  const bool warm = fact(engine.settings, "start") == "warm";
  switch (to) {
    case Mark::request:
      return "request";
    case Mark::entered:
      return "command starts";
    case Mark::created:
      if (warm) return "machine is restored";
      return vm ? "machine is built" : container ? "namespaces" : "fork";
    case Mark::booted:
      if (warm) return "guest goes on";
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

std::vector<Phase> phases_of(const Result& result, const std::string& engine) {
  const auto* described = result.find_engine(engine);
  const auto known = described == nullptr ? describe_engine(engine) : *described;
  std::vector<Phase> phases;
  std::vector<std::string> names;
  Mark from = Mark::request;
  double at = 0;
  for (const auto mark : marks_in_order) {
    if (mark == Mark::request) continue;
    names.push_back(phase_name(known, mark));
    const auto values = durations(result, engine, Mark::request, mark);
    if (values.empty()) continue;
    const double end = median(values);
    // What is ready when it ends has no tear-down that is known.
    if (mark == Mark::gone && from == Mark::ready && end <= at) break;
    phases.push_back({from, mark, joined_name(names, from, mark), names.size() > 1, at, end - at});
    names.clear();
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

std::map<std::string, std::uint64_t> cgroup_of(
    const std::vector<const InstanceMemory*>& instances) {
  std::map<std::string, std::vector<double>> values;
  for (const auto* instance : instances) {
    for (const auto& [name, bytes] : instance->cgroup_bytes) {
      values[name].push_back(static_cast<double>(bytes));
    }
  }
  std::map<std::string, std::uint64_t> medians;
  for (const auto& [name, of_name] : values) medians[name] = median_of(of_name);
  return medians;
}

std::optional<MemorySummary> memory_of(const Result& result, const std::string& engine,
                                       int running) {
  std::vector<const InstanceMemory*> instances;
  for (const auto& memory : result.memory) {
    if (memory.engine == engine && memory.state == "idle" && memory.running == running) {
      instances.push_back(&memory);
    }
  }
  if (instances.empty()) return std::nullopt;
  MemorySummary summary;
  summary.running = running;
  summary.cgroup = cgroup_of(instances);
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

std::optional<Figure> find_figure(const Result& result, const std::vector<MetricFigure>& figures,
                                  const std::string& metric, const std::string& engine) {
  const auto workload = headline_workload(result);
  const auto found = std::find_if(figures.begin(), figures.end(), [&](const MetricFigure& item) {
    return item.metric == metric && item.engine == engine && item.workload == workload;
  });
  return found == figures.end() ? std::nullopt : std::optional(found->figure);
}

EngineSummary engine_summary(const Result& result, const Summary& all, const std::string& engine) {
  EngineSummary summary;
  summary.engine = engine;
  summary.to_executed = find_figure(result, all.figures, "request to exec", engine);
  summary.to_ready = find_figure(result, all.figures, "start-up", engine);
  summary.teardown = find_figure(result, all.figures, "tear-down", engine);
  summary.cpu = find_figure(result, all.figures, "CPU time", engine);
  summary.phases = phases_of(result, engine);
  for (const auto mark : marks_in_order) {
    const auto spent = cpu_times(result, engine, mark);
    if (!spent.empty()) summary.cpu_at_marks[mark] = median(spent);
  }
  summary.alone = memory_of(result, engine, 1);
  const int most = most_running(result, engine);
  if (most > 1) summary.together = memory_of(result, engine, most);
  summary.density = density_of(result, engine, "idle");
  for (const auto* const state : {"touched", "active"}) {
    if (auto density = density_of(result, engine, state)) {
      summary.other_densities.push_back(std::move(*density));
    }
  }
  return summary;
}

std::optional<Ratio> memory_ratio(const EngineSummary& engine, const EngineSummary& baseline) {
  if (!engine.density || !baseline.density) return std::nullopt;
  const auto& above = engine.density->line;
  const auto& below = baseline.density->line;
  if (!engine.density->dependable() || !baseline.density->dependable()) return std::nullopt;
  return Ratio{density_metric().name, engine.engine, baseline.engine, above.slope / below.slope,
               ratio_of_slopes(above, below)};
}

// Every engine against the ones before it on the same host: the container against the process, the
// machine against both.
void add_ratios(const Result& result, Summary& summary) {
  for (std::size_t i = 0; i < summary.engines.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const auto& engine = summary.engines[i];
      const auto& baseline = summary.engines[j];
      if (&result.host_of(engine.engine) != &result.host_of(baseline.engine)) continue;
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

const Comparison* Summary::find_comparison(const std::string& metric, const std::string& engine,
                                           const std::string& baseline) const {
  const auto found =
      std::find_if(comparisons.begin(), comparisons.end(), [&](const Comparison& comparison) {
        return comparison.metric == metric && comparison.engine == engine &&
               comparison.baseline == baseline;
      });
  return found == comparisons.end() ? nullptr : &*found;
}

Figure figure_of(const Series& series, std::uint64_t seed) {
  const Values values = series.values;
  Figure figure;
  figure.median = median(values);
  figure.interval = median_interval(values, seed);
  figure.p90 = quantile(values, 0.9);
  figure.p90_interval = quantile_interval(values, 0.9, seed);
  figure.p99 = quantile(values, 0.99);
  figure.p99_interval = quantile_interval(values, 0.99, seed);
  figure.count = static_cast<int>(values.size());
  for (const auto index : tukey_outliers(values)) figure.outliers.push_back(series.blocks[index]);
  figure.drift = drift(values);
  return figure;
}

Summary summarise(const Result& result) {
  Summary summary;
  summary.metrics = metrics_of(result);
  const auto series = series_of(result);
  for (const auto& item : series) {
    summary.figures.push_back(
        {item.metric, item.workload, item.engine, item.at, figure_of(item, result.plan.seed)});
  }
  for (const auto& engine : result.engines) {
    auto figures = engine_summary(result, summary, engine.name);
    if (figures.to_ready || figures.density) summary.engines.push_back(std::move(figures));
  }
  summary.noise = noise_floors(result, series);
  summary.comparisons = comparisons(result, series, summary.noise);
  add_ratios(result, summary);
  summary.explanations = explain(result, summary);
  summary.verdicts = verdicts(result, summary);
  return summary;
}

std::string spoken(const Engine& engine) {
  if (engine.name == "process") return "a plain process";
  if (engine.name == "vm") return "a microVM";
  if (engine.name == "container") return "a container";
  auto name = engine.title;
  std::string settings;
  if (const auto comma = name.find(", "); comma != std::string::npos) {
    settings = fmt::format(" ({})", name.substr(comma + 2));
    name.resize(comma);
  }
  if (name.find("microVM") == std::string::npos && name.find("container") == std::string::npos) {
    name += engine.kind == BoxKind::machine ? " machine" : " box";
  }
  return "a " + name + settings;
}

std::string spoken(const Result& result, const std::string& engine) {
  const auto* described = result.find_engine(engine);
  return spoken(described == nullptr ? describe_engine(engine) : *described);
}

std::string title_of(const Result& result, const std::string& engine) {
  const auto* described = result.find_engine(engine);
  if (described == nullptr) return engine;
  if (described->repeats.empty()) return described->title;
  const auto* repeated = result.find_engine(described->repeats);
  return (repeated == nullptr ? described->repeats : repeated->title) + ", again (A/A)";
}

std::string joined_name(const std::vector<std::string>& names, Mark from, Mark to) {
  if (names.size() < 3) return fmt::format("{}", fmt::join(names, " and "));
  auto text = fmt::format("all from {} to {}", to_string(from), to_string(to));
  std::ranges::replace(text, '_', ' ');
  return text;
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
