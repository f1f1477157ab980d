#include "eval/paired_comparison.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {
namespace {

// Two hundred clips of three classes; scores are the truth under noise of the given strength.
TaskScores noisy(double strength, std::uint64_t seed) {
  TaskScores made;
  made.scores.tags = {"a", "b", "c"};
  made.scores.single_label = true;
  Rng truth(7, "truth"), noise(seed, "noise");
  for (int i = 0; i < 200; ++i) {
    made.scores.clip_ids.push_back("clip" + std::to_string(i));
    const auto label = truth.below(3);
    for (std::size_t k = 0; k < 3; ++k) {
      made.scores.truth.push_back(k == label ? 1.0f : 0.0f);
      made.scores.scores.push_back((k == label ? 1.0f : 0.0f) +
                                   static_cast<float>(strength * noise.normal()));
    }
  }
  return made;
}

EvaluateOptions options() {
  EvaluateOptions o;
  o.bootstrap_resamples = 400;
  return o;
}

const PairedDifference& accuracy(const std::vector<PairedDifference>& all) {
  for (const PairedDifference& d : all) {
    if (d.name == "accuracy") return d;
  }
  throw std::runtime_error("no accuracy");
}

TEST(ComparePaired, ScoresDoNotDifferFromThemselves) {
  const TaskScores scores = noisy(0.6, 1);
  for (const PairedDifference& d : compare_paired(scores, scores, task_of("mine"), options())) {
    if (!d.interval) continue;
    EXPECT_EQ(d.difference, 0.0) << d.name;
    EXPECT_EQ(d.interval->low, 0.0) << d.name;
    EXPECT_EQ(d.interval->high, 0.0) << d.name;
  }
}

TEST(ComparePaired, TurnedAroundTheDifferenceChangesItsSign) {
  const TaskScores good = noisy(0.4, 1), bad = noisy(0.9, 2);
  const auto forth = accuracy(compare_paired(good, bad, task_of("mine"), options()));
  const auto back = accuracy(compare_paired(bad, good, task_of("mine"), options()));
  EXPECT_GT(forth.difference, 0.0);
  EXPECT_DOUBLE_EQ(forth.difference, -back.difference);
  EXPECT_NEAR(forth.interval->low, -back.interval->high, 1e-12);  // quantiles interpolate from the other side
  EXPECT_EQ(forth.first, back.second);
  const Evaluation alone = evaluate(good.scores, options());
  EXPECT_EQ(forth.first, alone.value("accuracy"));
}

// Of scores that err on the same clips the difference is surer than either figure.
TEST(ComparePaired, WhatIsHardForBothDoesNotBlurTheDifference) {
  const TaskScores first = noisy(0.6, 1);
  TaskScores second = first;
  for (std::size_t i = 0; i < 3 * 6; ++i) second.scores.scores[i] = 1.0f - second.scores.truth[i];
  const auto d = accuracy(compare_paired(first, second, task_of("mine"), options()));
  const Evaluation alone = evaluate(first.scores, options());
  const Interval own = *alone.find("accuracy")->interval;
  EXPECT_LT(d.interval->high - d.interval->low, own.high - own.low);
}

TEST(ComparePaired, OtherClipsAreRefused) {
  const TaskScores first = noisy(0.6, 1);
  TaskScores second = first;
  second.scores.clip_ids[3] = "other";
  EXPECT_THROW(compare_paired(first, second, task_of("mine"), options()), Error);
}

}  // namespace
}  // namespace earmark
