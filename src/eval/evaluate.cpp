#include "eval/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "core/options_io.h"
#include "earmark/error.h"
#include "eval/clip_statistics.h"
#include "eval/metrics.h"

namespace earmark {
namespace {

constexpr std::size_t kMostNamed = 20;

// Problems of one kind: the first ones in full, the others counted.
class Problems {
 public:
  void add(std::string problem) {
    if (++count_ <= kMostNamed) named_.push_back(std::move(problem));
  }
  void finish(const std::string& kind, std::vector<std::string>& out) const {
    out.insert(out.end(), named_.begin(), named_.end());
    if (count_ > kMostNamed) out.push_back(fmt::format("... and {} more of {}", count_ - kMostNamed, kind));
  }

 private:
  std::size_t count_ = 0;
  std::vector<std::string> named_;
};

void check_sizes(const LabeledScores& data, std::vector<std::string>& problems) {
  const std::size_t cells = data.n_clips() * data.n_tags();
  const auto expect = [&](const char* name, std::size_t found, std::size_t wanted) {
    if (found != wanted) {
      problems.push_back(fmt::format("{}: must hold {} values ({} clips, {} tags), got {}", name, wanted,
                                     data.n_clips(), data.n_tags(), found));
    }
  };
  if (data.tags.empty()) problems.emplace_back("tags: there must be at least one, got none");
  if (data.clip_ids.empty()) problems.emplace_back("clip_ids: there must be at least one, got none");
  expect("truth", data.truth.size(), cells);
  expect("scores", data.scores.size(), cells);
  if (!data.groups.empty()) expect("groups", data.groups.size(), data.n_clips());
  // A position in a list is kept in 31 bits and a place in all lists in 32.
  if (data.n_clips() >= (std::size_t{1} << 31) || cells >= (std::size_t{1} << 32)) {
    problems.push_back(
        fmt::format("scores: at most 2^32 of them, got {} clips x {} tags", data.n_clips(), data.n_tags()));
  }
}

void check_unique(const char* field, const std::vector<std::string>& names,
                  std::vector<std::string>& problems) {
  Problems repeated;
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second)
      repeated.add(fmt::format("{}: '{}' stands there more than once", field, name));
  }
  repeated.finish(field, problems);
}

void check_values(const LabeledScores& data, std::vector<std::string>& problems) {
  Problems scores, truths, labels;
  for (std::size_t clip = 0; clip < data.n_clips(); ++clip) {
    int positives = 0;
    for (std::size_t tag = 0; tag < data.n_tags(); ++tag) {
      const std::size_t at = clip * data.n_tags() + tag;
      if (std::isnan(data.scores[at])) {
        scores.add(fmt::format("scores: clip '{}', tag '{}': must be a number, got NaN", data.clip_ids[clip],
                               data.tags[tag]));
      }
      if (std::isnan(data.truth[at]) || data.truth[at] > 1.0f) {
        truths.add(fmt::format("truth: clip '{}', tag '{}': must be 0..1 or negative (unknown), got {}",
                               data.clip_ids[clip], data.tags[tag], data.truth[at]));
      }
      if (is_positive_truth(data.truth[at])) ++positives;
    }
    if (data.single_label && positives > 1) {
      labels.add(fmt::format("truth: clip '{}': must have one tag in a single-label task, got {}",
                             data.clip_ids[clip], positives));
    }
  }
  scores.finish("scores", problems);
  truths.finish("truth", problems);
  labels.finish("truth", problems);
}

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
  check_sizes(data, problems);
  const bool sizes_fit = problems.empty();
  check_unique("tags", data.tags, problems);
  check_unique("clip_ids", data.clip_ids, problems);
  if (sizes_fit) check_values(data, problems);
  const int unknown_tag = find_unknown_tag(data, options, problems);
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the scores cannot be evaluated", problems);
  return {data.single_label, options.threshold, static_cast<std::size_t>(options.map_k), unknown_tag};
}

std::vector<ClassResult> class_results(const LabeledScores& data, const ScoreView& view,
                                       const ClipStatistics& statistics, ClipWeights once) {
  std::vector<ClassResult> results(data.n_tags());
  const std::vector<DecisionCounts> decisions = statistics.decisions_per_class(once);
  const Lwlrap ranking = lwlrap(view);
  for (std::size_t tag = 0; tag < data.n_tags(); ++tag) {
    ClassResult& result = results[tag];
    const RankAreas areas = statistics.lists()[tag].areas(once);
    const DecisionCounts& decided = decisions[tag];
    result.tag = data.tags[tag];
    result.predicted = decided.true_positives + decided.false_positives;
    result.average_precision = areas.average_precision;
    result.roc_auc = areas.roc_auc;
    result.lwlrap = ranking.per_class[tag];
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
    const auto intervals = bootstrap_intervals(
        resampler, data.n_clips(), {options.bootstrap_resamples, options.seed, options.confidence},
        [&](ClipWeights weights) { return statistics.compute(weights); });
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isnan(values[i])) evaluation.metrics[i].interval = intervals[i];
    }
  }
  return evaluation;
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
    out.set("intervals", std::move(intervals));
  }
  out.set("per_class", Value(std::move(rows)));
  return out;
}

}  // namespace earmark
