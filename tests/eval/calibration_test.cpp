#include "eval/calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "earmark/error.h"

namespace earmark::testing {
namespace {

struct Drawn {
  std::vector<float> truth, scores;
};

// Clips whose true chance of yes is sigmoid(slope * logit + offset) of what they score.
Drawn draw(std::size_t n, double slope, double offset, std::uint64_t seed = 1) {
  Rng rng(seed, "test_calibration");
  Drawn drawn;
  for (std::size_t i = 0; i < n; ++i) {
    const double logit = 2.0 * rng.normal();
    drawn.scores.push_back(static_cast<float>(sigmoid_of(logit)));
    drawn.truth.push_back(rng.uniform(0.0, 1.0) < sigmoid_of(slope * logit + offset) ? 1.0f : 0.0f);
  }
  return drawn;
}

std::vector<float> mapped(const std::vector<float>& scores, double slope, double offset) {
  std::vector<float> out;
  for (const float s : scores)
    out.push_back(static_cast<float>(sigmoid_of(slope * logit_of(static_cast<double>(s)) + offset)));
  return out;
}

// With 200 000 clips the estimate's own spread is some 0.01.
TEST(FitTemperature, FindsTheTemperatureThatScoresWereDrawnWith) {
  for (const double t : {0.4, 1.0, 2.5}) {
    const Drawn drawn = draw(200000, 1.0 / t, 0.0);
    EXPECT_NEAR(fit_temperature(drawn.truth, drawn.scores), t, 0.03 * t);
  }
}

TEST(FitTemperature, IsTheMinimumOfTheLikelihood) {
  const Drawn drawn = draw(500, 0.6, 0.3, 5);
  const double t = fit_temperature(drawn.truth, drawn.scores);
  const auto loss = [&](double at) {
    double sum = 0.0;
    for (std::size_t i = 0; i < drawn.truth.size(); ++i) {
      const double p = sigmoid_of(logit_of(static_cast<double>(drawn.scores[i])) / at);
      sum -= std::log(drawn.truth[i] > 0.5f ? p : 1.0 - p);
    }
    return sum;
  };
  EXPECT_LT(loss(t), loss(t * 1.001));
  EXPECT_LT(loss(t), loss(t / 1.001));
}

TEST(FitTemperature, EndsWhereItStopsLooking) {
  EXPECT_EQ(fit_temperature(std::vector<float>{1, 0}, std::vector<float>{0.6f, 0.4f}), kLowestTemperature);
  EXPECT_EQ(fit_temperature(std::vector<float>{0, 1}, std::vector<float>{0.6f, 0.4f}), kHighestTemperature);
  EXPECT_EQ(fit_temperature(std::vector<float>{-1}, std::vector<float>{0.6f}), 1.0);
}

TEST(FitPlatt, FindsTheLineThatScoresWereDrawnWith) {
  for (const auto& [slope, offset] : {std::pair{1.0, 0.0}, std::pair{0.4, -1.0}, std::pair{2.0, 1.5}}) {
    const Drawn drawn = draw(200000, slope, offset);
    const PlattFit fit = fit_platt(drawn.truth, drawn.scores);
    ASSERT_TRUE(fit.line) << fit.reason;
    EXPECT_NEAR(fit.line->slope, slope, 0.03 * slope + 0.01);
    EXPECT_NEAR(fit.line->offset, offset, 0.04);
  }
}

// At the optimum the errors against Platt's targets, and their products with the logits, sum to nothing.
TEST(FitPlatt, SatisfiesTheNormalEquations) {
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u}) {
    const Drawn drawn = draw(40, 0.8, -1.0, seed);
    const PlattFit fit = fit_platt(drawn.truth, drawn.scores);
    if (!fit.line) continue;
    double yes = 0.0;
    for (const float t : drawn.truth) yes += static_cast<double>(t);
    double sum = 0.0, product = 0.0;
    for (std::size_t i = 0; i < drawn.truth.size(); ++i) {
      const double logit = logit_of(static_cast<double>(drawn.scores[i]));
      const double target = drawn.truth[i] > 0.5f ? (yes + 1) / (yes + 2) : 1 / (40 - yes + 2);
      const double error = sigmoid_of(fit.line->slope * logit + fit.line->offset) - target;
      sum += error;
      product += error * logit;
    }
    EXPECT_NEAR(sum, 0.0, 1e-4);
    EXPECT_NEAR(product, 0.0, 1e-4);
  }
}

TEST(FitPlatt, StaysFiniteWhereScoresPartTheTruth) {
  const std::vector<float> truth{0, 0, 0, 1, 1}, scores{0.0f, 0.1f, 0.2f, 0.8f, 1.0f};
  const PlattFit fit = fit_platt(truth, scores);
  ASSERT_TRUE(fit.line);
  EXPECT_GT(fit.line->slope, 0.0);
  EXPECT_LT(fit.line->slope, 10.0);
  // The targets are 3/4 and 1/5: nothing is promised beyond what so few clips can show.
  EXPECT_LT(sigmoid_of(fit.line->slope * logit_of(0.8) + fit.line->offset), 0.9);
}

TEST(FitPlatt, SaysWhyThereIsNoLine) {
  const std::vector<float> scores{0.2f, 0.4f, 0.6f};
  EXPECT_EQ(fit_platt(std::vector<float>{0, 0, -1}, scores).reason, "no clip has it");
  EXPECT_EQ(fit_platt(std::vector<float>{1, 1, -1}, scores).reason, "every clip has it");
  EXPECT_EQ(fit_platt(std::vector<float>{1, 0, 0}, scores).reason, "higher scores do not make it likelier");
  EXPECT_EQ(fit_platt(std::vector<float>{1, 0, 1}, std::vector<float>{0.3f, 0.3f, 0.3f}).reason,
            "all its scores are the same");
}

TEST(FitCalibration, FittedScoresAreMoreLikelyAndMoreHonest) {
  const Drawn drawn = draw(5000, 0.5, -1.0);
  LabeledScores labeled;
  labeled.tags = {"dog", "rain"};
  for (std::size_t i = 0; i < drawn.truth.size(); ++i) {
    labeled.clip_ids.push_back(std::to_string(i));
    labeled.truth.insert(labeled.truth.end(), {drawn.truth[i], 0.0f});
    labeled.scores.insert(labeled.scores.end(), {drawn.scores[i], 0.25f});
  }
  const CalibrationFit fit = fit_calibration(labeled, CalibrationKind::kPlatt);
  EXPECT_EQ(fit.unscaled, (std::vector<std::string>{"", "no clip has it"}));
  EXPECT_FALSE(fit.calibration.changes(1));
  const std::vector<float> now = mapped(drawn.scores, fit.calibration.slopes[0], fit.calibration.offsets[0]);
  EXPECT_LT(negative_log_likelihood(drawn.truth, now), negative_log_likelihood(drawn.truth, drawn.scores));
  EXPECT_LT(expected_calibration_error(drawn.truth, now), 0.03);
  EXPECT_GT(expected_calibration_error(drawn.truth, drawn.scores), 0.1);
  const CalibrationFit again = fit_calibration(labeled, CalibrationKind::kPlatt);
  EXPECT_EQ(again.calibration, fit.calibration);
  labeled.scores.pop_back();
  EXPECT_THROW(fit_calibration(labeled, CalibrationKind::kPlatt), Error);
}

TEST(NegativeLogLikelihood, IsTheMeanOfTheLogarithms) {
  const std::vector<float> truth{1, 0, -1}, scores{0.5f, 0.75f, 0.1f};
  EXPECT_NEAR(negative_log_likelihood(truth, scores), (std::log(2.0) + std::log(4.0)) / 2.0, 1e-12);
  EXPECT_TRUE(std::isnan(negative_log_likelihood({}, {})));
  EXPECT_TRUE(std::isfinite(negative_log_likelihood(std::vector<float>{1, 0}, std::vector<float>{0, 1})));
}

// Two bins: below a half the mean score is 0.2 and a half of them are yes; above, 0.9 and all.
TEST(ExpectedCalibrationError, WeighsBinsByTheirEntries) {
  const std::vector<float> truth{1, 0, 1, 1, 0.5f, -1}, scores{0.25f, 0.15f, 0.9f, 0.9f, 0.9f, 0.3f};
  EXPECT_NEAR(expected_calibration_error(truth, scores, 2), 2.0 / 5.0 * 0.3 + 3.0 / 5.0 * 0.1, 1e-7);
  EXPECT_NEAR(expected_calibration_error(std::vector<float>{1}, std::vector<float>{1.0f}), 0.0, 1e-12);
}

}  // namespace
}  // namespace earmark::testing
