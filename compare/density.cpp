#include "compare/density.hpp"

#include <algorithm>
#include <cmath>

namespace twinbox::compare {
namespace {

struct Points {
  std::vector<double> instances;
  std::vector<double> lost;
  // The growth that each is of: what the host has kept from the one before shifts all of the next.
  std::vector<int> repeats;
  // What each point lost beyond the one before it.
  std::vector<double> steps;
};

void add_points(const DensitySeries& series, double discarded_share, Points& into) {
  const auto lost = [&](const DensityPoint& point) {
    return static_cast<double>(series.points.front().available_bytes) -
           static_cast<double>(point.available_bytes);
  };
  const double discarded = std::max(1.0, discarded_share * series.points.back().instances);
  const DensityPoint* before = nullptr;
  for (const auto& point : series.points) {
    if (point.instances > discarded) {
      into.instances.push_back(point.instances);
      into.lost.push_back(lost(point));
      into.repeats.push_back(series.repeat);
      if (before != nullptr) into.steps.push_back(lost(point) - lost(*before));
    }
    before = &point;
  }
}

Points points_of(const Result& result, const std::string& engine, const std::string& state) {
  Points points;
  for (const auto& series : result.density) {
    if (series.engine != engine || series.state != state || series.points.empty()) continue;
    add_points(series, result.plan.density.discarded_share, points);
  }
  return points;
}

// How far the slope through every other point is from that through the others, as a factor less 1.
double noise_of(const Points& points, std::uint64_t seed) {
  Points halves[2];
  for (std::size_t i = 0; i < points.lost.size(); ++i) {
    halves[i % 2].instances.push_back(points.instances[i]);
    halves[i % 2].lost.push_back(points.lost[i]);
    halves[i % 2].repeats.push_back(points.repeats[i]);
  }
  const auto slope = [&](const Points& half) {
    return theil_sen(half.instances, half.lost, half.repeats, seed, 1).slope;
  };
  const double ratio = slope(halves[0]) / slope(halves[1]);
  return ratio > 0 && std::isfinite(ratio) ? std::max(ratio, 1 / ratio) - 1 : 1;
}

// Both halves of the fit hold the point between them.
std::array<double, 2> slopes_of_halves(const Points& points, int first, int last) {
  const int middle = (first + last) / 2;
  Points halves[2];
  for (std::size_t i = 0; i < points.lost.size(); ++i) {
    for (const int half : {0, 1}) {
      const double at = points.instances[i];
      if (half == 0 ? at > middle : at < middle) continue;
      halves[half].instances.push_back(at);
      halves[half].lost.push_back(points.lost[i]);
      halves[half].repeats.push_back(points.repeats[i]);
    }
  }
  const auto slope = [](const Points& half) {
    return theil_sen(half.instances, half.lost, half.repeats, 0, 0).slope;
  };
  return {slope(halves[0]), slope(halves[1])};
}

}  // namespace

bool DensitySummary::linear() const {
  return std::abs(halves[1] - halves[0]) <= 0.2 * std::abs(line.slope);
}

bool DensitySummary::unstable() const {
  return line.slope_interval.high - line.slope_interval.low > 0.05 * std::abs(line.slope);
}

std::string DensitySummary::flags() const {
  if (linear()) return unstable() ? "unstable" : "";
  return unstable() ? "not linear, unstable" : "not linear";
}

const Metric& density_metric() {
  static const Metric metric{
      "memory per instance",
      "Memory of one more instance",
      "B",
      Better::lower,
      "Theil-Sen slope of the host's lost MemAvailable over the number of instances that run, the "
      "first ones left out, pairs of one growth only.",
      ""};
  return metric;
}

// All repeats together.
std::optional<DensitySummary> density_of(const Result& result, const std::string& engine,
                                         const std::string& state) {
  const auto points = points_of(result, engine, state);
  if (points.instances.size() < 2) return std::nullopt;
  DensitySummary summary;
  summary.state = state;
  double memory = 0;
  for (const auto& series : result.density) {
    if (series.engine != engine || series.state != state || series.points.empty()) continue;
    const int reached = series.points.back().instances;
    summary.survived = memory == 0 ? reached : std::min(summary.survived, reached);
    memory = static_cast<double>(series.points.front().available_bytes);
    // A repeat that failed is what is told, whatever the others came to.
    if (!summary.stopped_by_budget) continue;
    summary.constraint = series.constraint;
    summary.detail = series.detail;
    summary.stopped_by_budget = series.stopped_by_budget;
  }
  summary.line = theil_sen(points.instances, points.lost, points.repeats, result.plan.seed);
  const auto [first, last] = std::minmax_element(points.instances.begin(), points.instances.end());
  summary.first = static_cast<int>(*first);
  summary.last = static_cast<int>(*last);
  summary.halves = slopes_of_halves(points, summary.first, summary.last);
  if (summary.dependable()) {
    summary.capacity = (memory - summary.line.intercept) / summary.line.slope;
  }
  return summary;
}

std::vector<double> steps_of(const Result& result, const std::string& engine,
                             const std::string& state) {
  return points_of(result, engine, state).steps;
}

Interval ratio_of_slopes(const Line& above, const Line& below) {
  return {above.slope_interval.low / below.slope_interval.high,
          above.slope_interval.high / below.slope_interval.low};
}

Contrast contrast_of_slopes(const Growth& one, const Growth& other) {
  const auto points = points_of(one.result, one.engine, one.summary.state);
  const auto other_points = points_of(other.result, other.engine, other.summary.state);
  const auto seed = other.result.plan.seed;
  Contrast contrast;
  contrast.ratio = one.summary.line.slope / other.summary.line.slope;
  contrast.interval = ratio_of_slopes(one.summary.line, other.summary.line);
  contrast.p = permutation_p(points.steps, other_points.steps, seed);
  contrast.delta = cliffs_delta(points.steps, other_points.steps);
  contrast.noise = std::max(noise_of(points, seed), noise_of(other_points, seed));
  return contrast;
}

}  // namespace twinbox::compare
