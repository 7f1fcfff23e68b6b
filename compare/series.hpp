// Every metric of a result as one form: the values of an engine by run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compare/result.hpp"

namespace twinbox::compare {

// The values of one metric of one engine, warm-ups left out, in the order of the runs.
struct Series {
  std::string metric;
  std::string workload;
  std::string engine;
  std::optional<double> at;  // of the metric's parameter
  std::vector<int> blocks;   // the run's index of each value
  std::vector<double> values;

  // Whether both are the same quantity of two engines.
  bool matches(const Series& other) const {
    return metric == other.metric && workload == other.workload && at == other.at;
  }
};

// Metrics that are computed from the marks of starts.
const std::vector<Metric>& mark_metrics();
// What an idle instance holds, while as many as were measured run.
const Metric& memory_metric();
// Those that there are values of, and the result's own.
std::vector<Metric> metrics_of(const Result& result);

// In the order of metrics, workloads, parameters and engines.
std::vector<Series> series_of(const Result& result);

// When a mark was reached. Marks of different watchers can overtake one another: a parent may learn
// that its child exists after the child has got further. None can have been reached later than a
// mark that follows it.
std::optional<std::uint64_t> reached(const StartSample& sample, sandbox::Mark mark);
// The CPU time by then, likewise.
std::optional<std::uint64_t> cpu_reached(const StartSample& sample, sandbox::Mark mark);

// The most idle instances of an engine that ran when their memory was measured; 0 for none.
int most_running(const Result& result, const std::string& engine);

// The workload whose start-up the headlines are about: the first one that was started.
std::string headline_workload(const Result& result);

// `to` - `from` of each run of the headline workload that has both marks, warm-ups left out.
std::vector<double> durations(const Result& result, const std::string& engine, sandbox::Mark from,
                              sandbox::Mark to);
// CPU time at `mark` of the same runs, where it is known.
std::vector<double> cpu_times(const Result& result, const std::string& engine, sandbox::Mark mark);

}  // namespace twinbox::compare
