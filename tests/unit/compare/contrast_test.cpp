#include "compare/contrast.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/json.hpp"
#include "compare/random.hpp"
#include "compare/summary.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

// Start-up of 1200 containers, one after another on a busy host of two processors, in nanoseconds.
std::vector<double> recorded_noise() {
  const std::string file = TWINBOX_TEST_DATA "/container-starts.json";
  const auto json = base::parse_json(base::read_file(file), file);
  return base::JsonView(json, file).get<std::vector<double>>("ready_ns");
}

// Two engines that are one and the same, in blocks that hold each once in random order.
Result a_against_a(const std::vector<double>& noise, std::size_t first, std::uint64_t seed) {
  Random random(seed);
  Result result;
  result.plan.seed = seed;
  result.hosts = {{"this host", HostKind::native, {}}};
  for (const auto* const name : {"container", "same"}) {
    result.engines.push_back(describe_engine(name));
    result.engines.back().host = "this host";
  }
  for (int block = 0; block < 30; ++block) {
    std::vector<std::string> order{"container", "same"};
    random.shuffle(order);
    for (const auto& engine : order) {
      StartSample sample;
      sample.engine = engine;
      sample.block = block;
      sample.marks = {
          {sandbox::Mark::request, 0},
          {sandbox::Mark::ready, static_cast<std::uint64_t>(noise.at(first++ % noise.size()))}};
      result.starts.push_back(sample);
    }
  }
  return result;
}

TEST(Contrast, OfAHundredIdenticalPairsFindsADifferenceInSevenAtMost) {
  const auto noise = recorded_noise();
  ASSERT_GE(noise.size(), 1000U);
  int significant = 0;
  int reported = 0;
  int none = 0;
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    const auto result = a_against_a(noise, trial * 60, trial + 1);
    const auto series = series_of(result);
    for (const auto& item : comparisons(result, series, noise_floors(result, series))) {
      if (item.metric != "start-up") continue;
      if (item.contrast.p_adjusted < 0.05) ++significant;
      const auto difference = item.contrast.difference();
      if (difference == Difference::higher || difference == Difference::lower) ++reported;
      if (difference == Difference::none) ++none;
    }
  }
  RecordProperty("significant", significant);
  RecordProperty("reported", reported);
  EXPECT_LE(reported, 7) << significant << " of them significant by the permutation test alone";
  // A test that never rejects would pass as well; this one rejects at its level.
  EXPECT_LE(significant, 12);
  RecordProperty("none", none);
}

TEST(Contrast, FindsATenthMoreInTheSameNoise) {
  auto noise = recorded_noise();
  std::vector<double> one(noise.begin(), noise.begin() + 200);
  std::vector<double> other(noise.begin() + 200, noise.begin() + 400);
  for (auto& value : one) value *= 1.25;
  const auto found = contrast(one, other, 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->difference(), Difference::higher);
  EXPECT_EQ(contrast(other, one, 1)->difference(), Difference::lower);
}

TEST(Contrast, InsideTheNoiseIsNoDifference) {
  Contrast contrast{1.04, {1.03, 1.05}, 0.001, 0.001, 0.9, 0.05};
  EXPECT_EQ(contrast.difference(), Difference::none);
  contrast.noise = 0.02;
  EXPECT_EQ(contrast.difference(), Difference::higher);
  contrast.interval = {1.005, 1.015};
  EXPECT_EQ(contrast.difference(), Difference::none);
}

TEST(Contrast, AnIntervalThatLeavesTheNoiseIsNotNone) {
  const Contrast not_significant{1.5, {0.98, 2.2}, 0.2, 0.2, 0.3, 0.03};
  EXPECT_EQ(not_significant.difference(), Difference::inconclusive);
  const Contrast holds_one{1.04, {0.99, 1.09}, 0.001, 0.001, 0.9, 0.02};
  EXPECT_EQ(holds_one.difference(), Difference::inconclusive);
  const Contrast of_the_noise{1.04, {1.02, 1.09}, 0.001, 0.001, 0.9, 0.05};
  EXPECT_EQ(of_the_noise.difference(), Difference::inconclusive);
}

TEST(Contrast, ToNothingIsNone) {
  const std::vector<double> nothing(10, 0.0);
  const std::vector<double> something(10, 3.0);
  EXPECT_FALSE(contrast(something, nothing, 1));
  EXPECT_FALSE(contrast(nothing, nothing, 1));
  EXPECT_FALSE(contrast({}, something, 1));
  EXPECT_TRUE(contrast(nothing, something, 1));
}

TEST(Family, TellsADifferenceAmongSeveralHundred) {
  const std::vector<double> noise = recorded_noise();
  std::vector<Contrast> contrasts;
  std::vector<FamilyMember> family;
  constexpr std::size_t members = 400;
  contrasts.reserve(members);
  for (std::size_t i = 0; i < members; ++i) {
    std::vector<double> one;
    std::vector<double> other;
    for (std::size_t k = 0; k < 30; ++k) {
      one.push_back(noise.at((i + 2 * k) % noise.size()) * (i == 7 ? 2 : 1));
      other.push_back(noise.at((i + 2 * k + 1) % noise.size()));
    }
    contrasts.push_back(*contrast(one, other, 1));
    family.push_back({&contrasts.back(), one, other});
  }
  adjust(family, 1);
  EXPECT_LT(contrasts.at(7).p_adjusted, 0.05);
  EXPECT_GT(contrasts.at(8).p_adjusted, 0.05);
  const auto first = contrasts.at(7).p;
  adjust(family, 1);
  EXPECT_EQ(contrasts.at(7).p, first);
}

// Every run of the headline workload is ready when it ends.
Result without_ready() {
  auto result = sample_result();
  for (auto& sample : result.starts) {
    sample.marks[sandbox::Mark::ready] = sample.marks[sandbox::Mark::gone];
  }
  return result;
}

TEST(Comparisons, HaveNoTearDownOfWhatNeverSaidReady) {
  const auto result = without_ready();
  const auto series = series_of(result);
  const auto is_tear_down = [](const auto& item) { return item.metric == "tear-down"; };
  EXPECT_TRUE(std::ranges::none_of(series, is_tear_down));
  const auto floors = noise_floors(result, series);
  EXPECT_TRUE(std::ranges::none_of(floors, is_tear_down));
  EXPECT_TRUE(std::ranges::none_of(comparisons(result, series, floors), is_tear_down));
}

TEST(Comparisons, HaveNoRatioToZero) {
  auto result = sample_result();
  for (int block = 0; block < 6; ++block) {
    for (const auto* const engine : {"process", "container", "vm"}) {
      result.measurements.push_back({"errors", engine, "start-up", block, 0, false, {}, 0});
    }
  }
  const auto series = series_of(result);
  const auto is_zero = [](const auto& item) { return item.metric == "errors"; };
  EXPECT_TRUE(std::ranges::any_of(series, is_zero));
  const auto floors = noise_floors(result, series);
  EXPECT_TRUE(std::ranges::none_of(floors, is_zero));
  EXPECT_TRUE(std::ranges::none_of(comparisons(result, series, floors), is_zero));
}

TEST(Contrast, TooFewRunsAreInconclusive) {
  const std::vector<double> slow{40, 41, 42};
  const std::vector<double> fast{1, 1.1, 1.2};
  EXPECT_EQ(contrast(slow, fast, 1)->difference(), Difference::inconclusive);
}

TEST(NoiseFloor, IsTheAARunsWhereThereIsOne) {
  auto result = sample_result();
  auto again = *result.find_engine("container");
  again.name = "container again";
  again.repeats = "container";
  result.engines.push_back(again);
  const auto starts = result.starts;
  for (auto sample : starts) {
    if (sample.engine != "container") continue;
    sample.engine = again.name;
    for (auto& [mark, at] : sample.marks) at += at / 10;
    result.starts.push_back(sample);
  }
  const auto series = series_of(result);
  const auto floors = noise_floors(result, series);
  const auto found = comparisons(result, series, floors);
  for (const auto& item : found) {
    EXPECT_NE(item.engine, again.name) << "an A/A run is no engine to compare";
    if (item.metric == "start-up") {
      EXPECT_GT(item.contrast.noise, 0.09);
    }
  }
  EXPECT_FALSE(found.empty());
}

}  // namespace
}  // namespace twinbox::compare
