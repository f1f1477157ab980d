#include "eval/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "core/rng.h"
#include "earmark/error.h"
#include "eval/bootstrap.h"
#include "eval/metrics.h"

namespace earmark {
namespace {

LabeledScores random_case(std::size_t n_clips, std::size_t n_tags, bool single_label,
                          std::uint64_t seed = 1) {
  LabeledScores data;
  data.single_label = single_label;
  Rng rng(seed, "case");
  for (std::size_t tag = 0; tag < n_tags; ++tag) data.tags.push_back("tag" + std::to_string(tag));
  for (std::size_t clip = 0; clip < n_clips; ++clip) {
    data.clip_ids.push_back("clip" + std::to_string(clip));
    const std::size_t label = rng.below(n_tags);
    for (std::size_t tag = 0; tag < n_tags; ++tag) {
      const bool yes = single_label ? tag == label : rng.bernoulli(0.2);
      data.truth.push_back(!single_label && rng.bernoulli(0.1) ? -1.0f : yes ? 1.0f : 0.0f);
      data.scores.push_back(static_cast<float>(0.6 * rng.uniform() + (yes ? 0.3 : 0.0)));
    }
  }
  return data;
}

void expect_same(const Evaluation& a, const Evaluation& b, const std::vector<std::string>& but = {}) {
  ASSERT_EQ(a.metrics.size(), b.metrics.size());
  for (std::size_t i = 0; i < a.metrics.size(); ++i) {
    if (std::find(but.begin(), but.end(), a.metrics[i].name) != but.end()) continue;
    EXPECT_NEAR(a.metrics[i].value, b.metrics[i].value, 1e-12) << a.metrics[i].name;
  }
}

LabeledScores reordered(const LabeledScores& data, const std::vector<std::size_t>& order) {
  LabeledScores out = data;
  for (std::size_t i = 0; i < order.size(); ++i) {
    out.clip_ids[i] = data.clip_ids[order[i]];
    for (std::size_t tag = 0; tag < data.n_tags(); ++tag) {
      out.truth[i * data.n_tags() + tag] = data.truth[order[i] * data.n_tags() + tag];
      out.scores[i * data.n_tags() + tag] = data.scores[order[i] * data.n_tags() + tag];
    }
  }
  return out;
}

const Error caught(const LabeledScores& data, const EvaluateOptions& options = {}) {
  try {
    evaluate(data, options);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kInternal, "nothing was thrown");
}

TEST(Evaluate, FiguresAreThoseOfThePlainDefinitions) {
  const LabeledScores several = random_case(90, 6, false, 3);
  const ScoreView view(several.truth, several.scores, 6);
  const Evaluation tags = evaluate(several);
  const DecisionCounts decided = decisions(view, 0.5);
  for (const auto& [name, value] : std::vector<std::pair<const char*, double>>{
           {"lwlrap", lwlrap(view).value},
           {"macro_ap", macro_average_precision(view)},
           {"macro_ap_all_classes", macro_average_precision(view, Absent::kCountAsZero)},
           {"micro_ap", micro_average_precision(view)},
           {"samples_ap", samples_average_precision(view)},
           {"roc_auc", macro_roc_auc(view)},
           {"micro_roc_auc", micro_roc_auc(view)},
           {"micro_f1", decided.f1()},
           {"macro_f1", macro_f1(view, 0.5)},
           {"micro_precision", decided.precision()},
           {"micro_recall", decided.recall()},
           {"error_rate", decided.error_rate()}})
    EXPECT_NEAR(tags.value(name), value, 1e-12) << name;

  const LabeledScores single = random_case(90, 6, true, 4);
  const std::vector<int> labels = labels_of(ScoreView(single.truth, single.scores, 6));
  const ConfusionMatrix confusion(labels, single.scores, 6);
  const Evaluation classes = evaluate(single);
  for (const auto& [name, value] : std::vector<std::pair<const char*, double>>{
           {"accuracy", confusion.accuracy()},
           {"balanced_accuracy", confusion.balanced_accuracy()},
           {"macro_f1", confusion.macro_f1()},
           {"map_at_3", map_at_k(labels, single.scores, 6, 3)},
           {"top_3_accuracy", top_k_accuracy(labels, single.scores, 6, 3)}})
    EXPECT_NEAR(classes.value(name), value, 1e-12) << name;
}

TEST(Evaluate, OrderOfTheClipsChangesNothing) {
  for (const bool single_label : {false, true}) {
    const LabeledScores data = random_case(80, 7, single_label);
    Rng rng(5, "order");
    expect_same(evaluate(data), evaluate(reordered(data, permutation(80, rng))));
  }
}

TEST(Evaluate, RisingTransformationOfTheScoresChangesNoRankMetric) {
  for (const bool single_label : {false, true}) {
    const LabeledScores data = random_case(80, 7, single_label);
    LabeledScores logits = data;
    for (float& score : logits.scores) score = 40.0f * score - 7.0f;
    expect_same(evaluate(data), evaluate(logits),
                single_label ? std::vector<std::string>{}
                             : std::vector<std::string>{"micro_f1", "macro_f1", "micro_precision",
                                                        "micro_recall", "error_rate"});
  }
}

TEST(Evaluate, PerfectScoresGiveOne) {
  for (const bool single_label : {false, true}) {
    LabeledScores data = random_case(200, 5, single_label);
    for (std::size_t i = 0; i < data.truth.size(); ++i) data.scores[i] = std::max(data.truth[i], 0.0f);
    EvaluateOptions options;
    if (single_label) options.unknown_tag = "tag4";
    for (const Metric& metric : evaluate(data, options).metrics) {
      EXPECT_NEAR(metric.value, metric.name == "error_rate" ? 0.0 : 1.0, 1e-12) << metric.name;
    }
  }
}

TEST(Evaluate, UnknownTruthIsWorthAsMuchAsNoEntry) {
  // What stands beside an unknown truth must not matter to anything.
  const LabeledScores data = random_case(60, 6, false);
  LabeledScores other = data;
  Rng rng(2, "noise");
  for (std::size_t i = 0; i < data.truth.size(); ++i) {
    if (data.truth[i] < 0) other.scores[i] = static_cast<float>(rng.normal());
  }
  EXPECT_EQ(to_json(to_value(evaluate(data))), to_json(to_value(evaluate(other))));
}

TEST(Evaluate, ClipsKnownToHaveNoLabelAreLeftOutOfSingleLabelFigures) {
  LabeledScores data = random_case(50, 4, true);
  const Evaluation before = evaluate(data);
  data.clip_ids.push_back("undecided");
  for (int tag = 0; tag < 4; ++tag) {
    data.truth.push_back(-1.0f);
    data.scores.push_back(0.1f * static_cast<float>(tag));
  }
  const Evaluation after = evaluate(data);
  expect_same(before, after);
  EXPECT_EQ(after.n_clips, 51);
  EXPECT_EQ(before.confusion, after.confusion);
}

TEST(Evaluate, WithoutAnyPositiveMetricsAreNullNotANumber) {
  LabeledScores data = random_case(10, 3, false);
  for (float& truth : data.truth) truth = 0.0f;
  EvaluateOptions options;
  options.bootstrap_resamples = 20;
  const Evaluation evaluation = evaluate(data, options);
  for (const char* name :
       {"lwlrap", "macro_ap", "micro_ap", "samples_ap", "roc_auc", "micro_recall", "error_rate"}) {
    EXPECT_TRUE(std::isnan(evaluation.value(name))) << name;
    EXPECT_FALSE(evaluation.find(name)->interval.has_value()) << name;
    EXPECT_TRUE(to_value(evaluation).at("metrics").at(name).is_null()) << name;
  }
  EXPECT_EQ(evaluation.value("macro_ap_all_classes"), 0.0);
}

TEST(Evaluate, SingleClipIsEnough) {
  LabeledScores data{{"dog", "rain"}, {"a"}, {}, {1, 0}, {0.9f, 0.2f}, true};
  const Evaluation evaluation = evaluate(data);
  EXPECT_EQ(evaluation.value("accuracy"), 1.0);
  EXPECT_EQ(evaluation.value("map_at_3"), 1.0);
  EXPECT_TRUE(std::isnan(evaluation.value("roc_auc")));
  EXPECT_TRUE(std::isnan(evaluation.per_class[1].average_precision));
  EXPECT_EQ(evaluation.confusion, (std::vector<std::int64_t>{1, 0, 0, 0}));
  data.single_label = false;
  EXPECT_EQ(evaluate(data).value("micro_f1"), 1.0);
}

TEST(Evaluate, TableByClassHoldsCountsAndRates) {
  // Threshold 0.5. dog: yes .9, no .8, unknown: 1 right, 1 false alarm. rain: yes .1, no .2, no .6.
  const LabeledScores data{
      {"dog", "rain"}, {"a", "b", "c"}, {}, {1, 1, 0, 0, -1, 0}, {0.9f, 0.1f, 0.8f, 0.2f, 0.99f, 0.6f}};
  const std::vector<ClassResult> table = evaluate(data).per_class;
  EXPECT_EQ(table[0].support, 1);
  EXPECT_EQ(table[0].known, 2);
  EXPECT_EQ(table[0].predicted, 2);
  EXPECT_EQ(table[0].precision, 0.5);
  EXPECT_EQ(table[0].recall, 1.0);
  EXPECT_EQ(table[0].average_precision, 1.0);
  EXPECT_EQ(table[1].known, 3);
  EXPECT_EQ(table[1].recall, 0.0);
  EXPECT_NEAR(table[1].average_precision, 1.0 / 3.0, 1e-12);
  EXPECT_EQ(table[1].roc_auc, 0.0);
}

TEST(Evaluate, NaNScoresAreNamedByClipAndTag) {
  LabeledScores data = random_case(5, 3, false);
  data.scores[3 * 3 + 2] = std::numeric_limits<float>::quiet_NaN();
  data.truth[1] = std::numeric_limits<float>::quiet_NaN();
  const Error error = caught(data);
  EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
  ASSERT_EQ(error.problems().size(), 2U);
  EXPECT_EQ(error.problems()[0], "scores: clip 'clip3', tag 'tag2': must be a number, got NaN");
  EXPECT_NE(error.problems()[1].find("clip 'clip0', tag 'tag1'"), std::string::npos);
}

TEST(Evaluate, ManyNaNsAreCountedNotAllListed) {
  LabeledScores data = random_case(50, 3, false);
  for (float& score : data.scores) score = std::numeric_limits<float>::quiet_NaN();
  const Error error = caught(data);
  ASSERT_EQ(error.problems().size(), 21U);
  EXPECT_EQ(error.problems().back(), "... and 130 more of scores");
}

TEST(Evaluate, EveryBrokenRuleIsNamedAtOnce) {
  LabeledScores data = random_case(4, 3, true);
  data.clip_ids[3] = "clip0";
  data.tags[1] = "tag0";
  data.scores.pop_back();
  data.groups = {"a"};
  EvaluateOptions options;
  options.confidence = 1.0;
  options.map_k = 0;
  options.unknown_tag = "nobody";
  const std::vector<std::string> problems = caught(data, options).problems();
  for (const char* field :
       {"confidence:", "map_k:", "scores:", "groups:", "clip_ids: 'clip0'", "tags: 'tag0'", "unknown_tag:"}) {
    EXPECT_TRUE(std::any_of(problems.begin(), problems.end(), [&](const auto& p) {
      return p.starts_with(field);
    })) << field;
  }
  EXPECT_EQ(problems.size(), 7U);
}

TEST(Evaluate, EmptyInputSeveralTagsAndLostNamesAreRefused) {
  EXPECT_EQ(caught({}).code(), ErrorCode::kInvalidOption);
  LabeledScores data = random_case(4, 3, true);
  data.truth.assign(12, 1.0f);
  EXPECT_NE(std::string(caught(data).what()).find("clip 'clip2': must have one tag"), std::string::npos);
  EXPECT_THROW(evaluate(random_case(4, 3, true)).value("lwlarp"), Error);
}

TEST(Evaluate, JsonHasTheShapeOfTheContract) {
  EvaluateOptions options;
  options.bootstrap_resamples = 30;
  const Value value = to_value(evaluate(random_case(40, 3, true), options));
  EXPECT_EQ(value.at("n_clips").as_integer(), 40);
  EXPECT_TRUE(value.at("metrics").at("accuracy").is_number());
  EXPECT_EQ(value.at("metrics").at("confusion").as_list().size(), 3U);
  EXPECT_EQ(value.at("metrics").at("confusion").as_list()[2].as_list().size(), 3U);
  EXPECT_EQ(value.at("intervals").at("accuracy").as_list().size(), 2U);
  EXPECT_TRUE(value.at("per_class").at("tag1").at("support").is_integer());
  EXPECT_EQ(to_value(evaluate(random_case(40, 3, false))).find("intervals"), nullptr);
}

TEST(Bootstrap, IsAFunctionOfItsSeed) {
  const LabeledScores data = random_case(60, 4, false);
  EvaluateOptions options;
  options.bootstrap_resamples = 50;
  const std::string first = to_json(to_value(evaluate(data, options)));
  EXPECT_EQ(first, to_json(to_value(evaluate(data, options))));
  options.seed = 1;
  EXPECT_NE(first, to_json(to_value(evaluate(data, options))));
}

TEST(Bootstrap, IntervalsHoldTheEstimateAndNarrowWithMoreClips) {
  EvaluateOptions options;
  options.bootstrap_resamples = 300;
  const auto accuracy = [&](std::size_t n_clips) {
    const Evaluation evaluation = evaluate(random_case(n_clips, 6, true), options);
    for (const Metric& metric : evaluation.metrics) {
      EXPECT_LE(metric.interval.value().low, metric.value) << metric.name;
      EXPECT_GE(metric.interval.value().high, metric.value) << metric.name;
    }
    const Interval interval = evaluation.find("accuracy")->interval.value();
    return interval.high - interval.low;
  };
  EXPECT_LT(accuracy(2000), 0.5 * accuracy(100));  // sqrt(20) narrower, sampling aside
}

TEST(Bootstrap, IntervalHasTheWidthOfTheBinomialLaw) {
  // 400 clips of which half are right: standard error sqrt(.25 / 400) = 0.025, 95 % is +- 1.96 of it.
  LabeledScores data;
  data.tags = {"a", "b"};
  data.single_label = true;
  for (int i = 0; i < 400; ++i) {
    data.clip_ids.push_back(std::to_string(i));
    data.truth.insert(data.truth.end(), {1, 0});
    data.scores.insert(data.scores.end(), {i % 2 == 0 ? 1.0f : 0.0f, 0.5f});
  }
  EvaluateOptions options;
  options.bootstrap_resamples = 4000;
  const Interval interval = evaluate(data, options).find("accuracy")->interval.value();
  EXPECT_NEAR(interval.low, 0.5 - 1.96 * 0.025, 0.005);
  EXPECT_NEAR(interval.high, 0.5 + 1.96 * 0.025, 0.005);
  // The same clips in 20 groups that are right or wrong together: sqrt(.25 / 20) = 0.112.
  for (int i = 0; i < 400; ++i) data.groups.push_back(std::to_string(i % 20));
  const Interval grouped = evaluate(data, options).find("accuracy")->interval.value();
  EXPECT_NEAR(grouped.high - grouped.low, 2 * 1.96 * 0.112, 0.06);
}

TEST(Bootstrap, OneGroupAloneHasNoIntervals) {
  LabeledScores data = random_case(60, 4, false);
  EvaluateOptions options;
  options.bootstrap_resamples = 20;
  data.groups.assign(60, "the only sensor");
  const Evaluation evaluation = evaluate(data, options);
  EXPECT_EQ(evaluation.n_units, 1);
  for (const Metric& metric : evaluation.metrics) EXPECT_FALSE(metric.interval.has_value()) << metric.name;
  data.groups[0] = "another";
  EXPECT_TRUE(evaluate(data, options).find("lwlrap")->interval.has_value());
}

TEST(Bootstrap, NumberOfThreadsChangesNothing) {
  const LabeledScores data = random_case(60, 4, true);
  EvaluateOptions options;
  options.bootstrap_resamples = 100;
  const std::string one = to_json(to_value(evaluate(data, options)));
  options.threads = 4;
  EXPECT_EQ(one, to_json(to_value(evaluate(data, options))));
}

TEST(ClipResampler, DrawsWholeGroupsAndAsManyAsThereAre) {
  const std::vector<std::string> groups{"x", "y", "x", "z", "y"};
  const ClipResampler resampler(5, groups, 7);
  EXPECT_EQ(resampler.n_units(), 3U);
  for (std::uint64_t i = 0; i < 20; ++i) {
    std::vector<std::uint32_t> weights(5);
    resampler.draw(i, weights);
    EXPECT_EQ(weights[0], weights[2]);
    EXPECT_EQ(weights[1], weights[4]);
    EXPECT_EQ(weights[0] + weights[1] + weights[3], 3U);
  }
}

TEST(Quantile, InterpolatesBetweenNeighbours) {
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2.0);
  EXPECT_EQ(quantile({0, 10}, 0.25), 2.5);
  EXPECT_EQ(quantile({4}, 0.975), 4.0);
  EXPECT_EQ(quantile({1, 2}, 1.0), 2.0);
}

TEST(Evaluate, TenThousandClipsOfFiveHundredTagsTakeSeconds) {
  const LabeledScores data = random_case(10000, 500, false);
  EvaluateOptions options;
  options.bootstrap_resamples = 10;
  const auto start = std::chrono::steady_clock::now();
  const Evaluation evaluation = evaluate(data, options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_GT(evaluation.value("macro_ap"), 0.2);
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds,
            30.0);  // about 2 s in a release build; the bound leaves room for sanitizers and a busy machine
}

}  // namespace
}  // namespace earmark
