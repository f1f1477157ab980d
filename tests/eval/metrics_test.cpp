#include "eval/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr float kUnknown = -1.0f;
constexpr double kExact = 1e-12;
using Floats = std::vector<float>;

TEST(AveragePrecision, IsTheMeanPrecisionAtEachPositive) {
  // Falling scores: + - + -. Precision 1/1 at the first positive, 2/3 at the second: (1 + 2/3) / 2 = 5/6.
  EXPECT_NEAR(average_precision(Floats{0, 1, 0, 1}, Floats{0.1f, 0.9f, 0.5f, 0.4f}), 5.0 / 6.0, kExact);
}

TEST(AveragePrecision, EqualScoresAreOneThreshold) {
  // Threshold 0.9: one positive, one negative. Threshold 0.5: the other positive.
  // (1/2 recall) * 1/2 + (1/2 recall) * 2/3 = 7/12, in whatever order the ties stand.
  EXPECT_NEAR(average_precision(Floats{1, 0, 1}, Floats{0.9f, 0.9f, 0.5f}), 7.0 / 12.0, kExact);
  EXPECT_NEAR(average_precision(Floats{0, 1, 1}, Floats{0.9f, 0.9f, 0.5f}), 7.0 / 12.0, kExact);
  // All equal: one threshold, precision = share of positives.
  EXPECT_NEAR(average_precision(Floats{0, 1, 0, 0}, Floats{0, -0.0f, 0, -0.0f}), 0.25, kExact);
}

TEST(AveragePrecision, WithoutPositivesIsUndefined) {
  EXPECT_TRUE(std::isnan(average_precision(Floats{0, 0}, Floats{0.1f, 0.2f})));
  EXPECT_TRUE(std::isnan(average_precision(Floats{kUnknown}, Floats{0.1f})));
  EXPECT_TRUE(std::isnan(average_precision(Floats{}, Floats{})));
}

TEST(AveragePrecision, UnknownEntriesAreAsIfTheyWereNotThere) {
  EXPECT_NEAR(
      average_precision(Floats{kUnknown, 0, 1, kUnknown, 0, 1}, Floats{0.95f, 0.1f, 0.9f, 0.7f, 0.5f, 0.4f}),
      5.0 / 6.0, kExact);
}

TEST(AveragePrecision, InfiniteScoresKeepTheirOrder) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_NEAR(average_precision(Floats{0, 1, 0}, Floats{-infinity, infinity, 3e38f}), 1.0, kExact);
  EXPECT_NEAR(average_precision(Floats{1, 0, 0}, Floats{-infinity, infinity, -3e38f}), 1.0 / 3.0, kExact);
}

TEST(AveragePrecision, SoftTruthIsAYesFromOneHalf) {
  EXPECT_NEAR(average_precision(Floats{0.5f, 0.49f}, Floats{0.2f, 0.1f}), 1.0, kExact);
  EXPECT_NEAR(average_precision(Floats{0.5f, 0.49f}, Floats{0.1f, 0.2f}), 0.5, kExact);
}

TEST(AveragePrecision, MeansDifferByTheConventionForAbsentClasses) {
  // Class 0: AP 1. Class 1: no positive. Class 2: its positive comes second of two, AP 1/2.
  const Floats truth{1, 0, 0, 0, 0, 1};
  const Floats scores{0.9f, 0.8f, 0.7f, 0.1f, 0.2f, 0.3f};
  const ScoreView view(truth, scores, 3);
  EXPECT_NEAR(macro_average_precision(view, Absent::kSkip), 0.75, kExact);
  EXPECT_NEAR(macro_average_precision(view, Absent::kCountAsZero), 0.5, kExact);
  // Falling: .9+ .8- .7- .3+ .2- .1-: (1 + 2/4) / 2.
  EXPECT_NEAR(micro_average_precision(view), 0.75, kExact);
  // Clip 0: its tag is first. Clip 1: its tag (.3) is first.
  EXPECT_NEAR(samples_average_precision(view), 1.0, kExact);
}

TEST(AveragePrecision, SamplesMeanLeavesOutOrZeroesClipsWithoutTags) {
  const Floats truth{1, 0, 0, 0};
  const Floats scores{0.9f, 0.1f, 0.9f, 0.1f};
  EXPECT_NEAR(samples_average_precision(ScoreView(truth, scores, 2), Absent::kSkip), 1.0, kExact);
  EXPECT_NEAR(samples_average_precision(ScoreView(truth, scores, 2), Absent::kCountAsZero), 0.5, kExact);
}

TEST(RocAuc, CountsPairsWithTiesAsHalves) {
  // Positives .9 and .5, negatives .5 and .1: pairs won 1 + 1 + 0.5 + 1 of 4.
  EXPECT_NEAR(roc_auc(Floats{1, 1, 0, 0}, Floats{0.9f, 0.5f, 0.5f, 0.1f}), 3.5 / 4.0, kExact);
  EXPECT_TRUE(std::isnan(roc_auc(Floats{1, 1}, Floats{0.9f, 0.5f})));
  EXPECT_TRUE(std::isnan(roc_auc(Floats{0, 0}, Floats{0.9f, 0.5f})));
}

TEST(RocAuc, AgreesWithCountingEveryPair) {
  Rng rng(3, "auc");
  for (int round = 0; round < 50; ++round) {
    Floats truth, scores;
    for (int i = 0; i < 40; ++i) {
      truth.push_back(rng.uniform() < 0.1 ? kUnknown : (rng.bernoulli(0.3) ? 1.0f : 0.0f));
      scores.push_back(static_cast<float>(rng.below(12)) / 8.0f - 0.5f);
    }
    double won = 0, pairs = 0;
    for (std::size_t p = 0; p < truth.size(); ++p) {
      for (std::size_t n = 0; n < truth.size(); ++n) {
        if (truth[p] != 1.0f || truth[n] != 0.0f) continue;
        ++pairs;
        won += scores[p] > scores[n] ? 1.0 : scores[p] == scores[n] ? 0.5 : 0.0;
      }
    }
    EXPECT_NEAR(roc_auc(truth, scores), won / pairs, kExact);
  }
}

TEST(Lwlrap, WeighsEachLabelTheSame) {
  // Clip 0 ranks tag 0, 1, 2; its tags 0 and 2: precisions 1/1 and 2/3. Clip 1 ranks tag 2, 1, 0; its tag 1:
  // 1/2.
  const Floats truth{1, 0, 1, 0, 1, 0};
  const Floats scores{0.9f, 0.5f, 0.1f, 0.1f, 0.5f, 0.9f};
  const Lwlrap result = lwlrap(ScoreView(truth, scores, 3));
  EXPECT_NEAR(result.value, (1.0 + 2.0 / 3.0 + 0.5) / 3.0, kExact);
  EXPECT_NEAR(result.per_class[0], 1.0, kExact);
  EXPECT_NEAR(result.per_class[1], 0.5, kExact);
  EXPECT_NEAR(result.per_class[2], 2.0 / 3.0, kExact);
  for (const double weight : result.weight) EXPECT_NEAR(weight, 1.0 / 3.0, kExact);
}

TEST(Lwlrap, EqualScoresShareTheLowerRank) {
  // Both tags of the clip tie with one other: rank 3, two hits: 2/3 each.
  EXPECT_NEAR(lwlrap(ScoreView(Floats{1, 0, 1}, Floats{0.5f, 0.5f, 0.5f}, 3)).value, 2.0 / 3.0, kExact);
}

TEST(Lwlrap, UnknownTagsTakeNoRank) {
  // The unknown tag would have been first; without it the positive one is.
  const Lwlrap result = lwlrap(ScoreView(Floats{kUnknown, 1, 0}, Floats{0.9f, 0.8f, 0.1f}, 3));
  EXPECT_NEAR(result.value, 1.0, kExact);
  EXPECT_EQ(result.weight[0], 0.0);
}

TEST(Lwlrap, WithoutAnyLabelIsUndefined) {
  const Lwlrap result = lwlrap(ScoreView(Floats{0, kUnknown}, Floats{0.1f, 0.2f}, 2));
  EXPECT_TRUE(std::isnan(result.value));
  EXPECT_EQ(result.per_class, (std::vector<double>{0, 0}));
}

TEST(Decisions, AreAboveTheThresholdNotAtIt) {
  // 0.75 and 0.625 are exact in float. Decided: the first and the third; the second is at the threshold.
  const Floats truth{1, 1, 0, 0, kUnknown};
  const Floats scores{0.75f, 0.5f, 0.625f, 0.25f, 0.875f};
  const DecisionCounts counts = decisions(ScoreView(truth, scores, 1), 0.5);
  EXPECT_EQ(counts.true_positives, 1);
  EXPECT_EQ(counts.false_positives, 1);
  EXPECT_EQ(counts.false_negatives, 1);
  EXPECT_EQ(counts.true_negatives, 1);
  EXPECT_NEAR(counts.precision(), 0.5, kExact);
  EXPECT_NEAR(counts.recall(), 0.5, kExact);
  EXPECT_NEAR(counts.f1(), 0.5, kExact);
  EXPECT_NEAR(counts.error_rate(), 1.0, kExact);
}

TEST(Decisions, WithoutAnythingPredictedOrPresentPrecisionAndRecallAreUndefined) {
  const DecisionCounts none;
  EXPECT_TRUE(std::isnan(none.precision()));
  EXPECT_TRUE(std::isnan(none.recall()));
  EXPECT_TRUE(std::isnan(none.error_rate()));
  EXPECT_EQ(none.f1(), 0.0);
}

TEST(TopK, EqualScoresKeepAscendingIndex) {
  EXPECT_EQ(top_k(Floats{0.5f, 0.9f, 0.5f, 0.9f}, 3), (std::vector<std::size_t>{1, 3, 0}));
  EXPECT_EQ(top_k(Floats{0.5f}, 3), (std::vector<std::size_t>{0}));
  EXPECT_TRUE(top_k(Floats{0.5f}, 0).empty());
}

TEST(MapAtK, IsTheMeanReciprocalPlace) {
  // Labels at place 1, 2 and 4 of 4 (not among three); the clip without a label is left out.
  const std::vector<int> labels{0, 1, 3, kNoLabel};
  const Floats scores{0.9f, 0.1f, 0.2f, 0.3f, 0.9f, 0.8f, 0.1f, 0.2f, 0.4f, 0.3f, 0.2f, 0.1f, 1, 1, 1, 1};
  EXPECT_NEAR(map_at_k(labels, scores, 4, 3), (1.0 + 0.5) / 3.0, kExact);
  EXPECT_NEAR(map_at_k(labels, scores, 4, 4), (1.0 + 0.5 + 0.25) / 3.0, kExact);
  EXPECT_NEAR(top_k_accuracy(labels, scores, 4, 1), 1.0 / 3.0, kExact);
  EXPECT_NEAR(top_k_accuracy(labels, scores, 4, 3), 2.0 / 3.0, kExact);
  EXPECT_TRUE(std::isnan(map_at_k(std::vector<int>{kNoLabel}, Floats{1, 0}, 2, 3)));
}

TEST(Labels, ClipsWithSeveralTagsAreRefusedAndUntaggedOnesMarked) {
  const Floats truth{0, 1, 0, 0, kUnknown, 1};
  EXPECT_EQ(labels_of(ScoreView(truth, truth, 2)), (std::vector<int>{1, kNoLabel, 1}));
  EXPECT_THROW(labels_of(ScoreView(Floats{1, 1}, Floats{0, 0}, 2)), Error);
}

TEST(ConfusionMatrix, RowsAreTrueAndColumnsPredicted) {
  // Truth 0 0 1 with predictions 0 1 1; class 2 neither present nor predicted.
  ConfusionMatrix confusion(3);
  confusion.add(0, 0);
  confusion.add(0, 1);
  confusion.add(1, 1);
  EXPECT_EQ(confusion.counts(), (std::vector<std::int64_t>{1, 1, 0, 0, 1, 0, 0, 0, 0}));
  EXPECT_NEAR(confusion.accuracy(), 2.0 / 3.0, kExact);
  EXPECT_NEAR(confusion.balanced_accuracy(), 0.75, kExact);  // recalls 1/2 and 1; class 2 has none
  EXPECT_NEAR(confusion.macro_f1(), 2.0 / 3.0, kExact);      // 2/3 and 2/3
  const std::vector<DecisionCounts> per_class = confusion.per_class();
  EXPECT_NEAR(per_class[1].precision(), 0.5, kExact);
  EXPECT_TRUE(std::isnan(per_class[2].recall()));
  EXPECT_TRUE(std::isnan(per_class[2].precision()));
  EXPECT_EQ(per_class[2].true_negatives, 3);
}

TEST(OpenSetScore, IsTheMeanOfKnownAndUnknownRecall) {
  // Known class 0: 1 of 2 right; known class 1: 1 of 1; unknown class 2: 1 of 4.
  ConfusionMatrix confusion(3);
  confusion.add(0, 0);
  confusion.add(0, 2);
  confusion.add(1, 1);
  confusion.add(2, 2);
  confusion.add(2, 0, 3);
  const OpenSetScore result = open_set_score(confusion.per_class(), 2);
  EXPECT_NEAR(result.known, 0.75, kExact);
  EXPECT_NEAR(result.unknown, 0.25, kExact);
  EXPECT_NEAR(result.score, 0.5, kExact);
  EXPECT_NEAR(open_set_score(confusion.per_class(), 2, 0.8).score, 0.65, kExact);
}

TEST(ScoreView, SizesThatDoNotFitAreRefused) {
  const Floats four(4);
  const Floats six(6);
  EXPECT_THROW(ScoreView(four, six, 2), Error);
  EXPECT_THROW(ScoreView(four, four, 3), Error);
  EXPECT_THROW(ScoreView(four, four, 0), Error);
}

}  // namespace
}  // namespace earmark
