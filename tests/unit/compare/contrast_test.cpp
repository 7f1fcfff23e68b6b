#include "compare/contrast.hpp"

#include <gtest/gtest.h>

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
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    const auto result = a_against_a(noise, trial * 60, trial + 1);
    const auto series = series_of(result);
    for (const auto& item : comparisons(result, series, noise_floors(result, series))) {
      if (item.metric != "start-up") continue;
      if (item.contrast.p_adjusted < 0.05) ++significant;
      if (item.contrast.difference() != Difference::none) ++reported;
    }
  }
  RecordProperty("significant", significant);
  RecordProperty("reported", reported);
  EXPECT_LE(reported, 7) << significant << " of them significant by the permutation test alone";
  // A test that never rejects would pass as well; this one rejects at its level.
  EXPECT_LE(significant, 12);
}

TEST(Contrast, FindsATenthMoreInTheSameNoise) {
  auto noise = recorded_noise();
  std::vector<double> one(noise.begin(), noise.begin() + 200);
  std::vector<double> other(noise.begin() + 200, noise.begin() + 400);
  for (auto& value : one) value *= 1.25;
  const auto found = contrast(one, other, 1);
  EXPECT_EQ(found.difference(), Difference::higher);
  EXPECT_EQ(contrast(other, one, 1).difference(), Difference::lower);
}

TEST(Contrast, InsideTheNoiseIsNoDifference) {
  Contrast contrast{1.04, {1.03, 1.05}, 0.001, 0.001, 0.9, 0.05};
  EXPECT_EQ(contrast.difference(), Difference::none);
  contrast.noise = 0.02;
  EXPECT_EQ(contrast.difference(), Difference::higher);
  contrast.interval = {0.99, 1.09};
  EXPECT_EQ(contrast.difference(), Difference::none);
}

TEST(Contrast, TooFewRunsAreInconclusive) {
  const std::vector<double> slow{40, 41, 42};
  const std::vector<double> fast{1, 1.1, 1.2};
  EXPECT_EQ(contrast(slow, fast, 1).difference(), Difference::inconclusive);
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
