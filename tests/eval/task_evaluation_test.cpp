#include "eval/task_evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/rng.h"
#include "earmark/error.h"
#include "eval/sonyc_case.h"

namespace earmark {
namespace {

/// Clips of devices a (right), b (right every second time), c (never right), and one of none.
TaskScores scenes() {
  TaskScores data;
  data.scores.tags = {"bus", "park", "tram", "unknown"};
  data.scores.single_label = true;
  data.part_by = "device";
  const auto add = [&](const std::string& device, bool right) {
    const std::size_t n = data.scores.n_clips();
    data.scores.clip_ids.push_back(std::to_string(n));
    data.parts.push_back(device);
    for (std::size_t tag = 0; tag < 4; ++tag) {
      data.scores.truth.push_back(tag == n % 4 ? 1.0f : 0.0f);
      data.scores.scores.push_back(tag == (right ? n % 4 : (n + 1) % 4) ? 0.9f : 0.1f);
    }
  };
  for (int i = 0; i < 40; ++i) add("a", true);
  for (int i = 0; i < 8; ++i) add("b", i < 4);
  for (int i = 0; i < 8; ++i) add("c", false);
  add("", true);
  return data;
}

const PartEvaluation& part(const TaskEvaluation& evaluation, const std::string& name) {
  const auto found = std::find_if(evaluation.parts.begin(), evaluation.parts.end(),
                                  [&](const PartEvaluation& p) { return p.name == name; });
  if (found == evaluation.parts.end()) throw Error(ErrorCode::kInternal, "no part " + name);
  return *found;
}

TEST(TaskEvaluation, PhonesAreToldApartFromTheRecorderAndLeadTheFigures) {
  EvaluateOptions options;
  options.bootstrap_resamples = 50;
  const TaskEvaluation evaluation = evaluate_task(scenes(), task_of("tau_scenes2019_mobile"), options);
  ASSERT_EQ(evaluation.parts.size(), 4U);
  EXPECT_EQ(part(evaluation, "a").tags.value("accuracy"), 1.0);
  EXPECT_EQ(part(evaluation, "b").tags.value("accuracy"), 0.5);
  EXPECT_EQ(part(evaluation, "c").tags.value("accuracy"), 0.0);
  EXPECT_EQ(part(evaluation, "b+c").tags.value("accuracy"), 0.25);
  EXPECT_EQ(part(evaluation, "b+c").tags.n_clips, 16);
  EXPECT_EQ(evaluation.tags.n_clips, 57);
  EXPECT_EQ(evaluation.tags.metrics[0].name, "accuracy_b_c");
  EXPECT_EQ(evaluation.tags.metrics[0].value, 0.25);
  EXPECT_TRUE(evaluation.tags.metrics[0].interval.has_value());
  EXPECT_EQ(evaluation.tags.metrics[1].name, "balanced_accuracy_b_c");
  EXPECT_EQ(evaluation.tags.metrics[2].name, "accuracy_a");
  EXPECT_EQ(evaluation.tags.metrics[2].value, 1.0);
  EXPECT_EQ(evaluation.tags.metrics[4].name, "accuracy");
  EXPECT_TRUE(part(evaluation, "b+c").is_told);
  EXPECT_FALSE(part(evaluation, "b").is_told);
  const Value value = to_value(evaluation);
  EXPECT_EQ(value.at("metrics").at("accuracy_b_c").as_number(), 0.25);
  EXPECT_EQ(value.at("parts").at("a").at("n_clips").as_integer(), 40);
  EXPECT_EQ(value.at("parts").at("b").at("metrics").at("accuracy").as_number(), 0.5);
  EXPECT_EQ(value.at("parts").at("b").at("intervals").at("accuracy").as_list().size(), 2U);
}

TEST(TaskEvaluation, JoinedPartsBelongToTheTasksOwnField) {
  TaskScores data = scenes();
  data.part_by = "microphone";
  EXPECT_EQ(evaluate_task(data, task_of("tau_scenes2019_mobile")).parts.size(), 3U);
}

TEST(TaskEvaluation, OneValueForAllClipsMakesNoParts) {
  TaskScores data = scenes();
  std::fill(data.parts.begin(), data.parts.end(), "a");
  const TaskEvaluation evaluation = evaluate_task(data, task_of("tau_scenes2019"));
  EXPECT_TRUE(evaluation.parts.empty());
  EXPECT_EQ(evaluation.tags.metrics[0].name, "accuracy");
  EXPECT_EQ(to_value(evaluation).find("parts"), nullptr);
}

TEST(TaskEvaluation, WhatATaskRanksByIsToldOfOneDeviceTooAndMissedWhereThereIsNone) {
  TaskScores data = scenes();
  std::fill(data.parts.begin(), data.parts.end(), "b");
  const TaskEvaluation phones = evaluate_task(data, task_of("tau_scenes2019_mobile"));
  EXPECT_EQ(phones.tags.metrics[0].name, "accuracy_b_c");
  EXPECT_EQ(phones.tags.metrics[0].value, phones.tags.value("accuracy"));
  EXPECT_TRUE(phones.notes.empty());
  std::fill(data.parts.begin(), data.parts.end(), "");
  const TaskEvaluation untold = evaluate_task(data, task_of("tau_scenes2019_mobile"));
  EXPECT_EQ(untold.tags.metrics[0].name, "accuracy");
  ASSERT_EQ(untold.notes.size(), 1U);
  EXPECT_NE(untold.notes[0].find("accuracy_b_c, by which it ranks, is left out"), std::string::npos);
}

TEST(TaskEvaluation, TooManyPartsAndPartsOfOtherClipsAreRefused) {
  TaskScores data = scenes();
  for (std::size_t i = 0; i < data.parts.size(); ++i) data.parts[i] = std::to_string(i);
  EXPECT_THROW(evaluate_task(data, task_of("tau_scenes2019_mobile")), Error);
  data.parts.pop_back();
  EXPECT_THROW(evaluate_task(data, task_of("tau_scenes2019_mobile")), Error);
}

TEST(TaskEvaluation, OpenSetTaskKnowsItsUnknownTag) {
  const TaskEvaluation evaluation = evaluate_task(scenes(), task_of("tau_scenes2019_openset"));
  EXPECT_EQ(evaluation.tags.metrics[0].name, "open_set_score");
  EXPECT_EQ(evaluation.tags.metrics[1].name, "known_accuracy");
  EXPECT_EQ(evaluation.tags.metrics[2].name, "unknown_accuracy");
  EXPECT_NEAR(evaluation.tags.metrics[0].value,
              0.5 * (evaluation.tags.metrics[1].value + evaluation.tags.metrics[2].value), 1e-12);
  EXPECT_EQ(evaluate_task(scenes(), task_of("tau_scenes2019")).tags.find("open_set_score"), nullptr);
}

TEST(TaskEvaluation, TheFigureThatRanksSystemsComesFirst) {
  EXPECT_EQ(evaluate_task(scenes(), task_of("fsdkaggle2018")).tags.metrics[0].name, "map_at_3");
  EXPECT_EQ(evaluate_task(scenes(), task_of("esc50")).tags.metrics[0].name, "accuracy");
  TaskScores several = scenes();
  several.scores.single_label = false;
  EXPECT_EQ(evaluate_task(several, task_of("fsdkaggle2019")).tags.metrics[0].name, "lwlrap");
}

TEST(TaskEvaluation, FromDecisionsWhatNeedsScoresIsUndefinedAndSaidSo) {
  TaskScores data = scenes();
  for (float& score : data.scores.scores) score = score > 0.5f ? 1.0f : 0.0f;
  const TaskEvaluation of_scores = evaluate_task(data, task_of("tau_scenes2019"));
  data.scores.n_ranked = 1;
  EvaluateOptions options;
  options.bootstrap_resamples = 20;
  const TaskEvaluation evaluation = evaluate_task(data, task_of("tau_scenes2019"), options);
  for (const char* name : {"accuracy", "balanced_accuracy", "macro_f1"}) {
    EXPECT_EQ(evaluation.tags.value(name), of_scores.tags.value(name)) << name;
    EXPECT_TRUE(evaluation.tags.find(name)->interval.has_value()) << name;
  }
  for (const char* name : {"map_at_3", "top_3_accuracy", "lwlrap", "macro_ap", "roc_auc", "micro_ap"}) {
    EXPECT_TRUE(std::isnan(evaluation.tags.value(name))) << name;
    EXPECT_TRUE(to_value(evaluation).at("metrics").at(name).is_null()) << name;
  }
  EXPECT_TRUE(std::isnan(evaluation.tags.per_class[0].average_precision));
  EXPECT_FALSE(std::isnan(evaluation.tags.per_class[0].recall));
  ASSERT_EQ(evaluation.notes.size(), 1U);
  EXPECT_NE(evaluation.notes[0].find("decisions"), std::string::npos);
}

TEST(TaskEvaluation, ThreeRankedLabelsAreEnoughForMapAt3) {
  // Four classes; truth is the second in the list, not in it, the first: 1/2, 0, 1.
  TaskScores data;
  data.scores.tags = {"a", "b", "c", "d"};
  data.scores.clip_ids = {"x", "y", "z"};
  data.scores.single_label = true;
  data.scores.n_ranked = 3;
  data.scores.truth = {1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1};
  // y names one tag alone; the tag that stands first among those not named was not named either.
  data.scores.scores = {0.5f, 1, 1.0f / 3, 0, 0, 1, 0, 0, 0, 0.5f, 0, 1};
  const TaskEvaluation evaluation = evaluate_task(data, task_of("fsdkaggle2018"));
  EXPECT_NEAR(evaluation.tags.value("map_at_3"), 0.5, 1e-12);
  EXPECT_NEAR(evaluation.tags.value("top_3_accuracy"), 2.0 / 3.0, 1e-12);
}

TEST(TaskEvaluation, TwoLevelsCarryTheOfficialFiguresAndEachTag) {
  TaskScores data;
  data.scores = testing::sonyc_case(60);
  data.taxonomy = testing::sonyc_taxonomy();
  data.part_by = "borough";
  for (std::size_t i = 0; i < 60; ++i) data.parts.push_back(i % 2 == 0 ? "Queens" : "Brooklyn");
  EvaluateOptions options;
  options.bootstrap_resamples = 20;
  const TaskEvaluation evaluation = evaluate_task(data, task_of("sonyc_ust"), options);
  const Value value = to_value(evaluation);
  EXPECT_EQ(value.at("n_clips").as_integer(), 60);
  EXPECT_TRUE(value.at("metrics").at("fine").at("micro_auprc").is_number());
  EXPECT_EQ(value.at("metrics").at("tie_order").as_string(), "stable");
  EXPECT_EQ(value.at("per_class").as_map().size(), 2U);
  EXPECT_EQ(value.at("per_tag").as_map().size(), 37U);
  EXPECT_EQ(value.at("parts").at("Queens").at("n_clips").as_integer(), 30);
  EXPECT_TRUE(value.at("parts").at("Queens").at("metrics").at("coarse").at("micro_f1").is_number());
  EXPECT_NE(evaluation.notes.at(0).find("stable"), std::string::npos);
  data.scores.n_ranked = 1;
  EXPECT_THROW(evaluate_task(data, task_of("sonyc_ust")), Error);
}

}  // namespace
}  // namespace earmark
