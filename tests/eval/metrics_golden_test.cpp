// Every key of every case of the golden metrics; values there come from float32 scores in float64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "core/tensor_io.h"
#include "core/value.h"
#include "eval/evaluate.h"
#include "eval/metrics.h"
#include "golden_path.h"

namespace earmark {
namespace {

constexpr double kTolerance = 1e-9;

// Compares key by key and remembers which keys were compared and how far off the worst was.
class Expected {
 public:
  explicit Expected(const Value& values) : values_(values) {}

  void number(const std::string& key, double found) { compare(key, take(key), found); }
  void numbers(const std::string& key, const std::vector<double>& found) {
    const Value::List& wanted = take(key).as_list();
    ASSERT_EQ(wanted.size(), found.size()) << key;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      compare(key + "[" + std::to_string(i) + "]", wanted[i], found[i]);
  }
  void exactly(const std::string& key, const Value& found) {
    EXPECT_EQ(to_json(take(key)), to_json(found)) << key;
  }
  bool has(const std::string& key) const { return values_.find(key) != nullptr; }
  const Value& take(const std::string& key) {
    seen_.insert(key);
    return values_.at(key);
  }
  void expect_all_seen() const {
    for (const auto& [key, value] : values_.as_map())
      EXPECT_TRUE(seen_.contains(key)) << key << " is not compared";
  }
  double worst() const { return worst_; }

 private:
  void compare(const std::string& key, const Value& wanted, double found) {
    if (wanted.is_null()) {
      EXPECT_TRUE(std::isnan(found)) << key << " must be undefined, is " << found;
      return;
    }
    EXPECT_NEAR(wanted.as_number(), found, kTolerance) << key;
    worst_ = std::max(worst_, std::abs(wanted.as_number() - found));
  }

  const Value& values_;
  std::set<std::string> seen_;
  double worst_ = 0;
};

template <class T>
Value list_of(const std::vector<T>& items) {
  Value::List list;
  for (const T& item : items) list.emplace_back(static_cast<std::int64_t>(item));
  return Value(std::move(list));
}

LabeledScores named(std::vector<float> truth, std::vector<float> scores, std::size_t n_tags) {
  LabeledScores data;
  for (std::size_t i = 0; i < n_tags; ++i) data.tags.push_back("tag" + std::to_string(i));
  for (std::size_t i = 0; i < scores.size() / n_tags; ++i)
    data.clip_ids.push_back("clip" + std::to_string(i));
  data.truth = std::move(truth);
  data.scores = std::move(scores);
  return data;
}

bool has_ties(std::vector<float> scores) {
  std::sort(scores.begin(), scores.end());
  return std::adjacent_find(scores.begin(), scores.end()) != scores.end();
}

std::vector<std::size_t> undefined(const std::vector<double>& values) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) indices.push_back(i);
  }
  return indices;
}

void check_multi_label_ranks(Expected& expected, const ScoreView& view) {
  const Lwlrap ranking = lwlrap(view);
  expected.number("lwlrap", ranking.value);
  expected.number("lwlrap_sklearn", ranking.value);
  if (expected.has("lwlrap_reference_code")) expected.number("lwlrap_reference_code", ranking.value);
  expected.numbers("lwlrap_per_class", ranking.per_class);
  expected.numbers("lwlrap_class_weight", ranking.weight);
  const std::vector<double> precisions = average_precision_per_class(view);
  expected.numbers("average_precision_per_class", precisions);
  expected.exactly("classes_without_positive", list_of(undefined(precisions)));
  // scikit-learn's stand-in for an undefined value; ours is NaN, and Absent::kCountAsZero counts it as this.
  expected.numbers("sklearn_ap_value_for_classes_without_positive",
                   std::vector<double>(undefined(precisions).size(), 0.0));
  expected.number("macro_ap_over_classes_with_positives", macro_average_precision(view));
  expected.number("macro_ap_sklearn_all_classes", macro_average_precision(view, Absent::kCountAsZero));
  expected.number("micro_ap", micro_average_precision(view));
  // The stored values are means over the clips that have a label (0.9 of them in two cases), not over all.
  expected.number("samples_ap_sklearn", samples_average_precision(view, Absent::kSkip));
  expected.numbers("roc_auc_per_class", roc_auc_per_class(view));
  expected.number("macro_roc_auc_over_defined", macro_roc_auc(view));
  expected.number("micro_roc_auc", micro_roc_auc(view));
}

void check_multi_label_decisions(Expected& expected, const ScoreView& view) {
  expected.number("f1_micro_at_0.5", decisions(view, 0.5).f1());
  expected.number("f1_macro_at_0.5", macro_f1(view, 0.5));
  expected.number("precision_micro_at_0.3", decisions(view, 0.3).precision());
  expected.number("recall_micro_at_0.3", decisions(view, 0.3).recall());
  expected.number("error_rate_micro_at_0.3", decisions(view, 0.3).error_rate());
}

class MetricsGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(MetricsGolden, MultiLabelCaseAgreesInEveryKey) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Value all = parse_json(read_text(golden / "metrics" / "expected.json"), "expected.json");
  const std::string name = GetParam();
  TensorMap arrays = read_npz(golden / "metrics" / (name + ".npz"));
  const std::vector<float> truth = arrays.at("truth").floats();
  const std::vector<float> scores = arrays.at("scores").floats();
  const auto n_tags = static_cast<std::size_t>(arrays.at("scores").shape.at(1));
  const ScoreView view(truth, scores, n_tags);

  Expected expected(all.at(name));
  expected.exactly("clips", Value(static_cast<std::int64_t>(view.n_clips())));
  expected.exactly("classes", Value(static_cast<std::int64_t>(n_tags)));
  bool ties_in_a_clip = false;
  std::int64_t without_label = 0;
  for (std::size_t i = 0; i < view.n_clips(); ++i) {
    const auto row = static_cast<std::ptrdiff_t>(i * n_tags);
    const auto end = row + static_cast<std::ptrdiff_t>(n_tags);
    ties_in_a_clip = ties_in_a_clip || has_ties({scores.begin() + row, scores.begin() + end});
    if (std::count(truth.begin() + row, truth.begin() + end, 1.0f) == 0) ++without_label;
  }
  expected.exactly("has_ties", Value(ties_in_a_clip));
  expected.exactly("clips_without_label", Value(without_label));
  check_multi_label_ranks(expected, view);
  check_multi_label_decisions(expected, view);
  expected.expect_all_seen();
  RecordProperty("worst_error", to_json(Value(expected.worst())));
  EXPECT_LT(expected.worst(), kTolerance);

  // One call gives the same as the single functions.
  const Evaluation evaluation = evaluate(named(truth, scores, n_tags));
  EXPECT_NEAR(evaluation.value("lwlrap"), all.at(name).at("lwlrap").as_number(), kTolerance);
  EXPECT_NEAR(evaluation.value("macro_ap"), macro_average_precision(view), kTolerance);
  EXPECT_NEAR(evaluation.value("macro_ap_all_classes"), macro_average_precision(view, Absent::kCountAsZero),
              kTolerance);
  EXPECT_NEAR(evaluation.value("micro_ap"), micro_average_precision(view), kTolerance);
  EXPECT_NEAR(evaluation.value("samples_ap"), samples_average_precision(view), kTolerance);
  EXPECT_NEAR(evaluation.value("roc_auc"), macro_roc_auc(view), kTolerance);
  EXPECT_NEAR(evaluation.value("micro_roc_auc"), micro_roc_auc(view), kTolerance);
  EXPECT_NEAR(evaluation.value("micro_f1"), decisions(view, 0.5).f1(), kTolerance);
  EXPECT_NEAR(evaluation.value("macro_f1"), macro_f1(view, 0.5), kTolerance);
  EXPECT_NEAR(evaluation.value("micro_precision"), decisions(view, 0.5).precision(), kTolerance);
  EXPECT_NEAR(evaluation.value("micro_recall"), decisions(view, 0.5).recall(), kTolerance);
  EXPECT_NEAR(evaluation.value("error_rate"), decisions(view, 0.5).error_rate(), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Cases, MetricsGolden,
                         ::testing::Values("multilabel_80", "multilabel_missing_class", "multilabel_ties",
                                           "multilabel_tiny"),
                         [](const auto& instance) { return std::string(instance.param); });

struct SingleLabelCase {
  std::vector<int> labels;
  std::vector<float> truth;
  std::vector<float> scores;
  std::size_t n_tags;
};

SingleLabelCase read_single_label(const std::filesystem::path& path) {
  TensorMap arrays = read_npz(path);
  SingleLabelCase data;
  data.scores = arrays.at("scores").floats();
  data.n_tags = static_cast<std::size_t>(arrays.at("scores").shape.at(1));
  data.truth.assign(data.scores.size(), 0.0f);
  for (const std::int64_t label : arrays.at("label").integers()) {
    data.truth.at(data.labels.size() * data.n_tags + static_cast<std::size_t>(label)) = 1.0f;
    data.labels.push_back(static_cast<int>(label));
  }
  return data;
}

void check_task1c(Expected& expected, const SingleLabelCase& data) {
  std::vector<float> scores = data.scores;
  for (const char* key : {"task1c_plain", "task1c_unknown_times_5"}) {
    if (std::string_view(key) != "task1c_plain") {
      for (std::size_t i = 10; i < scores.size(); i += data.n_tags) scores[i] *= 5.0f;
    }
    const OpenSetScore open =
        open_set_score(ConfusionMatrix(data.labels, scores, data.n_tags).per_class(), 10);
    Expected inner(expected.take(key));
    inner.number("known_mean_recall", open.known);
    inner.number("unknown_recall", open.unknown);
    inner.number("score", open.score);
    inner.expect_all_seen();
    LabeledScores one_call = named(data.truth, scores, data.n_tags);
    one_call.single_label = true;
    EvaluateOptions options;
    options.unknown_tag = "tag10";
    EXPECT_NEAR(evaluate(one_call, options).value("open_set_score"), open.score, kTolerance);
  }
}

void check_single_label_decisions(Expected& expected, const SingleLabelCase& data,
                                  const ConfusionMatrix& confusion) {
  std::vector<std::size_t> predicted;
  Value::List best, rows;
  for (std::size_t i = 0; i < data.labels.size(); ++i) {
    const std::span<const float> row = std::span(data.scores).subspan(i * data.n_tags, data.n_tags);
    best.push_back(list_of(top_k(row, 3)));
    predicted.push_back(top_k(row, 1).front());
  }
  for (std::size_t i = 0; i < data.n_tags; ++i) {
    const auto begin = confusion.counts().begin() + static_cast<std::ptrdiff_t>(i * data.n_tags);
    rows.push_back(
        list_of(std::vector<std::int64_t>(begin, begin + static_cast<std::ptrdiff_t>(data.n_tags))));
  }
  expected.exactly("predicted", list_of(predicted));
  expected.exactly("top3", Value(best));
  expected.exactly("confusion_rows_true_cols_pred", Value(rows));
}

class SingleLabelGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(SingleLabelGolden, CaseAgreesInEveryKey) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Value all = parse_json(read_text(golden / "metrics" / "expected.json"), "expected.json");
  const std::string name = GetParam();
  const SingleLabelCase data = read_single_label(golden / "metrics" / (name + ".npz"));
  const ConfusionMatrix confusion(data.labels, data.scores, data.n_tags);

  Expected expected(all.at(name));
  expected.exactly("clips", Value(static_cast<std::int64_t>(data.labels.size())));
  expected.exactly("classes", Value(static_cast<std::int64_t>(data.n_tags)));
  bool ties_in_a_clip = false;
  for (std::size_t i = 0; i < data.labels.size(); ++i) {
    const auto row = data.scores.begin() + static_cast<std::ptrdiff_t>(i * data.n_tags);
    ties_in_a_clip = ties_in_a_clip || has_ties({row, row + static_cast<std::ptrdiff_t>(data.n_tags)});
  }
  expected.exactly("has_ties", Value(ties_in_a_clip));
  std::vector<double> recalls, precisions;
  for (const DecisionCounts& of_class : confusion.per_class()) {
    recalls.push_back(of_class.recall());
    precisions.push_back(of_class.precision());
  }
  expected.numbers("recall_per_class", recalls);
  expected.numbers("precision_per_class", precisions);
  expected.exactly("classes_without_clip", list_of(undefined(recalls)));
  expected.exactly("classes_never_predicted", list_of(undefined(precisions)));
  expected.number("accuracy", confusion.accuracy());
  expected.number("balanced_accuracy_over_classes_present", confusion.balanced_accuracy());
  expected.number("f1_macro_over_present", confusion.macro_f1());
  expected.number("map_at_3", map_at_k(data.labels, data.scores, data.n_tags, 3));
  expected.number("map_at_1", map_at_k(data.labels, data.scores, data.n_tags, 1));
  check_single_label_decisions(expected, data, confusion);
  if (name == "openset_11") check_task1c(expected, data);
  expected.expect_all_seen();
  RecordProperty("worst_error", to_json(Value(expected.worst())));

  LabeledScores one_call = named(data.truth, data.scores, data.n_tags);
  one_call.single_label = true;
  const Evaluation evaluation = evaluate(one_call);
  EXPECT_NEAR(evaluation.value("accuracy"), confusion.accuracy(), kTolerance);
  EXPECT_NEAR(evaluation.value("balanced_accuracy"), confusion.balanced_accuracy(), kTolerance);
  EXPECT_NEAR(evaluation.value("macro_f1"), confusion.macro_f1(), kTolerance);
  EXPECT_NEAR(evaluation.value("map_at_3"), map_at_k(data.labels, data.scores, data.n_tags, 3), kTolerance);
  EXPECT_NEAR(evaluation.value("top_3_accuracy"), top_k_accuracy(data.labels, data.scores, data.n_tags, 3),
              kTolerance);
  EXPECT_EQ(evaluation.confusion, confusion.counts());
}

INSTANTIATE_TEST_SUITE_P(Cases, SingleLabelGolden,
                         ::testing::Values("singlelabel_41", "singlelabel_missing_class", "singlelabel_ties",
                                           "openset_11"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace earmark
