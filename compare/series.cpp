#include "compare/series.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace twinbox::compare {
namespace {

using sandbox::Mark;

constexpr const char* cpu_to_exec = "CPU time to exec";
constexpr const char* cpu_to_ready = "CPU time to ready";

using Times = std::map<Mark, std::uint64_t>;

// The least of a mark's and of those that follow it.
std::optional<std::uint64_t> least_from(const Times& times, Mark mark) {
  auto found = times.find(mark);
  if (found == times.end()) return std::nullopt;
  auto least = found->second;
  for (; found != times.end(); ++found) least = std::min(least, found->second);
  return least;
}

std::optional<double> as_double(const std::optional<std::uint64_t>& value) {
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

// A sample's value of a metric of marks; nothing when it lacks a mark.
std::optional<double> value_of(const StartSample& sample, const std::string& metric) {
  if (metric == "CPU time") {
    const auto spent = sample.user_ns + sample.system_ns;
    if (spent == 0) return std::nullopt;  // not known: a daemon did the work
    return static_cast<double>(spent);
  }
  if (metric == cpu_to_exec) return as_double(cpu_reached(sample, Mark::executed));
  if (metric == cpu_to_ready) return as_double(cpu_reached(sample, Mark::ready));
  const auto from = metric == "tear-down" ? Mark::ready : Mark::request;
  const auto to = metric == "tear-down"  ? Mark::gone
                  : metric == "start-up" ? Mark::ready
                                         : Mark::executed;
  const auto begin = reached(sample, from);
  const auto end = reached(sample, to);
  if (!begin || !end) return std::nullopt;
  // What said nothing was ready when it ended: when its tear-down began is not known.
  if (from == Mark::ready && *begin >= *end) return std::nullopt;
  return static_cast<double>(*end) - static_cast<double>(*begin);
}

// The series that a value belongs to, made if it is the first one.
Series& series_for(std::vector<Series>& all, const Series& like) {
  for (auto& series : all) {
    if (series.engine == like.engine && series.matches(like)) return series;
  }
  all.push_back(like);
  return all.back();
}

void add(std::vector<Series>& all, const Series& like, int block, double value) {
  auto& series = series_for(all, like);
  series.blocks.push_back(block);
  series.values.push_back(value);
}

void add_memory(const Result& result, std::vector<Series>& all) {
  std::map<std::string, int> most;
  for (const auto& item : result.memory) {
    if (!most.contains(item.engine)) most[item.engine] = most_running(result, item.engine);
    if (item.state != "idle" || item.running != most[item.engine]) continue;
    add(all, {memory_metric().name, item.state, item.engine, {}, {}, {}}, item.instance,
        static_cast<double>(item.total().pss));
  }
}

// What `value` makes of each run of an engine's headline workload, warm-ups left out.
template <typename Value>
std::vector<double> headline_values(const Result& result, const std::string& engine, Value value) {
  const auto workload = headline_workload(result);
  std::vector<double> values;
  for (const auto& sample : result.starts) {
    if (sample.engine != engine || sample.warm_up || sample.workload != workload) continue;
    if (const std::optional<double> found = value(sample)) values.push_back(*found);
  }
  return values;
}

template <typename T>
std::size_t place(const std::vector<T>& described, const std::string& name) {
  const auto found = std::find_if(described.begin(), described.end(),
                                  [&](const T& item) { return item.name == name; });
  return static_cast<std::size_t>(found - described.begin());
}

}  // namespace

const std::vector<Metric>& mark_metrics() {
  static const std::vector<Metric> all{
      {"start-up", "Start-up", "ns", Better::lower,
       "From the spawn of the command (t0) to the workload being ready (t6), host clock.", ""},
      {"request to exec", "Request to exec", "ns", Better::lower,
       "From the spawn of the command (t0) to the exec of the workload (t4), where published boot "
       "times usually end.",
       ""},
      {"tear-down", "Tear-down", "ns", Better::lower,
       "From the workload being ready (t6) to everything of the box being gone (t7).", ""},
      {"CPU time", "CPU time of one run", "ns", Better::lower,
       "User and system time of the command and of all that it waited for.", ""},
      {cpu_to_exec, "CPU time until exec", "ns", Better::lower,
       "User and system time of the command and all its descendants at the exec of the workload "
       "(t4).",
       ""},
      {cpu_to_ready, "CPU time until ready", "ns", Better::lower,
       "User and system time of the command and all its descendants when the workload is ready "
       "(t6).",
       ""}};
  return all;
}

const Metric& memory_metric() {
  static const Metric metric{
      "memory of one instance",
      "Memory of one instance",
      "B",
      Better::lower,
      "Proportional set size of all processes of an idle instance, with the most running that were "
      "measured; a value for each instance.",
      ""};
  return metric;
}

std::vector<Metric> metrics_of(const Result& result) {
  auto metrics = result.starts.empty() ? std::vector<Metric>() : mark_metrics();
  if (!result.memory.empty()) metrics.push_back(memory_metric());
  metrics.insert(metrics.end(), result.metrics.begin(), result.metrics.end());
  return metrics;
}

std::vector<Series> series_of(const Result& result) {
  std::vector<Series> all;
  for (const auto& sample : result.starts) {
    if (sample.warm_up) continue;
    for (const auto& metric : mark_metrics()) {
      if (const auto value = value_of(sample, metric.name)) {
        add(all, {metric.name, sample.workload, sample.engine, {}, {}, {}}, sample.block, *value);
      }
    }
  }
  add_memory(result, all);
  for (const auto& item : result.measurements) {
    if (item.warm_up) continue;
    add(all, {item.metric, item.workload, item.engine, item.at, {}, {}}, item.block, item.value);
  }
  const auto metrics = metrics_of(result);
  std::stable_sort(all.begin(), all.end(), [&](const Series& a, const Series& b) {
    const auto key = [&](const Series& series) {
      return std::tuple(place(metrics, series.metric), place(result.workloads, series.workload),
                        series.at.value_or(-1), place(result.engines, series.engine));
    };
    return key(a) < key(b);
  });
  return all;
}

std::optional<std::uint64_t> reached(const StartSample& sample, Mark mark) {
  return least_from(sample.marks, mark);
}

std::optional<std::uint64_t> cpu_reached(const StartSample& sample, Mark mark) {
  return least_from(sample.cpu_ns, mark);
}

int most_running(const Result& result, const std::string& engine) {
  int most = 0;
  for (const auto& item : result.memory) {
    if (item.engine == engine && item.state == "idle") most = std::max(most, item.running);
  }
  return most;
}

std::string headline_workload(const Result& result) {
  for (const auto& workload : result.workloads) {
    const auto started =
        std::any_of(result.starts.begin(), result.starts.end(),
                    [&](const StartSample& sample) { return sample.workload == workload.name; });
    if (started) return workload.name;
  }
  return result.starts.empty() ? std::string() : result.starts.front().workload;
}

std::vector<double> durations(const Result& result, const std::string& engine, Mark from, Mark to) {
  return headline_values(result, engine, [&](const StartSample& sample) -> std::optional<double> {
    const auto begin = reached(sample, from);
    const auto end = reached(sample, to);
    if (!begin || !end) return std::nullopt;
    return static_cast<double>(*end) - static_cast<double>(*begin);
  });
}

std::vector<double> cpu_times(const Result& result, const std::string& engine, Mark mark) {
  return headline_values(result, engine, [&](const StartSample& sample) {
    return as_double(cpu_reached(sample, mark));
  });
}

}  // namespace twinbox::compare
