#include "eval/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "earmark/error.h"
#include "eval/ranking.h"

namespace earmark {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? kUndefined : static_cast<double>(part) / static_cast<double>(whole);
}

RankAreas areas_of(RankedList::Builder builder, std::size_t n_clips) {
  const std::vector<std::uint32_t> once(n_clips, 1);
  return RankedList(std::move(builder)).areas(once);
}

RankAreas list_areas(std::span<const float> truth, std::span<const float> scores) {
  const ScoreView view(truth, scores, 1);
  RankedList::Builder builder;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (is_known_truth(truth[i]))
      builder.add(scores[i], static_cast<std::uint32_t>(i), is_positive_truth(truth[i]));
  }
  return areas_of(std::move(builder), scores.size());
}

std::vector<RankAreas> class_areas(const ScoreView& view) {
  std::vector<RankAreas> areas;
  for (std::size_t tag = 0; tag < view.n_tags; ++tag) {
    RankedList::Builder builder;
    builder.reserve(view.n_clips());
    for (std::size_t clip = 0; clip < view.n_clips(); ++clip) {
      const float truth = view.truth[clip * view.n_tags + tag];
      if (!is_known_truth(truth)) continue;
      builder.add(view.scores[clip * view.n_tags + tag], static_cast<std::uint32_t>(clip),
                  is_positive_truth(truth));
    }
    areas.push_back(areas_of(std::move(builder), view.n_clips()));
  }
  return areas;
}

std::size_t best(std::span<const float> scores) {
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

// Place of the label among the k best, from 1; 0 when it is not among them.
std::size_t place_of(int label, std::span<const float> scores, std::size_t k) {
  const auto index = static_cast<std::size_t>(label);
  std::size_t place = 1;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > scores[index] || (scores[i] == scores[index] && i < index)) ++place;
  }
  return place <= k ? place : 0;
}

template <class Gain>
double mean_over_labelled(std::span<const int> labels, std::span<const float> scores, std::size_t n_tags,
                          std::size_t k, Gain&& gain) {
  double total = 0;
  std::int64_t labelled = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == kNoLabel) continue;
    ++labelled;
    const std::size_t place = place_of(labels[i], scores.subspan(i * n_tags, n_tags), k);
    if (place > 0) total += gain(place);
  }
  return labelled == 0 ? kUndefined : total / static_cast<double>(labelled);
}

}  // namespace

ScoreView::ScoreView(std::span<const float> truth_in, std::span<const float> scores_in, std::size_t n_tags_in)
    : truth(truth_in), scores(scores_in), n_tags(n_tags_in) {
  if (n_tags == 0 || scores.size() % n_tags != 0 || truth.size() != scores.size()) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("truth and scores must both be [n_clips, {}], got {} and {} values", n_tags,
                            truth.size(), scores.size()));
  }
}

double mean_defined(std::span<const double> values, Absent absent) {
  double total = 0;
  std::size_t count = 0;
  for (const double value : values) {
    if (std::isnan(value) && absent == Absent::kSkip) continue;
    if (!std::isnan(value)) total += value;
    ++count;
  }
  return count == 0 ? kUndefined : total / static_cast<double>(count);
}

double average_precision(std::span<const float> truth, std::span<const float> scores) {
  return list_areas(truth, scores).average_precision;
}

std::vector<double> average_precision_per_class(const ScoreView& view) {
  std::vector<double> values;
  for (const RankAreas& areas : class_areas(view)) values.push_back(areas.average_precision);
  return values;
}

double macro_average_precision(const ScoreView& view, Absent absent) {
  return mean_defined(average_precision_per_class(view), absent);
}

double micro_average_precision(const ScoreView& view) { return average_precision(view.truth, view.scores); }

double samples_average_precision(const ScoreView& view, Absent absent) {
  std::vector<double> values;
  ClipRanking ranking;
  for (std::size_t clip = 0; clip < view.n_clips(); ++clip) {
    const std::size_t at = clip * view.n_tags;
    rank_clip(view.truth.subspan(at, view.n_tags), view.scores.subspan(at, view.n_tags), ranking);
    values.push_back(mean_defined(ranking.precisions));
  }
  return mean_defined(values, absent);
}

double roc_auc(std::span<const float> truth, std::span<const float> scores) {
  return list_areas(truth, scores).roc_auc;
}

std::vector<double> roc_auc_per_class(const ScoreView& view) {
  std::vector<double> values;
  for (const RankAreas& areas : class_areas(view)) values.push_back(areas.roc_auc);
  return values;
}

double macro_roc_auc(const ScoreView& view) { return mean_defined(roc_auc_per_class(view)); }

double micro_roc_auc(const ScoreView& view) { return roc_auc(view.truth, view.scores); }

void rank_clip(std::span<const float> truth, std::span<const float> scores, ClipRanking& ranking) {
  ranking.tags.clear();
  ranking.precisions.clear();
  for (std::size_t tag = 0; tag < truth.size(); ++tag) {
    if (is_positive_truth(truth[tag])) ranking.tags.push_back(static_cast<std::uint32_t>(tag));
  }
  if (ranking.tags.empty()) return;
  thread_local std::vector<float> all;  // scores of the known tags, falling
  thread_local std::vector<float> hits;
  all.clear();
  hits.clear();
  for (std::size_t tag = 0; tag < truth.size(); ++tag) {
    if (is_known_truth(truth[tag])) all.push_back(scores[tag]);
  }
  for (const std::uint32_t tag : ranking.tags) hits.push_back(scores[tag]);
  std::sort(all.begin(), all.end(), std::greater<>());
  std::sort(hits.begin(), hits.end(), std::greater<>());
  const auto at_least = [](const std::vector<float>& falling, float score) {
    return static_cast<double>(std::upper_bound(falling.begin(), falling.end(), score, std::greater<>()) -
                               falling.begin());
  };
  for (const std::uint32_t tag : ranking.tags) {
    ranking.precisions.push_back(at_least(hits, scores[tag]) / at_least(all, scores[tag]));
  }
}

Lwlrap lwlrap(const ScoreView& view) {
  Lwlrap result{0, std::vector<double>(view.n_tags, 0.0), std::vector<double>(view.n_tags, 0.0)};
  double total = 0;
  double labels = 0;
  ClipRanking ranking;
  for (std::size_t clip = 0; clip < view.n_clips(); ++clip) {
    const std::size_t at = clip * view.n_tags;
    rank_clip(view.truth.subspan(at, view.n_tags), view.scores.subspan(at, view.n_tags), ranking);
    for (std::size_t i = 0; i < ranking.tags.size(); ++i) {
      result.per_class[ranking.tags[i]] += ranking.precisions[i];
      result.weight[ranking.tags[i]] += 1;
      total += ranking.precisions[i];
      labels += 1;
    }
  }
  result.value = labels > 0 ? total / labels : kUndefined;
  for (std::size_t tag = 0; tag < view.n_tags; ++tag) {
    if (result.weight[tag] > 0) result.per_class[tag] /= result.weight[tag];
    if (labels > 0) result.weight[tag] /= labels;
  }
  return result;
}

double DecisionCounts::precision() const noexcept {
  return ratio(true_positives, true_positives + false_positives);
}

double DecisionCounts::recall() const noexcept {
  return ratio(true_positives, true_positives + false_negatives);
}

double DecisionCounts::f1() const noexcept {
  const std::int64_t whole = 2 * true_positives + false_positives + false_negatives;
  return whole == 0 ? 0.0 : ratio(2 * true_positives, whole);
}

double DecisionCounts::error_rate() const noexcept {
  return ratio(false_positives + false_negatives, true_positives + false_negatives);
}

std::vector<DecisionCounts> decisions_per_class(const ScoreView& view, double threshold) {
  std::vector<DecisionCounts> counts(view.n_tags);
  for (std::size_t i = 0; i < view.scores.size(); ++i) {
    if (!is_known_truth(view.truth[i])) continue;
    DecisionCounts& of_class = counts[i % view.n_tags];
    const bool positive = is_positive_truth(view.truth[i]);
    const bool decided = static_cast<double>(view.scores[i]) > threshold;
    ++(decided ? (positive ? of_class.true_positives : of_class.false_positives)
               : (positive ? of_class.false_negatives : of_class.true_negatives));
  }
  return counts;
}

DecisionCounts sum_of(std::span<const DecisionCounts> per_class) {
  DecisionCounts total;
  for (const DecisionCounts& of_class : per_class) {
    total.true_positives += of_class.true_positives;
    total.false_positives += of_class.false_positives;
    total.false_negatives += of_class.false_negatives;
    total.true_negatives += of_class.true_negatives;
  }
  return total;
}

DecisionCounts decisions(const ScoreView& view, double threshold) {
  return sum_of(decisions_per_class(view, threshold));
}

double macro_f1(const ScoreView& view, double threshold) {
  std::vector<double> values;
  for (const DecisionCounts& of_class : decisions_per_class(view, threshold)) values.push_back(of_class.f1());
  return mean_defined(values);
}

std::vector<std::size_t> top_k(std::span<const float> scores, std::size_t k) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  k = std::min(k, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
      [&](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(k);
  return order;
}

std::vector<int> labels_of(const ScoreView& view) {
  std::vector<int> labels(view.n_clips(), kNoLabel);
  for (std::size_t i = 0; i < view.truth.size(); ++i) {
    if (!is_positive_truth(view.truth[i])) continue;
    int& label = labels[i / view.n_tags];
    if (label != kNoLabel) {
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("clip {} has several tags in a single-label task", i / view.n_tags));
    }
    label = static_cast<int>(i % view.n_tags);
  }
  return labels;
}

double map_at_k(std::span<const int> labels, std::span<const float> scores, std::size_t n_tags,
                std::size_t k) {
  return mean_over_labelled(labels, scores, n_tags, k,
                            [](std::size_t place) { return 1.0 / static_cast<double>(place); });
}

double top_k_accuracy(std::span<const int> labels, std::span<const float> scores, std::size_t n_tags,
                      std::size_t k) {
  return mean_over_labelled(labels, scores, n_tags, k, [](std::size_t) { return 1.0; });
}

ConfusionMatrix::ConfusionMatrix(std::span<const int> labels, std::span<const float> scores,
                                 std::size_t n_tags)
    : ConfusionMatrix(n_tags) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != kNoLabel)
      add(static_cast<std::size_t>(labels[i]), best(scores.subspan(i * n_tags, n_tags)));
  }
}

std::vector<DecisionCounts> ConfusionMatrix::per_class() const {
  std::vector<DecisionCounts> counts(n_tags_);
  const std::int64_t total = std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
  for (std::size_t truth = 0; truth < n_tags_; ++truth) {
    for (std::size_t predicted = 0; predicted < n_tags_; ++predicted) {
      const std::int64_t count = counts_[truth * n_tags_ + predicted];
      if (truth == predicted) {
        counts[truth].true_positives += count;
      } else {
        counts[truth].false_negatives += count;
        counts[predicted].false_positives += count;
      }
    }
  }
  for (DecisionCounts& c : counts) {
    c.true_negatives = total - c.true_positives - c.false_negatives - c.false_positives;
  }
  return counts;
}

double ConfusionMatrix::accuracy() const {
  std::int64_t right = 0;
  for (std::size_t tag = 0; tag < n_tags_; ++tag) right += counts_[tag * n_tags_ + tag];
  return ratio(right, std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}));
}

double ConfusionMatrix::balanced_accuracy() const {
  std::vector<double> recalls;
  for (const DecisionCounts& of_class : per_class()) recalls.push_back(of_class.recall());
  return mean_defined(recalls);
}

double ConfusionMatrix::macro_f1() const {
  std::vector<double> values;
  for (const DecisionCounts& of_class : per_class()) {
    if (of_class.true_positives + of_class.false_negatives > 0) values.push_back(of_class.f1());
  }
  return mean_defined(values);
}

OpenSetScore open_set_score(std::span<const DecisionCounts> per_class, std::size_t unknown_tag,
                            double known_weight) {
  std::vector<double> known;
  for (std::size_t tag = 0; tag < per_class.size(); ++tag) {
    if (tag != unknown_tag) known.push_back(per_class[tag].recall());
  }
  OpenSetScore result;
  result.known = mean_defined(known);
  result.unknown = per_class[unknown_tag].recall();
  result.score = known_weight * result.known + (1.0 - known_weight) * result.unknown;
  return result;
}

}  // namespace earmark
