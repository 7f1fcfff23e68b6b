#include "compare/contrast.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace twinbox::compare {
namespace {

constexpr double significant = 0.05;

// How far a ratio is from 1, whichever side is the larger: 0.25 of 1.25 and of 0.8.
double distance_from_one(double ratio) { return ratio > 0 ? std::max(ratio, 1 / ratio) - 1 : 1; }

double farthest_from_one(const Interval& interval) {
  return std::max(distance_from_one(interval.low), distance_from_one(interval.high));
}

const Series* find(const std::vector<Series>& all, const Series& like, const std::string& engine) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Series& series) {
    return series.engine == engine && series.matches(like);
  });
  return found == all.end() ? nullptr : &*found;
}

// Nothing where there is no ratio.
std::optional<NoiseFloor> floor_of(const Series& series, Values one, Values other, bool own_run,
                                   std::uint64_t seed) {
  if (median(other) == 0) return std::nullopt;
  return NoiseFloor{series.metric,
                    series.workload,
                    series.engine,
                    series.at,
                    farthest_from_one(ratio_interval(one, other, seed)),
                    own_run};
}

std::optional<NoiseFloor> floor_of_halves(const Series& series, std::uint64_t seed) {
  std::vector<double> even;
  std::vector<double> odd;
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    (i % 2 == 0 ? even : odd).push_back(series.values[i]);
  }
  return floor_of(series, even, odd, false, seed);
}

// The noise of a comparison: of the host's A/A run of this metric, or the larger of both sides'.
double noise_of(const Result& result, const std::vector<NoiseFloor>& floors, const Series& one,
                const Series& other) {
  double own = -1;
  double halves = 0;
  for (const auto& floor : floors) {
    if (floor.metric != one.metric || floor.workload != one.workload || floor.at != one.at)
      continue;
    const bool same_host = &result.host_of(floor.engine) == &result.host_of(one.engine);
    if (floor.own_run && same_host) own = std::max(own, floor.share);
    if (floor.engine == one.engine || floor.engine == other.engine) {
      halves = std::max(halves, floor.share);
    }
  }
  return own >= 0 ? own : halves;
}

// The first engine of a kind on the same host that is no A/A run.
const Engine* first_of(const Result& result, BoxKind kind, const std::string& engine) {
  for (const auto& candidate : result.engines) {
    if (candidate.kind == kind && candidate.repeats.empty() &&
        &result.host_of(candidate.name) == &result.host_of(engine)) {
      return &candidate;
    }
  }
  return nullptr;
}

// How many deals tell p-values of a family of this size apart from what Holm's correction asks of
// the least of them: with twenty deals as extreme at its threshold.
int deals_for(std::size_t members) {
  constexpr double extreme_deals = 20;
  constexpr double most = 200'000;  // else hundreds of differences would take minutes
  return static_cast<int>(std::clamp(extreme_deals * static_cast<double>(members) / significant - 1,
                                     static_cast<double>(default_permutations), most));
}

}  // namespace

std::string_view to_string(Difference difference) {
  switch (difference) {
    case Difference::none:
      return "no difference";
    case Difference::higher:
      return "higher";
    case Difference::lower:
      return "lower";
    case Difference::inconclusive:
      return "inconclusive";
  }
  return {};
}

Difference Contrast::difference() const {
  if (interval.low >= 1 / (1 + noise) && interval.high <= 1 + noise) return Difference::none;
  const bool apart = interval.low > 1 || interval.high < 1;
  if (p_adjusted >= significant || !apart || distance_from_one(ratio) <= noise) {
    return Difference::inconclusive;
  }
  return ratio > 1 ? Difference::higher : Difference::lower;
}

std::optional<Contrast> contrast(Values one, Values other, std::uint64_t seed) {
  Contrast result;
  const double below = median(other);
  if (one.empty() || other.empty() || below == 0) return std::nullopt;
  result.ratio = median(one) / below;
  result.interval = ratio_interval(one, other, seed);
  result.p = permutation_p(one, other, seed);
  result.p_adjusted = result.p;
  result.delta = cliffs_delta(one, other);
  return result;
}

void adjust(std::vector<FamilyMember>& family, std::uint64_t seed) {
  const int deals = deals_for(family.size());
  std::vector<double> p;
  for (auto& member : family) {
    auto& contrast = *member.contrast;
    // The first deals are the same ones: only what they leave at their lower end needs more.
    if (deals > default_permutations && contrast.p < significant / 10) {
      contrast.p = permutation_p(member.one, member.other, seed, deals);
    }
    p.push_back(contrast.p);
  }
  const auto adjusted = holm(p);
  for (std::size_t i = 0; i < family.size(); ++i) family[i].contrast->p_adjusted = adjusted[i];
}

std::vector<NoiseFloor> noise_floors(const Result& result, const std::vector<Series>& all) {
  std::vector<NoiseFloor> floors;
  for (const auto& series : all) {
    const auto* engine = result.find_engine(series.engine);
    const auto* repeated =
        engine == nullptr || engine->repeats.empty() ? nullptr : find(all, series, engine->repeats);
    std::optional<NoiseFloor> found;
    if (repeated != nullptr) {
      found = floor_of(*repeated, series.values, repeated->values, true, result.plan.seed);
    } else if (series.values.size() >= 4) {
      found = floor_of_halves(series, result.plan.seed);
    }
    if (found) floors.push_back(std::move(*found));
  }
  return floors;
}

std::vector<Comparison> comparisons(const Result& result, const std::vector<Series>& all,
                                    const std::vector<NoiseFloor>& floors) {
  std::vector<Comparison> found;
  std::vector<std::pair<const Series*, const Series*>> samples;
  for (const auto& series : all) {
    const auto* engine = result.find_engine(series.engine);
    if (engine == nullptr || !engine->repeats.empty()) continue;
    for (const auto kind : {BoxKind::process, BoxKind::container}) {
      const auto* baseline = first_of(result, kind, series.engine);
      if (baseline == nullptr || baseline == engine || engine->kind == BoxKind::process) continue;
      const auto* other = find(all, series, baseline->name);
      if (other == nullptr) continue;
      auto told = contrast(series.values, other->values, result.plan.seed);
      if (!told) continue;
      told->noise = noise_of(result, floors, series, *other);
      found.push_back(
          {series.metric, series.workload, series.engine, baseline->name, series.at, *told});
      samples.emplace_back(&series, other);
    }
  }
  std::map<std::string, std::vector<FamilyMember>> families;
  for (std::size_t i = 0; i < found.size(); ++i) {
    families[found[i].metric].push_back(
        {&found[i].contrast, samples[i].first->values, samples[i].second->values});
  }
  for (auto& [metric, family] : families) adjust(family, result.plan.seed);
  return found;
}

}  // namespace twinbox::compare
