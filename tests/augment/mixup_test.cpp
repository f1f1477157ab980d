#include "augment/mixup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <set>

namespace earmark {
namespace {

constexpr int kN = 40000;

std::vector<double> draws(double a, double b) {
  std::vector<double> values;
  for (int i = 0; i < kN; ++i) {
    Rng rng(11, "beta", 0, static_cast<std::uint64_t>(i));
    values.push_back(draw_beta(a, b, rng));
  }
  return values;
}

// Largest distance of the empirical distribution function from `cdf` (Kolmogorov and Smirnov).
double ks_distance(std::vector<double> values, const std::function<double(double)>& cdf) {
  std::ranges::sort(values);
  double worst = 0.0;
  const auto n = static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double f = cdf(values[i]);
    worst = std::max(
        {worst, std::fabs(f - static_cast<double>(i) / n), std::fabs(f - static_cast<double>(i + 1) / n)});
  }
  return worst;
}

// P(sqrt(n) * distance > 2) is about 2 exp(-8) = 7e-4 for the right distribution.
const double kFarthest = 2.0 / std::sqrt(kN);

TEST(DrawBeta, HalfAndHalfFollowsTheArcsineLaw) {
  const auto arcsine = [](double x) { return 2.0 / std::numbers::pi * std::asin(std::sqrt(x)); };
  EXPECT_LT(ks_distance(draws(0.5, 0.5), arcsine), kFarthest);
}

TEST(DrawBeta, FollowsTheClosedFormsOfOtherShapes) {
  EXPECT_LT(ks_distance(draws(1.0, 1.0), [](double x) { return x; }), kFarthest);
  EXPECT_LT(ks_distance(draws(2.0, 1.0), [](double x) { return x * x; }), kFarthest);
  EXPECT_LT(ks_distance(draws(0.5, 1.0), [](double x) { return std::sqrt(x); }), kFarthest);
  EXPECT_LT(ks_distance(draws(2.0, 2.0), [](double x) { return x * x * (3 - 2 * x); }), kFarthest);
  // Density 3/4 x^(-1/2) (1 - x): both ways of drawing a gamma variate meet here.
  EXPECT_LT(ks_distance(draws(0.5, 2.0), [](double x) { return std::sqrt(x) * (3 - x) / 2; }), kFarthest);
}

TEST(DrawBeta, MeanAndVarianceAreThoseOfTheLaw) {
  for (const auto& [a, b] :
       {std::pair{0.1, 0.1}, {0.5, 0.5}, {0.2, 0.7}, {3.0, 0.4}, {8.0, 8.0}, {50.0, 2.0}}) {
    const std::vector<double> values = draws(a, b);
    const double mean = a / (a + b), variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    double sum = 0.0, square = 0.0;
    for (const double x : values) {
      ASSERT_TRUE(x >= 0.0 && x <= 1.0) << x;
      sum += x;
      square += (x - mean) * (x - mean);
    }
    EXPECT_NEAR(sum / kN, mean, 5 * std::sqrt(variance / kN)) << a << " " << b;
    // Squared deviations on [0, 1] vary by less than the deviations themselves.
    EXPECT_NEAR(square / kN, variance, 5 * std::sqrt(variance / kN)) << a << " " << b;
  }
}

TEST(DrawBeta, TinyShapesGiveOneOfTheEndsAndNoNaN) {
  int n_high = 0;
  for (const double x : draws(1e-4, 1e-4)) {
    ASSERT_TRUE(x >= 0.0 && x <= 1.0) << x;
    n_high += x > 0.5 ? 1 : 0;
  }
  EXPECT_NEAR(n_high, kN / 2, 5 * std::sqrt(kN) / 2);
}

TEST(DrawMixup, IsAFunctionOfSeedAndIterationAlone) {
  const MixupOptions options;
  const MixupPlan plan = draw_mixup(options, 1, 7, 16), again = draw_mixup(options, 1, 7, 16);
  EXPECT_EQ(plan.lambda, again.lambda);
  EXPECT_EQ(plan.partner, again.partner);
  std::set<std::vector<double>> lambdas;
  for (long i = 0; i < 50; ++i) {
    const MixupPlan other = draw_mixup(options, 1, i, 16);
    lambdas.insert(other.lambda);
    std::set<std::size_t> partners(other.partner.begin(), other.partner.end());
    EXPECT_EQ(partners.size(), 16U) << "a permutation";
    EXPECT_EQ(*partners.rbegin(), 15U);
  }
  EXPECT_EQ(lambdas.size(), 50U);
  EXPECT_NE(draw_mixup(options, 2, 7, 16).lambda, plan.lambda);
}

TEST(DrawMixup, BatchesThatAreLeftAloneHaveTheNeutralPlan) {
  MixupOptions options;
  options.probability = 0.25;
  int n_mixed = 0;
  for (long i = 0; i < 4000; ++i) {
    const MixupPlan plan = draw_mixup(options, 3, i, 5);
    ASSERT_EQ(plan.partner.size(), 5U);
    n_mixed += plan.changes() ? 1 : 0;
  }
  EXPECT_NEAR(n_mixed, 1000, 5 * std::sqrt(4000 * 0.25 * 0.75));
}

TEST(MixItems, EachItemBecomesTheConvexMeanWithItsPartnerAsItWas) {
  std::vector<float> values{0, 1, 10, 11, 20, 21};  // three items of two
  mix_items(values, 3, {{0.75, 0.75, 0.75}, {2, 0, 1}});
  EXPECT_EQ(values, (std::vector<float>{5, 6, 7.5f, 8.5f, 17.5f, 18.5f}));
}

TEST(MixItems, OfHalvesTheFirstIsKept) {
  std::vector<float> values{0, 10, 20, 30};
  mix_items(values, 4, {{0.75, 0.5}, {2, 3}});
  EXPECT_EQ(values, (std::vector<float>{5, 20}));
}

TEST(DrawMixup, HalvesArePairedAndEachPairMayHaveItsOwnShare) {
  MixupOptions options;
  options.halves = options.each = options.larger_share = true;
  const MixupPlan plan = draw_mixup(options, 1, 7, 8);
  EXPECT_EQ(plan.partner, (std::vector<std::size_t>{4, 5, 6, 7}));
  ASSERT_EQ(plan.lambda.size(), 4U);
  EXPECT_EQ(std::set<double>(plan.lambda.begin(), plan.lambda.end()).size(), 4U);
  for (const double lambda : plan.lambda) EXPECT_GE(lambda, 0.5);
  options.each = false;
  const MixupPlan one = draw_mixup(options, 1, 7, 8);
  EXPECT_EQ(one.lambda, std::vector<double>(4, plan.lambda[0]));
}

TEST(DrawMixup, AClipAloneInItsBatchStaysAsItIs) {
  for (const bool halves : {true, false}) {
    MixupOptions options;
    options.halves = options.each = halves;
    const MixupPlan plan = draw_mixup(options, 1, 7, 1);
    EXPECT_FALSE(plan.changes());
    std::vector<float> values{3, 4};
    mix_items(values, 1, plan);
    EXPECT_EQ(values, (std::vector<float>{3, 4}));
  }
}

TEST(DrawMixup, WithoutSelfEveryClipMeetsAnotherAndAllOthersAreAsLikely) {
  MixupOptions options;
  options.no_self = true;
  std::vector<std::vector<int>> counts(4, std::vector<int>(4, 0));
  for (long iteration = 0; iteration < 3000; ++iteration) {
    const MixupPlan plan = draw_mixup(options, 1, iteration, 4);
    for (std::size_t i = 0; i < 4; ++i) ++counts[i][plan.partner[i]];
  }
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t k = 0; k < 4; ++k) {
      if (i == k) {
        EXPECT_EQ(counts[i][k], 0);
      } else {
        EXPECT_NEAR(counts[i][k], 1000, 130);  // five deviations of 26
      }
    }
  }
  EXPECT_EQ(draw_mixup(options, 1, 0, 1).partner, std::vector<std::size_t>{0}) << "alone in its batch";
}

TEST(MixItems, LambdaOfOneChangesNoBit) {
  std::vector<float> values{0.1f, -0.3f, 1e30f, 7.0f};
  const std::vector<float> before = values;
  mix_items(values, 4, {{1.0, 1.0, 1.0, 1.0}, {3, 2, 1, 0}});
  EXPECT_EQ(values, before);
}

}  // namespace
}  // namespace earmark
