// What one more instance costs the host: the slope of lost memory over the number of instances.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "compare/contrast.hpp"
#include "compare/result.hpp"
#include "compare/statistics.hpp"

namespace twinbox::compare {

// A growth of instances of one state, all its repeats together.
struct DensitySummary {
  std::string state;
  Line line;  // lost MemAvailable in bytes over the number of instances
  // Slopes of the first and of the second half of the fit.
  std::array<double, 2> halves{};
  int first = 0;  // instances at the first and last point of the fit
  int last = 0;
  // Extrapolated: instances that would use up the memory available at first; 0 of no line.
  double capacity = 0;
  std::string constraint;
  std::string detail;
  bool stopped_by_budget = true;
  int survived = 0;  // instances that every repeat reached

  // Whether the slope can be told from nothing.
  bool measurable() const { return line.slope_interval.low > 0; }
  // Whether one more instance costs about the same from the first to the last: the halves differ by
  // no more than a fifth of the slope.
  bool linear() const;
  // Whether ratios and capacities may be built on the slope.
  bool dependable() const { return measurable() && linear(); }
  // Whether the interval is wider than 5 % of the slope.
  bool unstable() const;
  // "not linear", "unstable", both, or nothing.
  std::string flags() const;
};

// Nothing when there are too few points for a line.
std::optional<DensitySummary> density_of(const Result& result, const std::string& engine,
                                         const std::string& state);
// What each instance of the fit lost the host beyond the one before it, all repeats together.
std::vector<double> steps_of(const Result& result, const std::string& engine,
                             const std::string& state);
// The slopes of all engines and states, as reports are set against one another by.
const Metric& density_metric();

// The widest interval that those of two slopes allow their ratio.
Interval ratio_of_slopes(const Line& above, const Line& below);
// A growth with the report that it is of.
struct Growth {
  const Result& result;
  std::string engine;
  DensitySummary summary;
};
// The slope of one growth against another's. p and effect size are of the steps from each instance
// to the next, the noise of the fit's even points against its odd ones. Both have to be measurable.
Contrast contrast_of_slopes(const Growth& one, const Growth& other);

}  // namespace twinbox::compare
