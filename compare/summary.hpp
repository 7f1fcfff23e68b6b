// The figures of a comparison, computed from its raw samples.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compare/result.hpp"
#include "compare/statistics.hpp"

namespace twinbox::compare {

// One measured quantity of one engine. Nanoseconds.
struct Figure {
  double median = 0;
  Interval interval;  // 95 %, of the median
  double p90 = 0;
  double p99 = 0;
  int count = 0;
  int outliers = 0;  // beyond Tukey's fences; they are flagged, not dropped

  // Whether the interval is wider than 5 % of the median.
  bool unstable() const { return interval.high - interval.low > 0.05 * median; }
};

// A stretch of the time from the request to the end, between two marks that the engine gave.
struct Phase {
  sandbox::Mark from{};
  sandbox::Mark to{};
  std::string name;     // of what happens in it, in this engine
  double start_ns = 0;  // medians over all runs
  double length_ns = 0;
};

struct MemorySummary {
  int running = 0;                              // instances that ran at the same time
  std::map<std::string, Footprint> components;  // medians over the instances
  Footprint total;                              // sum of the components
  int processes = 0;
  std::uint64_t workload_total = 0;      // MemTotal as the workload sees it
  std::uint64_t workload_available = 0;  // MemAvailable likewise
};

struct DensitySummary {
  Line line;      // lost MemAvailable in bytes over the number of instances
  int first = 0;  // instances at the first and last point of the fit
  int last = 0;
  double capacity = 0;  // extrapolated: instances that would use up the memory available at first
  std::string constraint;

  // Whether the slope can be told from nothing.
  bool measurable() const { return line.slope_interval.low > 0; }
};

struct EngineSummary {
  std::string engine;
  std::optional<Figure> to_executed;  // t0 to t4
  std::optional<Figure> to_ready;     // t0 to t6
  std::optional<Figure> teardown;     // t6 to t7
  std::optional<Figure> cpu;          // user + system
  std::vector<Phase> phases;
  std::optional<MemorySummary> alone;
  std::optional<MemorySummary> together;
  std::optional<DensitySummary> density;
};

// How many times more `engine` takes than `baseline`.
struct Ratio {
  std::string metric;  // "start-up", "memory per instance"
  std::string engine;
  std::string baseline;
  double value = 0;
  Interval interval;
};

struct Summary {
  std::vector<EngineSummary> engines;  // those measured, in the plan's order
  std::vector<Ratio> ratios;
  std::vector<std::string> verdicts;  // what it comes to, in sentences

  const EngineSummary* find(const std::string& engine) const;
};

Summary summarise(const Result& result);

// The samples behind a figure, warm-ups left out: `to` - `from` of each run that has both marks.
std::vector<double> durations(const Result& result, const std::string& engine, sandbox::Mark from,
                              sandbox::Mark to);

// "a container"; engines by the names that sentences use.
std::string spoken(const std::string& engine);
// "850 µs", "12.3 ms", "1.52 s".
std::string format_time(double nanoseconds);

}  // namespace twinbox::compare
