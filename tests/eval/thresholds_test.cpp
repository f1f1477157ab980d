#include "eval/thresholds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "core/rng.h"

namespace earmark::testing {
namespace {

struct Tag {
  std::vector<float> truth, scores;
};

// Few distinct scores, so that ties are the rule; unknown and soft truth among them.
Tag draw(std::uint64_t seed) {
  Rng rng(seed, "test_thresholds");
  Tag tag;
  const std::size_t n = 1 + rng.below(30);
  for (std::size_t i = 0; i < n; ++i) {
    tag.scores.push_back(static_cast<float>(rng.below(8)) / 8.0f);
    const float kinds[] = {0.0f, 0.0f, 1.0f, 0.6f, -1.0f};
    tag.truth.push_back(kinds[rng.below(5)]);
  }
  return tag;
}

// Every threshold that decides otherwise than another one, highest first.
std::vector<double> all_thresholds(const Tag& tag) {
  std::set<float> distinct;
  for (std::size_t i = 0; i < tag.truth.size(); ++i) {
    if (tag.truth[i] >= 0.0f) distinct.insert(tag.scores[i]);
  }
  std::vector<double> thresholds(distinct.rbegin(), distinct.rend());
  return thresholds;
}

TEST(ChooseThreshold, BestF1IsThatOfBruteForceAndTheHighestOfItsKind) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Tag tag = draw(seed);
    const ThresholdChoice chosen = choose_threshold(tag.truth, tag.scores, {ThresholdRule::kBestF1, 0.9});
    if (!chosen.threshold) continue;
    double best = 0.0, highest = 0.0;
    for (const double t : all_thresholds(tag)) {
      const double f1 = decisions_from(tag.truth, tag.scores, t).f1();
      if (f1 > best) highest = t;
      best = std::max(best, f1);
    }
    EXPECT_EQ(decisions_from(tag.truth, tag.scores, *chosen.threshold).f1(), best) << seed;
    // The same decisions as at the highest score that does as well.
    EXPECT_LE(*chosen.threshold, highest);
    EXPECT_EQ(decisions_from(tag.truth, tag.scores, *chosen.threshold).true_positives,
              decisions_from(tag.truth, tag.scores, highest).true_positives);
  }
}

TEST(ChooseThreshold, PrecisionIsReachedWithAllThatCanBeFoundAtIt) {
  int n_reached = 0, n_missed = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Tag tag = draw(seed);
    const ThresholdOptions options{ThresholdRule::kPrecision, 0.6};
    const ThresholdChoice chosen = choose_threshold(tag.truth, tag.scores, options);
    double most = -1.0;
    for (const double t : all_thresholds(tag)) {
      const DecisionCounts counts = decisions_from(tag.truth, tag.scores, t);
      if (counts.precision() >= 0.6) most = std::max(most, counts.recall());
    }
    if (chosen.threshold) {
      const DecisionCounts counts = decisions_from(tag.truth, tag.scores, *chosen.threshold);
      EXPECT_GE(counts.precision(), 0.6) << seed;
      EXPECT_EQ(counts.recall(), most) << seed;
      ++n_reached;
    } else if (chosen.reason.find("not reached") != std::string::npos) {
      EXPECT_LT(most, 0.0) << seed;
      ++n_missed;
    }
  }
  EXPECT_GT(n_reached, 100);
  EXPECT_GT(n_missed, 10);
}

TEST(ChooseThreshold, LiesHalfWayBetweenTwoScores) {
  const std::vector<float> truth{1, 1, 0, 0}, scores{0.9f, 0.75f, 0.25f, 0.1f};
  EXPECT_DOUBLE_EQ(*choose_threshold(truth, scores, {}).threshold, 0.5);
  // Of equal scores one is yes and one is no: they are decided alike. 0.5 and all above: F1 = 4/5.
  const std::vector<float> tied{1, 1, 0, 0}, same{0.9f, 0.5f, 0.5f, 0.25f};
  EXPECT_DOUBLE_EQ(*choose_threshold(tied, same, {}).threshold, 0.375);
  // All that there is: half-way to 0.
  const std::vector<float> low{0, 1, 1}, all{0.9f, 0.8f, 0.5f};
  EXPECT_DOUBLE_EQ(*choose_threshold(low, all, {}).threshold, 0.25);
}

TEST(ChooseThreshold, SaysWhyThereIsNone) {
  const std::vector<float> scores{0.9f, 0.5f, 0.4f};
  EXPECT_EQ(choose_threshold(std::vector<float>{0, 0, -1}, scores, {}).reason, "no clip has it");
  EXPECT_EQ(choose_threshold(std::vector<float>{1, -1, 1}, scores, {}).reason, "every clip has it");
  EXPECT_EQ(choose_threshold(std::vector<float>{0, 1, 1}, scores, {ThresholdRule::kPrecision, 0.9}).reason,
            "a precision of 0.9 is not reached, at most 0.667");
  EXPECT_FALSE(choose_threshold(std::vector<float>{0, 1, 1}, scores, {ThresholdRule::kKeep, 0.9}).threshold);
}

TEST(DecisionsFrom, AScoreAtTheThresholdCounts) {
  const std::vector<float> truth{1, 0, 1, 0, -1}, scores{0.5f, 0.5f, 0.4f, 0.4f, 0.9f};
  const DecisionCounts counts = decisions_from(truth, scores, 0.5);
  EXPECT_EQ(counts.true_positives, 1);
  EXPECT_EQ(counts.false_positives, 1);
  EXPECT_EQ(counts.false_negatives, 1);
  EXPECT_EQ(counts.true_negatives, 1);
}

}  // namespace
}  // namespace earmark::testing
