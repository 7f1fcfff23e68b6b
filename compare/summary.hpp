// The figures of a comparison, computed from its raw samples.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compare/contrast.hpp"
#include "compare/density.hpp"
#include "compare/result.hpp"
#include "compare/series.hpp"
#include "compare/statistics.hpp"

namespace twinbox::compare {

// One measured quantity of one engine, in its metric's unit. Intervals are of 95 %.
struct Figure {
  double median = 0;
  Interval interval;
  double p90 = 0;
  Interval p90_interval;
  double p99 = 0;
  Interval p99_interval;
  int count = 0;
  std::vector<int> outliers;  // blocks beyond Tukey's fences; they are flagged, not dropped
  Drift drift;

  // Whether the interval is wider than 5 % of the median.
  bool unstable() const { return interval.high - interval.low > 0.05 * median; }
};

struct MetricFigure {
  std::string metric;
  std::string workload;
  std::string engine;
  std::optional<double> at;
  Figure figure;
};

// A stretch of the time from the request to the end, between two marks that the engine gave.
struct Phase {
  sandbox::Mark from{};
  sandbox::Mark to{};
  std::string name;     // of what happens in it, in this engine
  bool joined = false;  // several stretches, as the engine lacks the marks between them
  double start_ns = 0;  // medians over all runs
  double length_ns = 0;
};

struct MemorySummary {
  int running = 0;                              // instances that ran at the same time
  std::map<std::string, Footprint> components;  // medians over the instances
  Footprint total;                              // sum of the components
  // What the control group is charged for, medians; empty where the engine makes none.
  std::map<std::string, std::uint64_t> cgroup;
  int processes = 0;
  std::uint64_t workload_total = 0;      // MemTotal as the workload sees it
  std::uint64_t workload_available = 0;  // MemAvailable likewise
};

struct EngineSummary {
  std::string engine;
  std::optional<Figure> to_executed;  // t0 to t4
  std::optional<Figure> to_ready;     // t0 to t6
  std::optional<Figure> teardown;     // t6 to t7
  std::optional<Figure> cpu;          // user + system
  std::vector<Phase> phases;
  std::map<sandbox::Mark, double> cpu_at_marks;  // medians over all runs, where it is known
  std::optional<MemorySummary> alone;
  std::optional<MemorySummary> together;
  std::optional<DensitySummary> density;        // of idle instances
  std::vector<DensitySummary> other_densities;  // touched, active
};

// How many times more memory one more instance of `engine` takes than one of `baseline`.
struct Ratio {
  std::string metric;
  std::string engine;
  std::string baseline;
  double value = 0;
  Interval interval;
};

// Why one engine starts later than another: phases of the gap, and what exits have to do with it.
struct Explanation {
  std::string engine;
  std::string baseline;
  double gap_ns = 0;
  std::vector<std::string> sentences;  // the largest part first
};

struct Summary {
  std::vector<EngineSummary> engines;  // those measured, in the report's order
  std::vector<Metric> metrics;
  std::vector<MetricFigure> figures;
  std::vector<NoiseFloor> noise;
  std::vector<Comparison> comparisons;
  std::vector<Ratio> ratios;
  std::vector<Explanation> explanations;  // why boxes differ in start-up
  std::vector<std::string> verdicts;      // what it comes to, in sentences

  const EngineSummary* find(const std::string& engine) const;
  // A headline's comparison; null when there is none.
  const Comparison* find_comparison(const std::string& metric, const std::string& engine,
                                    const std::string& baseline) const;
};

Summary summarise(const Result& result);

Figure figure_of(const Series& series, std::uint64_t seed);

// "a container", "a microVM (warm start)": engines by the names that sentences use.
std::string spoken(const Engine& engine);
std::string spoken(const Result& result, const std::string& engine);
// As tables name it: the run that repeats another is told apart from it.
std::string title_of(const Result& result, const std::string& engine);
// The name of a stretch between two marks that holds these phases.
std::string joined_name(const std::vector<std::string>& names, sandbox::Mark from,
                        sandbox::Mark to);
// "850 µs", "12.3 ms", "1.52 s".
std::string format_time(double nanoseconds);

}  // namespace twinbox::compare
