#include "compare/statistics.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace twinbox::compare {
namespace {

// R 4.2, datasets::mtcars$mpg.
const std::vector<double> mpg{21.0, 21.0, 22.8, 21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8,
                              16.4, 17.3, 15.2, 10.4, 10.4, 14.7, 32.4, 30.4, 33.9, 21.5, 15.5,
                              15.2, 13.3, 19.2, 27.3, 26.0, 30.4, 15.8, 19.7, 15.0, 21.4};

// R 4.2, datasets::cars.
const std::vector<double> speed{4,  4,  7,  7,  8,  9,  10, 10, 10, 11, 11, 12, 12, 12, 12, 13, 13,
                                13, 13, 14, 14, 14, 14, 15, 15, 15, 16, 16, 17, 17, 17, 18, 18, 18,
                                18, 19, 19, 19, 20, 20, 20, 20, 20, 22, 23, 24, 24, 24, 24, 25};
const std::vector<double> dist{2,  10, 4,  22, 16, 10, 18, 26, 34, 17, 28, 14, 20, 24, 28,  26, 34,
                               34, 46, 26, 36, 60, 80, 20, 26, 54, 32, 40, 32, 40, 50, 42,  56, 76,
                               84, 36, 46, 68, 32, 48, 52, 56, 64, 66, 54, 70, 92, 93, 120, 85};

TEST(Quantile, MatchesR) {
  // quantile(mtcars$mpg, c(.1, .25, .5, .9, .99)) in R 4.2.2.
  EXPECT_NEAR(quantile(mpg, 0.10), 14.34, 1e-9);
  EXPECT_NEAR(quantile(mpg, 0.25), 15.425, 1e-9);
  EXPECT_NEAR(quantile(mpg, 0.50), 19.2, 1e-9);
  EXPECT_NEAR(quantile(mpg, 0.90), 30.09, 1e-9);
  EXPECT_NEAR(quantile(mpg, 0.99), 33.435, 1e-9);
}

TEST(Quantile, OfOneValueIsThatValue) {
  const std::vector<double> one{7};
  EXPECT_EQ(quantile(one, 0), 7);
  EXPECT_EQ(quantile(one, 1), 7);
  EXPECT_EQ(median(one), 7);
}

TEST(Quantile, OfNothingIsZero) { EXPECT_EQ(median({}), 0); }

TEST(MedianInterval, MatchesRsBootstrap) {
  // quantile(replicate(200000, median(sample(mpg, replace = TRUE))), c(.025, .975)) in R 4.2.2
  // with set.seed(1): 16.55 and 21.40.
  const auto interval = median_interval(mpg, 1, 20000);
  EXPECT_NEAR(interval.low, 16.55, 0.35);
  EXPECT_NEAR(interval.high, 21.40, 0.10);
}

TEST(MedianInterval, IsTheSameForTheSameSeed) {
  const auto one = median_interval(mpg, 42);
  const auto other = median_interval(mpg, 42);
  EXPECT_EQ(one.low, other.low);
  EXPECT_EQ(one.high, other.high);
}

TEST(MedianInterval, OfEqualValuesHasNoWidth) {
  const std::vector<double> equal(9, 3.5);
  const auto interval = median_interval(equal, 1);
  EXPECT_EQ(interval.low, 3.5);
  EXPECT_EQ(interval.high, 3.5);
}

TEST(QuantileInterval, OfTheNinetiethPercentileMatchesRsBootstrap) {
  // quantile(replicate(1e5, quantile(sample(mpg, replace = TRUE), .9)), c(.025, .975)), R 4.2.2.
  const auto interval = quantile_interval(mpg, 0.9, 1, 20000);
  EXPECT_NEAR(interval.low, 22.8, 0.3);
  EXPECT_NEAR(interval.high, 32.4, 0.3);
}

TEST(RatioInterval, MatchesRsBootstrap) {
  // quantile(replicate(1e5, median(sample(am, replace = TRUE)) / median(sample(au, replace =
  // TRUE))), c(.025, .975)) in R 4.2.2, of datasets::mtcars$mpg by transmission.
  const std::vector<double> manual{21.0, 21.0, 22.8, 32.4, 30.4, 33.9, 27.3,
                                   26.0, 30.4, 15.8, 19.7, 15.0, 21.4};
  const std::vector<double> automatic{21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3,
                                      15.2, 10.4, 10.4, 14.7, 21.5, 15.5, 15.2, 13.3, 19.2};
  const auto interval = ratio_interval(manual, automatic, 1, 20000);
  EXPECT_NEAR(interval.low, 1.1146, 0.02);
  EXPECT_NEAR(interval.high, 1.8537, 0.02);
}

TEST(RatioInterval, HoldsTheRatioOfMedians) {
  std::vector<double> doubled;
  for (const double value : mpg) doubled.push_back(2 * value);
  const auto interval = ratio_interval(doubled, mpg, 1);
  EXPECT_LT(interval.low, 2);
  EXPECT_GT(interval.high, 2);
  EXPECT_GT(interval.low, 1);
  EXPECT_LT(interval.high, 4);
}

TEST(TheilSen, MatchesTheExampleOfSen1968) {
  // P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968):
  // the example's slope is 4.
  const std::vector<double> x{1, 2, 3, 4, 10, 12, 18};
  const std::vector<double> y{9, 15, 19, 20, 45, 55, 78};
  const auto line = theil_sen(x, y, 1);
  EXPECT_DOUBLE_EQ(line.slope, 4);
  EXPECT_LE(line.slope_interval.low, 4);
  EXPECT_GE(line.slope_interval.high, 4);
}

TEST(TheilSen, MatchesRWithTies) {
  // Median of all pair slopes with different speeds of datasets::cars, computed in R 4.2.2.
  const auto line = theil_sen(speed, dist, 1, 200);
  EXPECT_NEAR(line.slope, 3.66666666666667, 1e-9);
  EXPECT_NEAR(line.intercept, -15.6666666666667, 1e-9);
  EXPECT_NEAR(line.r_squared, 0.640803464371382, 1e-9);
}

TEST(TheilSen, OfParallelLinesIsTheSlopeOfEach) {
  const std::vector<double> x{1, 2, 3, 4, 3, 4, 5, 6};
  const std::vector<double> y{2, 4, 6, 8, 106, 108, 110, 112};
  const std::vector<int> groups{0, 0, 0, 0, 1, 1, 1, 1};
  const auto line = theil_sen(x, y, groups, 1);
  EXPECT_DOUBLE_EQ(line.slope, 2);
  EXPECT_DOUBLE_EQ(line.intercept, 50);
  EXPECT_DOUBLE_EQ(line.r_squared, 1);
  EXPECT_DOUBLE_EQ(line.slope_interval.low, 2);
  EXPECT_DOUBLE_EQ(line.slope_interval.high, 2);
  EXPECT_GT(theil_sen(x, y, 1).slope, 2);
}

// What each step adds stays in all points that follow it.
TEST(TheilSen, TheIntervalOfACumulativeCurveHoldsWhatItsStepsMayAddUpTo) {
  std::vector<double> x;
  std::vector<double> y;
  double sum = 0;
  for (int i = 0; i < 40; ++i) {
    x.push_back(i);
    // Ten steps of 0 and ten of 6, in turn.
    sum += (i / 10) % 2 == 0 ? 0 : 6;
    y.push_back(sum);
  }
  const auto interval = theil_sen(x, y, 1).slope_interval;
  EXPECT_LT(interval.low, 2.2);
  EXPECT_GT(interval.high, 4.2);
}

TEST(TheilSen, TheIntervalOfSeveralCurvesHoldsEachOfThem) {
  std::vector<double> x;
  std::vector<double> y;
  std::vector<int> groups;
  for (int group = 0; group < 3; ++group) {
    for (int i = 0; i < 10; ++i) {
      x.push_back(i);
      y.push_back(i * (2.0 + group));
      groups.push_back(group);
    }
  }
  const auto interval = theil_sen(x, y, groups, 1).slope_interval;
  EXPECT_DOUBLE_EQ(interval.low, 2);
  EXPECT_DOUBLE_EQ(interval.high, 4);
}

TEST(TheilSen, OneWildPointDoesNotMoveIt) {
  const std::vector<double> x{1, 2, 3, 4, 5, 6, 7};
  const std::vector<double> y{10, 20, 30, 4000, 50, 60, 70};
  EXPECT_DOUBLE_EQ(theil_sen(x, y, 1).slope, 10);
}

TEST(TheilSen, WithoutTwoDifferentXIsFlat) {
  const std::vector<double> x{3, 3};
  const std::vector<double> y{5, 7};
  const auto line = theil_sen(x, y, 1);
  EXPECT_EQ(line.slope, 0);
  EXPECT_EQ(line.intercept, 6);
}

TEST(RSquared, MatchesRsLm) {
  // summary(lm(dist ~ speed, cars))$r.squared in R 4.2.2.
  std::vector<double> predicted;
  for (const double x : speed) predicted.push_back(-17.57909489051089 + 3.93240875912409 * x);
  EXPECT_NEAR(r_squared(dist, predicted), 0.651079380758251, 1e-9);
}

TEST(RSquared, OfAConstantIsOneOnlyWhenMet) {
  const std::vector<double> flat{2, 2, 2};
  const std::vector<double> off{2, 2, 3};
  EXPECT_EQ(r_squared(flat, flat), 1);
  EXPECT_EQ(r_squared(flat, off), 0);
}

TEST(TukeyOutliers, MatchesR) {
  // datasets::rivers, its first 60 values; fences from quantile() in R 4.2.2: 289 and 607.5.
  const std::vector<double> rivers{735,  320, 325, 392, 524, 450, 1459, 135,  465, 600, 330,  336,
                                   280,  315, 870, 906, 202, 329, 290,  1000, 600, 505, 1450, 840,
                                   1243, 890, 350, 407, 286, 280, 525,  720,  390, 250, 327,  230,
                                   265,  850, 210, 630, 260, 230, 360,  730,  600, 306, 390,  420,
                                   291,  710, 340, 217, 281, 352, 259,  250,  470, 680, 570,  350};
  const auto outliers = tukey_outliers(rivers);
  std::vector<double> values;
  for (const auto index : outliers) values.push_back(rivers[index]);
  EXPECT_EQ(values, (std::vector<double>{1459, 1450, 1243}));
}

TEST(TukeyOutliers, AreNoneAmongEqualValues) {
  const std::vector<double> equal(5, 1.0);
  EXPECT_TRUE(tukey_outliers(equal).empty());
}

}  // namespace
}  // namespace twinbox::compare
