#include "eval/relabel.h"

#include <gtest/gtest.h>

#include <cmath>

#include "earmark/error.h"

namespace earmark {
namespace {

// Two tags, four clips.
LabeledScores four_clips() {
  LabeledScores labeled;
  labeled.tags = {"dog", "rain"};
  labeled.clip_ids = {"a", "b", "c", "d"};
  labeled.truth = {1, 0, 0, 0, 1, 1, 0, 1};
  labeled.scores = {0.9f, 0.2f, 0.8f, 0.1f, 0.3f, 0.7f, 0.1f, 0.71f};
  return labeled;
}

TEST(Relabel, AThresholdIsExceededAndNotOnlyReached) {
  const Relabelled made = relabel(four_clips(), {true, true}, RelabelOptions());
  EXPECT_EQ(made.targets, (std::vector<float>{1, 0, 1, 0, 0, 0, 0, 1}));
  EXPECT_EQ(made.n_set, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(made.n_removed, (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(made.n_empty, 1u);
}

TEST(Relabel, TagsThatNobodyAnsweredForKeepTheirLabels) {
  const Relabelled made = relabel(four_clips(), {true, false}, RelabelOptions());
  EXPECT_EQ(made.targets, (std::vector<float>{1, 0, 1, 0, 0, 1, 0, 1}));
  EXPECT_TRUE(std::isnan(made.thresholds[1]));
}

// Clip c would be left without a tag: its old label stands, and no tag counts as taken from it.
TEST(Relabel, AClipThatWouldBeEmptyCanKeepItsLabelsAndCountsInNoChange) {
  const Relabelled made = relabel(four_clips(), {true, true}, RelabelOptions(), true);
  EXPECT_EQ(made.targets, (std::vector<float>{1, 0, 1, 0, 1, 1, 0, 1}));
  EXPECT_EQ(made.keeps_old, (std::vector<bool>{false, false, true, false}));
  EXPECT_EQ(made.n_set, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(made.n_removed, (std::vector<std::size_t>{0, 0}));
  EXPECT_EQ(made.n_empty, 1u);
}

TEST(Relabel, SoftLabelsAreTheScores) {
  RelabelOptions options;
  options.rule = RelabelRule::kSoft;
  EXPECT_EQ(relabel(four_clips(), {true, true}, options).targets, four_clips().scores);
  LabeledScores logits = four_clips();
  logits.scores[3] = 7.5f;
  EXPECT_NO_THROW(relabel(logits, {true, false}, options)) << "nobody asked for that tag";
  try {
    relabel(logits, {true, true}, options);
    FAIL() << "7.5 became a label";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("must be 0..1, 'rain' of b has 7.5"), std::string::npos) << e.what();
  }
}

// dog: scores 0.9 yes, 0.8 no, 0.3 yes, 0.1 no. Above 0.9: 2 misses; down to 0.9: 1 error; 0.8: 2; 0.3: 1;
// 0.1: 2.
TEST(LeastErrorsThreshold, TakesTheHighestOfTheThresholdsWithFewestErrors) {
  EXPECT_NEAR(least_errors_threshold({1, 0, 1, 0}, {0.9f, 0.8f, 0.3f, 0.1f}), 0.85, 1e-6);
  EXPECT_NEAR(least_errors_threshold({0, 0, 1, 1}, {0.2f, 0.1f, 0.7f, 0.71f}), 0.45, 1e-6);
}

TEST(LeastErrorsThreshold, EqualScoresAreNotToldApart) {
  // One threshold below 0.5 labels all three: one false alarm instead of two misses.
  EXPECT_LT(least_errors_threshold({1, 0, 1}, {0.5f, 0.5f, 0.5f}), 0.5);
}

TEST(LeastErrorsThreshold, NothingToGoByLabelsNothing) {
  EXPECT_EQ(least_errors_threshold({}, {}), 1.0);
  EXPECT_EQ(least_errors_threshold({0, 0}, {0.9f, 0.1f}), 1.0);
  EXPECT_EQ(least_errors_threshold({-1, -1}, {0.9f, 0.1f}), 1.0);
}

TEST(Relabel, SizesThatDoNotFitAreRefused) {
  LabeledScores labeled = four_clips();
  EXPECT_THROW(relabel(labeled, {true}, RelabelOptions()), Error);
  labeled.scores.pop_back();
  EXPECT_THROW(relabel(labeled, {true, true}, RelabelOptions()), Error);
}

}  // namespace
}  // namespace earmark
