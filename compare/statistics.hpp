// The statistics of a comparison: pure functions on samples, with seeded resampling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace twinbox::compare {

using Values = std::span<const double>;

struct Interval {
  double low = 0;
  double high = 0;
};

// The quantile `p` (0 to 1) of a sample by linear interpolation between order statistics:
// Hyndman and Fan's type 7, the default of R and NumPy. 0 for an empty sample.
double quantile(Values values, double p);
double median(Values values);

inline constexpr int default_resamples = 2000;

// The 95 % percentile-bootstrap interval of a quantile, and of the median.
Interval quantile_interval(Values values, double p, std::uint64_t seed,
                           int resamples = default_resamples);
Interval median_interval(Values values, std::uint64_t seed, int resamples = default_resamples);
// The same for median(numerator) / median(denominator), both resampled independently.
Interval ratio_interval(Values numerator, Values denominator, std::uint64_t seed,
                        int resamples = default_resamples);

struct Line {
  double slope = 0;
  double intercept = 0;
  double r_squared = 0;
  Interval slope_interval;  // 95 %, bootstrap of the steps between neighbouring points, in blocks
};

// Theil-Sen: the median of the slopes of all pairs of points with different x (Sen 1968), the
// median residual as intercept. At least two different x; else a flat line through the median. The
// points are a curve's, in the order of x.
Line theil_sen(Values x, Values y, std::uint64_t seed, int resamples = default_resamples);
// The same for points of parallel lines: only pairs of one group count (as those of one season do
// in Hirsch, Slack and Smith 1982). The intercept is of all, r_squared with one for each group.
Line theil_sen(Values x, Values y, std::span<const int> groups, std::uint64_t seed,
               int resamples = default_resamples);

// 1 - residual sum of squares / total sum of squares; 1 when `observed` is constant and met.
double r_squared(Values observed, Values predicted);

// Indices of the values beyond 1.5 interquartile ranges from the quartiles (Tukey's fences).
std::vector<std::size_t> tukey_outliers(Values values);

}  // namespace twinbox::compare
