#include "compare/significance.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "compare/random.hpp"

namespace twinbox::compare {
namespace {

// The rank of each value, from 1; equal values get the mean of theirs.
std::vector<double> midranks(Values values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    auto last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double rank = static_cast<double>(first + last) / 2 + 1;
    for (; first <= last; ++first) ranks[order[first]] = rank;
  }
  return ranks;
}

int sign(double value) { return (value > 0 ? 1 : 0) - (value < 0 ? 1 : 0); }

// Sum over groups of t equal values of t (t - 1) (2 t + 5).
double tie_term(Values values) {
  std::map<double, double> groups;
  for (const double value : values) ++groups[value];
  double sum = 0;
  for (const auto& [value, t] : groups) sum += t * (t - 1) * (2 * t + 5);
  return sum;
}

// Kendall's statistic of the values against their order.
double concordance(Values values) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = i + 1; j < values.size(); ++j) sum += sign(values[j] - values[i]);
  }
  return sum;
}

}  // namespace

double permutation_p(Values one, Values other, std::uint64_t seed, int permutations) {
  if (one.empty() || other.empty()) return 1;
  std::vector<double> all(one.begin(), one.end());
  all.insert(all.end(), other.begin(), other.end());
  auto ranks = midranks(all);
  // Either side's sum tells the other's: the smaller one takes fewer draws.
  if (other.size() < one.size()) std::ranges::reverse(ranks);
  const auto count = std::min(one.size(), other.size());
  const double expected = static_cast<double>(count * (all.size() + 1)) / 2;
  const auto distance = [&](double sum) { return std::abs(sum - expected); };
  const double observed = distance(
      std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(count), 0.0));
  Random random(seed);
  int hits = 0;
  for (int i = 0; i < permutations; ++i) {
    double sum = 0;
    for (std::size_t drawn = 0; drawn < count; ++drawn) {
      std::swap(ranks[drawn], ranks[drawn + random.below(ranks.size() - drawn)]);
      sum += ranks[drawn];
    }
    if (distance(sum) >= observed) ++hits;
  }
  return (hits + 1.0) / (permutations + 1.0);
}

std::vector<double> holm(Values p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double least = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    least = std::max(least, p[order[rank]] * static_cast<double>(p.size() - rank));
    adjusted[order[rank]] = std::min(1.0, least);
  }
  return adjusted;
}

double cliffs_delta(Values one, Values other) {
  if (one.empty() || other.empty()) return 0;
  double sum = 0;
  for (const double a : one) {
    for (const double b : other) sum += sign(a - b);
  }
  return sum / static_cast<double>(one.size() * other.size());
}

const char* effect_size(double delta) {
  const double size = std::abs(delta);
  if (size < 0.147) return "negligible";
  if (size < 0.33) return "small";
  return size < 0.474 ? "medium" : "large";
}

Drift drift(Values in_order) {
  const auto n = static_cast<double>(in_order.size());
  const double middle = median(in_order);
  if (n < 4 || middle == 0) return {};
  std::vector<double> runs(in_order.size());
  std::iota(runs.begin(), runs.end(), 0.0);
  Drift drift;
  drift.share = theil_sen(runs, in_order, 1, 0).slope * (n - 1) / middle;
  const double variance = (n * (n - 1) * (2 * n + 5) - tie_term(in_order)) / 18;
  if (variance > 0) {
    drift.p = std::erfc(std::abs(concordance(in_order)) / std::sqrt(variance) / std::sqrt(2.0));
  }
  return drift;
}

}  // namespace twinbox::compare
