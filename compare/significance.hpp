// Whether two samples differ, by how much, and whether one drifted: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "compare/statistics.hpp"

namespace twinbox::compare {

inline constexpr int default_permutations = 4999;

// The two-sided p of the rank sum (equal values share the mean of their ranks) when the labels are
// dealt out anew `permutations` times: how often chance alone sets the samples as far apart. A rank
// sum, unlike a difference of medians, can tell small samples apart, and no single value moves it.
// (hits + 1) / (permutations + 1), so never 0 (Phipson and Smyth 2010); 1 when either is empty.
double permutation_p(Values one, Values other, std::uint64_t seed,
                     int permutations = default_permutations);

// Holm's step-down correction (1979) of a family of p-values, in their order.
std::vector<double> holm(Values p);

// Cliff's delta: how much more often a value of `one` is above a value of `other` than below, from
// -1 to 1.
double cliffs_delta(Values one, Values other);

// "negligible" below 0.147, "small" below 0.33, "medium" below 0.474, else "large" (Romano et al.
// 2006).
const char* effect_size(double cliffs_delta);

// A trend of a sample over the order of its runs.
struct Drift {
  double share = 0;  // the Theil-Sen line's rise from the first run to the last, of the median
  double p = 1;      // two-sided, of Kendall's tau with ties, by its normal approximation

  bool drifted() const { return p < 0.01 && (share > 0.02 || share < -0.02); }
};

Drift drift(Values in_order);

}  // namespace twinbox::compare
