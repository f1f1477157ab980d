#include "core/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace earmark::testing {
namespace {

Calibration temperature(double t) {
  Calibration made;
  made.temperature = t;
  return made;
}

Calibration platt(std::vector<double> slopes, std::vector<double> offsets) {
  Calibration made;
  made.kind = CalibrationKind::kPlatt;
  made.slopes = std::move(slopes);
  made.offsets = std::move(offsets);
  return made;
}

TEST(Calibration, TemperatureDividesTheLogit) {
  // logit(0.9) = ln 9; halved: ln 3, of which the sigmoid is 3/4. 0.5 stays where it is.
  EXPECT_NEAR(temperature(2.0).of(0.9, 0), 0.75, 1e-15);
  EXPECT_DOUBLE_EQ(temperature(2.0).of(0.5, 3), 0.5);
}

TEST(Calibration, PlattHasALineATag) {
  // Tag 0: 2 ln 3 = ln 9 -> 0.9. Tag 1: ln 3 - ln 3 = 0 -> 0.5.
  const Calibration made = platt({2.0, 1.0}, {0.0, -std::log(3.0)});
  EXPECT_NEAR(made.of(0.75, 0), 0.9, 1e-15);
  EXPECT_NEAR(made.of(0.75, 1), 0.5, 1e-15);
}

TEST(Calibration, NeverFallsAndStaysWithinZeroAndOne) {
  for (const Calibration& made :
       {temperature(0.05), temperature(3.0), platt({0.01}, {4.0}), platt({7.0}, {-9.0})}) {
    double before = 0.0;
    for (int i = 0; i <= 4000; ++i) {
      const double now = made.of(i / 4000.0, 0);
      EXPECT_GE(now, before) << i;
      EXPECT_LE(now, 1.0);
      before = now;
    }
  }
}

TEST(Calibration, TheEndsAreFinite) {
  const Calibration made = temperature(2.0);
  EXPECT_NEAR(made.of(0.0, 0), 1e-6, 1e-9);  // sqrt(1e-12), as logits of small scores are logarithms
  EXPECT_NEAR(made.of(1.0, 0), 1.0 - std::sqrt(0x1p-24), 1e-6);
  EXPECT_EQ(logit_of(1.0), logit_of(static_cast<double>(std::nextafter(1.0f, 0.0f))));
  EXPECT_EQ(sigmoid_of(1e6), 1.0);
  EXPECT_EQ(sigmoid_of(-1e6), 0.0);
}

TEST(Calibration, ThatChangesNothingLeavesEveryBit) {
  const Calibration line = platt({1.0, 2.0}, {0.0, 0.0});
  for (const float score : {0.0f, 1e-30f, 0.1f, 0.7f, 1.0f}) {
    std::vector<float> scores{score, 0.5f};
    line.apply(scores);
    EXPECT_EQ(scores[0], score);
    std::vector<float> same{score};
    temperature(1.0).apply(same);
    EXPECT_EQ(same[0], score);
  }
}

TEST(Calibration, UndoingGivesTheScoreBack) {
  for (const Calibration& made : {temperature(0.7), temperature(4.0), platt({1.7}, {-2.5})}) {
    for (const double score : {1e-6, 0.01, 0.3, 0.5, 0.9, 0.999})
      EXPECT_NEAR(made.undone(made.of(score, 0), 0), score, 1e-9 + 1e-7 * score);
  }
}

TEST(Calibration, WhatDoesNotFitTheTagsIsNamed) {
  EXPECT_TRUE(platt({1, 1}, {0, 0}).problems(2).empty());
  EXPECT_TRUE(temperature(2).problems(2).empty());
  const auto short_one = platt({1}, {0, 0}).problems(2);
  ASSERT_EQ(short_one.size(), 1u);
  EXPECT_EQ(short_one[0], "slopes: one a tag (2), got 1");
  Calibration both = temperature(2.0);
  both.slopes = {1.0};
  EXPECT_EQ(both.problems(1),
            (std::vector<std::string>{"slopes: must be empty with kind temperature, got 1 numbers"}));
  both = platt({1}, {0});
  both.temperature = 3.0;
  EXPECT_EQ(both.problems(1).size(), 1u);
}

}  // namespace
}  // namespace earmark::testing
