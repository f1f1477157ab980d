#include "eval/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/options_io.h"
#include "earmark/error.h"
#include "eval/check_scores.h"
#include "eval/clip_statistics.h"
#include "eval/figures.h"
#include "eval/metrics.h"

namespace earmark {
namespace {

int find_unknown_tag(const LabeledScores& data, const EvaluateOptions& options,
                     std::vector<std::string>& problems) {
  if (options.unknown_tag.empty()) return kNoLabel;
  const auto found = std::find(data.tags.begin(), data.tags.end(), options.unknown_tag);
  if (!data.single_label) {
    problems.push_back(fmt::format("unknown_tag: is for single-label tasks, got '{}' in a multi-label one",
                                   options.unknown_tag));
  } else if (found == data.tags.end()) {
    problems.push_back(
        fmt::format("unknown_tag: must be one of the {} tags, got '{}'", data.n_tags(), options.unknown_tag));
  }
  return static_cast<int>(found - data.tags.begin());
}

ClipStatistics::Options checked(const LabeledScores& data, const EvaluateOptions& options) {
  std::vector<std::string> problems = range_problems(options);
  check_scores(data, problems);
  const int unknown_tag = find_unknown_tag(data, options, problems);
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the scores cannot be evaluated", problems);
  return {data.single_label, options.threshold, static_cast<std::size_t>(options.map_k), unknown_tag,
          data.n_ranked};
}

std::vector<ClassResult> class_results(const LabeledScores& data, const ScoreView& view,
                                       const ClipStatistics& statistics, ClipWeights once) {
  std::vector<ClassResult> results(data.n_tags());
  const std::vector<DecisionCounts> decisions = statistics.decisions_per_class(once);
  const Lwlrap ranking = lwlrap(view);
  for (std::size_t tag = 0; tag < data.n_tags(); ++tag) {
    ClassResult& result = results[tag];
    const RankAreas areas = statistics.areas(tag, once);
    const DecisionCounts& decided = decisions[tag];
    result.tag = data.tags[tag];
    result.predicted = decided.true_positives + decided.false_positives;
    result.average_precision = areas.average_precision;
    result.roc_auc = areas.roc_auc;
    result.lwlrap = data.n_ranked > 0 ? std::nan("") : ranking.per_class[tag];
    result.lwlrap_weight = ranking.weight[tag];
    result.precision = decided.precision();
    result.recall = decided.recall();
    result.f1 = decided.f1();
  }
  for (std::size_t i = 0; i < view.truth.size(); ++i) {
    ClassResult& result = results[i % view.n_tags];
    if (is_known_truth(view.truth[i])) ++result.known;
    if (is_positive_truth(view.truth[i])) ++result.support;
  }
  return results;
}

}  // namespace

const Metric* Evaluation::find(std::string_view name) const noexcept {
  for (const Metric& metric : metrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

double Evaluation::value(std::string_view name) const {
  if (const Metric* metric = find(name)) return metric->value;
  std::string there_are;
  for (const Metric& metric : metrics) there_are += (there_are.empty() ? "" : ", ") + metric.name;
  throw Error(ErrorCode::kInvalidOption, fmt::format("metric: must be one of {}, got '{}'", there_are, name));
}

Evaluation evaluate(const LabeledScores& data, const EvaluateOptions& options) {
  const ClipStatistics::Options what = checked(data, options);
  const ScoreView view(data.truth, data.scores, data.n_tags());
  const ClipStatistics statistics(view, what);
  const std::vector<std::uint32_t> once(data.n_clips(), 1);

  Evaluation evaluation;
  evaluation.n_clips = static_cast<std::int64_t>(data.n_clips());
  evaluation.single_label = data.single_label;
  const std::vector<double> values = statistics.compute(once);
  for (std::size_t i = 0; i < values.size(); ++i) {
    evaluation.metrics.push_back({statistics.names()[i], values[i], std::nullopt});
  }
  evaluation.per_class = class_results(data, view, statistics, once);
  if (data.single_label)
    evaluation.confusion = ConfusionMatrix(labels_of(view), data.scores, data.n_tags()).counts();
  if (options.bootstrap_resamples > 0) {
    evaluation.confidence = options.confidence;
    const ClipResampler resampler(data.n_clips(), data.groups, options.seed);
    evaluation.n_units = static_cast<std::int64_t>(resampler.n_units());
    const auto intervals =
        bootstrap_intervals(resampler, data.n_clips(),
                            {options.bootstrap_resamples, options.seed, options.confidence, options.threads},
                            [&](ClipWeights weights, int) { return statistics.compute(weights); });
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isnan(values[i])) evaluation.metrics[i].interval = intervals[i];
    }
  }
  return evaluation;
}

Figures tag_figures(const LabeledScores& data, const EvaluateOptions& options) {
  const ClipStatistics::Options what = checked(data, options);
  const auto statistics =
      std::make_shared<const ClipStatistics>(ScoreView(data.truth, data.scores, data.n_tags()), what);
  return {statistics->names(), [statistics](ClipWeights weights) { return statistics->compute(weights); }};
}

Value to_value(const Evaluation& evaluation) {
  Value metrics{Value::Map()}, intervals{Value::Map()};
  const auto number = [](double x) { return std::isnan(x) ? Value() : Value(x); };
  for (const Metric& metric : evaluation.metrics) {
    metrics.set(metric.name, number(metric.value));
    if (metric.interval) {
      intervals.set(metric.name,
                    Value(Value::List{Value(metric.interval->low), Value(metric.interval->high)}));
    }
  }
  if (evaluation.single_label) {
    Value::List rows;
    const std::size_t n = evaluation.per_class.size();
    for (std::size_t row = 0; row < n; ++row) {
      Value::List counts;
      for (std::size_t column = 0; column < n; ++column)
        counts.emplace_back(evaluation.confusion[row * n + column]);
      rows.emplace_back(std::move(counts));
    }
    metrics.set("confusion", Value(std::move(rows)));
  }
  Value::Map rows;
  for (const ClassResult& c : evaluation.per_class) {
    rows.emplace_back(c.tag, Value(Value::Map{{"average_precision", number(c.average_precision)},
                                              {"roc_auc", number(c.roc_auc)},
                                              {"lwlrap", number(c.lwlrap)},
                                              {"lwlrap_weight", number(c.lwlrap_weight)},
                                              {"precision", number(c.precision)},
                                              {"recall", number(c.recall)},
                                              {"f1", number(c.f1)},
                                              {"support", Value(c.support)},
                                              {"known", Value(c.known)},
                                              {"predicted", Value(c.predicted)}}));
  }
  Value out{Value::Map()};
  out.set("n_clips", Value(evaluation.n_clips));
  out.set("metrics", std::move(metrics));
  if (evaluation.confidence > 0) {
    out.set("confidence", Value(evaluation.confidence));
    out.set("n_units", Value(evaluation.n_units));
    out.set("intervals", std::move(intervals));
  }
  out.set("per_class", Value(std::move(rows)));
  return out;
}

}  // namespace earmark
