#include "compare/significance.hpp"

#include <gtest/gtest.h>

namespace twinbox::compare {
namespace {

// Hollander and Wolfe, Nonparametric Statistical Methods (1973), p. 69 f.: permeability of the
// human chorioamnion at term and at 12 to 26 weeks; the example of R's wilcox.test.
const std::vector<double> at_term{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
const std::vector<double> earlier{1.15, 0.88, 0.90, 0.74, 1.21};

// R 4.2, datasets::mtcars$mpg by transmission.
const std::vector<double> manual{21.0, 21.0, 22.8, 32.4, 30.4, 33.9, 27.3,
                                 26.0, 30.4, 15.8, 19.7, 15.0, 21.4};
const std::vector<double> automatic{21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3,
                                    15.2, 10.4, 10.4, 14.7, 21.5, 15.5, 15.2, 13.3, 19.2};

// R 4.2, datasets::Nile: the river's yearly flow at Aswan, 1871 to 1970 (Cobb 1978).
const std::vector<double> nile{
    1120, 1160, 963, 1210, 1160, 1160, 813,  1230, 1370, 1140, 995,  935,  1110, 994,  1020,
    960,  1180, 799, 958,  1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774,  840,
    874,  694,  940, 833,  701,  916,  692,  1020, 1050, 969,  831,  726,  456,  824,  702,
    1120, 1100, 832, 764,  821,  768,  845,  864,  862,  698,  845,  744,  796,  1040, 759,
    781,  865,  845, 944,  984,  897,  822,  1010, 771,  676,  649,  846,  812,  742,  801,
    1040, 860,  874, 848,  890,  744,  749,  838,  1050, 918,  986,  797,  923,  975,  815,
    1020, 906,  901, 1170, 912,  746,  919,  718,  714,  740};

TEST(PermutationTest, MatchesTheExactTestOfHollanderAndWolfe) {
  // wilcox.test(at_term, earlier)$p.value in R 4.2.2, exact; its manual's example, one-sided, says
  // half of it, 0.1272.
  EXPECT_NEAR(permutation_p(at_term, earlier, 1, 50'000), 0.254412, 0.008);
}

TEST(PermutationTest, MatchesRWithTies) {
  // The share of 400,000 deals of the midranks of mtcars$mpg by transmission, R 4.2.2, set.seed(2).
  EXPECT_NEAR(permutation_p(manual, automatic, 1, 200'000), 0.00113, 0.0006);
}

TEST(PermutationTest, TellsSmallSamplesApart) {
  const std::vector<double> low{1, 2, 3, 4, 5};
  const std::vector<double> high{101, 102, 103, 104, 105};
  // Of choose(10, 5) = 252 deals two are as far apart.
  EXPECT_NEAR(permutation_p(low, high, 1, 50'000), 2.0 / 252, 0.002);
}

TEST(PermutationTest, IsSymmetricAndNeverZero) {
  const std::vector<double> low{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::vector<double> high;
  for (const double value : low) high.push_back(value + 100);
  const double p = permutation_p(low, high, 3);
  EXPECT_GT(p, 0);
  EXPECT_LT(p, 0.001);
  EXPECT_NEAR(permutation_p(high, low, 3), p, 0.001);
}

TEST(PermutationTest, OfTheSameSampleIsOne) {
  EXPECT_EQ(permutation_p(automatic, automatic, 1), 1);
  EXPECT_EQ(permutation_p({}, automatic, 1), 1);
}

TEST(Holm, MatchesRsPAdjust) {
  // p.adjust(c(...), "holm") in R 4.2.2, here in another order.
  const std::vector<double> p{0.02, 0.005, 0.13, 0.011, 0.04};
  const std::vector<double> expected{0.06, 0.025, 0.13, 0.044, 0.08};
  const auto adjusted = holm(p);
  ASSERT_EQ(adjusted.size(), expected.size());
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-12);
}

TEST(Holm, IsMonotoneAndAtMostOne) {
  const std::vector<double> p{0.03, 0.04, 0.9};
  EXPECT_EQ(holm(p), (std::vector<double>{0.09, 0.09, 0.9}));
  EXPECT_EQ(holm(std::vector<double>{0.7, 0.8}), (std::vector<double>{1, 1}));
}

TEST(CliffsDelta, MatchesR) {
  // mean(sign(outer(one, other, "-"))) in R 4.2.2.
  EXPECT_NEAR(cliffs_delta(at_term, earlier), 0.4, 1e-12);
  EXPECT_NEAR(cliffs_delta(manual, automatic), 0.659919028340081, 1e-12);
  EXPECT_NEAR(cliffs_delta(automatic, manual), -0.659919028340081, 1e-12);
}

TEST(CliffsDelta, HasNames) {
  EXPECT_STREQ(effect_size(0.1), "negligible");
  EXPECT_STREQ(effect_size(-0.2), "small");
  EXPECT_STREQ(effect_size(0.4), "medium");
  EXPECT_STREQ(effect_size(-0.66), "large");
}

TEST(DriftCheck, MatchesRsKendall) {
  // cor.test(1:100, Nile, method = "kendall", exact = FALSE) and the median of all pair slopes in
  // R 4.2.2: p 3.61e-05, slope -2.6 a year.
  const auto found = drift(nile);
  EXPECT_NEAR(found.p, 3.61117991948162e-05, 1e-9);
  EXPECT_NEAR(found.share, -2.6 * 99 / median(nile), 1e-9);
  EXPECT_TRUE(found.drifted());
}

TEST(DriftCheck, FindsNoneInUnorderedValues) {
  std::vector<double> mpg{21.0, 21.0, 22.8, 21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8,
                          16.4, 17.3, 15.2, 10.4, 10.4, 14.7, 32.4, 30.4, 33.9, 21.5, 15.5,
                          15.2, 13.3, 19.2, 27.3, 26.0, 30.4, 15.8, 19.7, 15.0, 21.4};
  // The same test of mtcars$mpg.
  EXPECT_NEAR(drift(mpg).p, 0.782598919230568, 1e-9);
  EXPECT_FALSE(drift(mpg).drifted());
}

TEST(DriftCheck, OfEqualValuesIsNone) {
  EXPECT_FALSE(drift(std::vector<double>(20, 5.0)).drifted());
  EXPECT_FALSE(drift({}).drifted());
}

}  // namespace
}  // namespace twinbox::compare
