// Two samples of one quantity, one against the other: is there a difference, and how large?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compare/result.hpp"
#include "compare/series.hpp"
#include "compare/significance.hpp"

namespace twinbox::compare {

// What cannot be told for lack of runs, or for noise, is neither a difference nor none.
enum class Difference { none, higher, lower, inconclusive };
std::string_view to_string(Difference difference);

// How many times as much one sample is as the other, and what speaks for it.
struct Contrast {
  double ratio = 1;       // of the medians
  Interval interval;      // 95 %, of the ratio
  double p = 1;           // permutation test
  double p_adjusted = 1;  // Holm, within the family
  double delta = 0;       // Cliff's
  double noise = 0;       // the share that an A/A run differs by

  // A difference has to be significant, its interval has to leave 1 out, and it has to be larger
  // than the noise. There is none where the whole interval is within the noise; else it is open.
  Difference difference() const;
};

// Nothing where either is empty, or the other's median is 0: there is no ratio to it.
std::optional<Contrast> contrast(Values one, Values other, std::uint64_t seed);

// A contrast with the samples that its p is of.
struct FamilyMember {
  Contrast* contrast;
  std::vector<double> one;
  std::vector<double> other;
};

// Holm's correction of contrasts that are looked at together. The least p that a number of deals
// can give has to stay below it: what is small is dealt again, more often the larger the family.
void adjust(std::vector<FamilyMember>& family, std::uint64_t seed);

// What two runs of the same engine differ by.
struct NoiseFloor {
  std::string metric;
  std::string workload;
  std::string engine;  // the one that was repeated
  std::optional<double> at;
  double share = 0;      // the farthest end of the A/A ratio's 95 % interval from 1
  bool own_run = false;  // by an A/A run of its own; else by the even blocks against the odd ones
};

// An engine against another one of the same host.
struct Comparison {
  std::string metric;
  std::string workload;
  std::string engine;
  std::string baseline;
  std::optional<double> at;
  Contrast contrast;
};

std::vector<NoiseFloor> noise_floors(const Result& result, const std::vector<Series>& series);

// Every engine against the plain process of its host, and every box against its first container.
// Holm's correction is over all comparisons of one metric.
std::vector<Comparison> comparisons(const Result& result, const std::vector<Series>& series,
                                    const std::vector<NoiseFloor>& floors);

}  // namespace twinbox::compare
