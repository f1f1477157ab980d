#include "eval/unknown_weight.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/tensor_io.h"
#include "earmark/error.h"
#include "eval/task_evaluation.h"
#include "golden_path.h"

namespace earmark {
namespace {

TEST(WeighTag, GoldenDecisions) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap arrays = read_npz(golden / "mcdonnell/unknown_weighting.npz");
  std::vector<std::string> tags;
  for (int k = 0; k < 11; ++k) tags.push_back("class" + std::to_string(k));
  std::vector<float> scores = arrays.at("probs").floats();
  const auto decided = [&](const char* name) {
    const std::vector<std::int64_t> expected = arrays.at(name).integers();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto row = scores.begin() + static_cast<std::ptrdiff_t>(i * 11);
      EXPECT_EQ(std::max_element(row, row + 11) - row, expected[i]) << name << " " << i;
    }
  };
  decided("pred_plain");
  weigh_tag(tags, scores, "class10", 5.0);
  decided("pred_weighted");
}

// The unknown clips' score for unknown is a third of the wrong class's: from 3 upwards all are right, and the
// known clips stay right up to 9.
LabeledScores open_set() {
  LabeledScores data;
  data.tags = {"a", "unknown"};
  data.single_label = true;
  for (int i = 0; i < 20; ++i) {
    const bool unknown = i % 2 == 1;
    data.clip_ids.push_back("clip" + std::to_string(i));
    data.truth.insert(data.truth.end(), {unknown ? 0.0f : 1.0f, unknown ? 1.0f : 0.0f});
    data.scores.insert(data.scores.end(), {unknown ? 0.75f : 0.9f, unknown ? 0.25f : 0.1f});
  }
  return data;
}

TEST(UnknownWeights, TheBestIsWhereKnownAndUnknownAreBothRight) {
  const auto weights = unknown_weights(open_set(), "unknown");
  const UnknownWeight best = best_unknown_weight(weights);
  EXPECT_EQ(best.score, 1.0);
  EXPECT_GT(best.weight, 3.0);
  EXPECT_LT(best.weight, 3.6) << "of equals the one nearest to 1";
  EXPECT_EQ(weights.front().score, 0.5);
  EXPECT_EQ(weights.back().score, 0.5);
}

TEST(WeighTag, WhatIsNotThereIsRefused) {
  std::vector<float> scores{0.5f, 0.5f};
  EXPECT_THROW(weigh_tag({"a", "b"}, scores, "unknown", 2.0), Error);
  EXPECT_THROW(weigh_tag({"a", "b"}, scores, "b", 0.0), Error);
}

// A run of the open set is judged with the weight of its recipe, a task without such a tag takes none.
TEST(UnknownWeight, WeighsTheScoresThatDecideAndNothingElse) {
  TaskScores data;
  data.scores = open_set();
  const TaskScores same = with_unknown_weight(data, task_of("esc50"), 1.0);
  EXPECT_EQ(same.scores.scores, data.scores.scores);
  const TaskScores weighed = with_unknown_weight(data, task_of("tau_scenes2019_openset"), 5.0);
  std::vector<float> expected = data.scores.scores;
  weigh_tag(data.scores.tags, expected, "unknown", 5.0);
  EXPECT_EQ(weighed.scores.scores, expected);
  EXPECT_NE(weighed.scores.scores, data.scores.scores);
  EXPECT_THROW(with_unknown_weight(data, task_of("esc50"), 5.0), Error);
}

}  // namespace
}  // namespace earmark
