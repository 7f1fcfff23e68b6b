#include "compare/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "compare/random.hpp"

namespace twinbox::compare {
namespace {

double sorted_quantile(Values sorted, double p) {
  if (sorted.empty()) return 0;
  const double position = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(position));
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - std::floor(position)) * (sorted[above] - sorted[below]);
}

double median_in_place(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return sorted_quantile(values, 0.5);
}

void resample(Values values, Random& random, std::vector<double>& out) {
  out.resize(values.size());
  for (auto& value : out) value = values[random.below(values.size())];
}

Interval middle_95_percent(std::vector<double>& statistics) {
  std::sort(statistics.begin(), statistics.end());
  return {sorted_quantile(statistics, 0.025), sorted_quantile(statistics, 0.975)};
}

using Groups = std::span<const int>;

std::vector<double> pair_slopes(Values x, Values y, Groups groups) {
  std::vector<double> slopes;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      if (x[i] != x[j] && groups[i] == groups[j]) slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
    }
  }
  return slopes;
}

struct Step {
  double x = 0;
  double y = 0;
};
using Curve = std::vector<Step>;

// What leads from each point of a group to its next.
std::vector<Curve> curves_of(Values x, Values y, Groups groups) {
  std::map<int, Curve> curves;
  std::map<int, std::size_t> last;
  for (std::size_t i = 0; i < x.size(); ++i) {
    auto& curve = curves[groups[i]];
    if (const auto before = last.find(groups[i]); before != last.end()) {
      curve.push_back({x[i] - x[before->second], y[i] - y[before->second]});
    }
    last[groups[i]] = i;
  }
  std::vector<Curve> all;
  for (auto& [group, curve] : curves) {
    if (!curve.empty()) all.push_back(std::move(curve));
  }
  return all;
}

// The slopes of all pairs of points of a curve that is made of blocks of another's steps, which go
// on at its beginning after its end (circular block bootstrap, Politis and Romano 1992).
void add_slopes_of_blocks(const Curve& steps, Random& random, std::vector<double>& slopes) {
  const auto block = static_cast<std::size_t>(std::ceil(std::sqrt(steps.size())));
  std::vector<Step> points{{}};
  std::size_t at = 0;
  for (std::size_t i = 0; i < steps.size(); ++i, ++at) {
    if (i % block == 0) at = random.below(steps.size());
    const auto& step = steps[at % steps.size()];
    points.push_back({points.back().x + step.x, points.back().y + step.y});
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      const double run = points[j].x - points[i].x;
      if (run != 0) slopes.push_back((points[j].y - points[i].y) / run);
    }
  }
}

double middle_of(std::vector<double>& values) {
  const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), half, values.end());
  if (values.size() % 2 == 1) return *half;
  return (*half + *std::max_element(values.begin(), half)) / 2;
}

// Whole curves are drawn first, then blocks of the steps of each: points of one curve hold all that
// came before them, and are not independent.
Interval slope_interval(Values x, Values y, Groups groups, std::uint64_t seed, int resamples) {
  const auto curves = curves_of(x, y, groups);
  Random random(seed);
  std::vector<double> statistics;
  std::vector<double> slopes;
  for (int i = 0; i < resamples && !curves.empty(); ++i) {
    slopes.clear();
    for (std::size_t k = 0; k < curves.size(); ++k) {
      add_slopes_of_blocks(curves[random.below(curves.size())], random, slopes);
    }
    if (!slopes.empty()) statistics.push_back(middle_of(slopes));
  }
  return middle_95_percent(statistics);
}

// Each value less the median of its group.
std::vector<double> less_group_median(Values values, Groups groups) {
  std::map<int, std::vector<double>> members;
  for (std::size_t i = 0; i < values.size(); ++i) members[groups[i]].push_back(values[i]);
  std::map<int, double> medians;
  for (auto& [group, of_group] : members) medians[group] = median_in_place(of_group);
  std::vector<double> rest;
  for (std::size_t i = 0; i < values.size(); ++i) rest.push_back(values[i] - medians[groups[i]]);
  return rest;
}

}  // namespace

double quantile(Values values, double p) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted_quantile(sorted, p);
}

double median(Values values) { return quantile(values, 0.5); }

Interval quantile_interval(Values values, double p, std::uint64_t seed, int resamples) {
  if (values.empty()) return {};
  Random random(seed);
  std::vector<double> statistics;
  std::vector<double> draw;
  for (int i = 0; i < resamples; ++i) {
    resample(values, random, draw);
    std::sort(draw.begin(), draw.end());
    statistics.push_back(sorted_quantile(draw, p));
  }
  return middle_95_percent(statistics);
}

Interval median_interval(Values values, std::uint64_t seed, int resamples) {
  return quantile_interval(values, 0.5, seed, resamples);
}

Interval ratio_interval(Values numerator, Values denominator, std::uint64_t seed, int resamples) {
  if (numerator.empty() || denominator.empty()) return {};
  Random random(seed);
  std::vector<double> statistics;
  std::vector<double> above;
  std::vector<double> below;
  for (int i = 0; i < resamples; ++i) {
    resample(numerator, random, above);
    resample(denominator, random, below);
    const double divisor = median_in_place(below);
    if (divisor != 0) statistics.push_back(median_in_place(above) / divisor);
  }
  return middle_95_percent(statistics);
}

Line theil_sen(Values x, Values y, std::uint64_t seed, int resamples) {
  return theil_sen(x, y, std::vector<int>(x.size()), seed, resamples);
}

Line theil_sen(Values x, Values y, Groups groups, std::uint64_t seed, int resamples) {
  auto slopes = pair_slopes(x, y, groups);
  if (slopes.empty()) return {0, median(y), 0, {}};
  Line line;
  line.slope = median_in_place(slopes);
  std::vector<double> residuals;
  for (std::size_t i = 0; i < x.size(); ++i) residuals.push_back(y[i] - line.slope * x[i]);
  line.intercept = median(residuals);
  const auto unexplained = less_group_median(residuals, groups);
  std::vector<double> predicted;
  for (std::size_t i = 0; i < y.size(); ++i) predicted.push_back(y[i] - unexplained[i]);
  line.r_squared = r_squared(y, predicted);
  line.slope_interval = slope_interval(x, y, groups, seed, resamples);
  return line;
}

double r_squared(Values observed, Values predicted) {
  if (observed.empty()) return 0;
  const double mean =
      std::accumulate(observed.begin(), observed.end(), 0.0) / static_cast<double>(observed.size());
  double residual = 0;
  double total = 0;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    residual += std::pow(observed[i] - predicted[i], 2);
    total += std::pow(observed[i] - mean, 2);
  }
  if (total == 0) return residual == 0 ? 1 : 0;
  return 1 - residual / total;
}

std::vector<std::size_t> tukey_outliers(Values values) {
  const double first = quantile(values, 0.25);
  const double third = quantile(values, 0.75);
  const double reach = 1.5 * (third - first);
  std::vector<std::size_t> outliers;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < first - reach || values[i] > third + reach) outliers.push_back(i);
  }
  return outliers;
}

}  // namespace twinbox::compare
