#include "eval/clip_statistics.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace earmark {
namespace {

constexpr std::array<const char*, 7> kRankingMetrics{
    "lwlrap", "macro_ap", "macro_ap_all_classes", "micro_ap", "samples_ap", "roc_auc", "micro_roc_auc"};

double divide(double part, double whole) { return whole == 0 ? kUndefined : part / whole; }

double macro_f1_of(const std::vector<DecisionCounts>& per_class, bool only_present) {
  std::vector<double> values;
  for (const DecisionCounts& of_class : per_class) {
    if (!only_present || of_class.true_positives + of_class.false_negatives > 0)
      values.push_back(of_class.f1());
  }
  return mean_defined(values);
}

}  // namespace

ClipStatistics::ClipStatistics(const ScoreView& view, const Options& options)
    : options_(options), n_tags_(view.n_tags), n_clips_(view.n_clips()) {
  if (options.n_ranked == 0) {
    rank_clips(view);
    rank_lists(view);
  }
  const std::string k = std::to_string(options.map_k);
  if (options.single_label) {
    names_ = {"accuracy", "balanced_accuracy", "map_at_" + k, "top_" + k + "_accuracy", "macro_f1"};
    if (options.unknown_tag != kNoLabel) {
      names_.insert(names_.end(), {"open_set_score", "known_accuracy", "unknown_accuracy"});
    }
    decide_labels(view);
  } else {
    names_ = {"micro_f1", "macro_f1", "micro_precision", "micro_recall", "error_rate"};
    decide_tags(view);
  }
  names_.insert(options.single_label ? names_.end() : names_.begin(), kRankingMetrics.begin(),
                kRankingMetrics.end());
}

void ClipStatistics::rank_clips(const ScoreView& view) {
  ClipRanking ranking;
  for (std::size_t clip = 0; clip < n_clips_; ++clip) {
    rank_clip(view.truth.subspan(clip * n_tags_, n_tags_), view.scores.subspan(clip * n_tags_, n_tags_),
              ranking);
    precision_sums_.push_back(std::accumulate(ranking.precisions.begin(), ranking.precisions.end(), 0.0));
    label_counts_.push_back(static_cast<std::uint32_t>(ranking.precisions.size()));
  }
}

void ClipStatistics::rank_lists(const ScoreView& view) {
  RankedList::Builder all;
  all.reserve(view.scores.size());
  for (std::size_t tag = 0; tag < n_tags_; ++tag) {
    RankedList::Builder builder;
    builder.reserve(n_clips_);
    for (std::size_t clip = 0; clip < n_clips_; ++clip) {
      const std::size_t at = clip * n_tags_ + tag;
      if (!is_known_truth(view.truth[at])) continue;
      const bool positive = is_positive_truth(view.truth[at]);
      builder.add(view.scores[at], static_cast<std::uint32_t>(clip), positive);
      all.add(view.scores[at], static_cast<std::uint32_t>(clip), positive);
    }
    lists_.emplace_back(std::move(builder));
  }
  all_ = RankedList(std::move(all));
}

void ClipStatistics::decide_tags(const ScoreView& view) {
  for (std::size_t i = 0; i < view.scores.size(); ++i) {
    if (!is_known_truth(view.truth[i])) continue;
    const bool truth = is_positive_truth(view.truth[i]);
    const bool predicted = static_cast<double>(view.scores[i]) > options_.threshold;
    if (!truth && !predicted) continue;
    decisions_.push_back(
        {static_cast<std::uint32_t>(i / n_tags_), static_cast<std::uint32_t>(i % n_tags_), truth, predicted});
  }
}

void ClipStatistics::decide_labels(const ScoreView& view) {
  const std::vector<int> labels = labels_of(view);
  for (std::size_t clip = 0; clip < n_clips_; ++clip) {
    labelled_.push_back(labels[clip] != kNoLabel ? 1 : 0);
    places_.push_back(0);
    if (labels[clip] == kNoLabel) continue;
    const auto label = static_cast<std::uint32_t>(labels[clip]);
    const std::vector<std::size_t> best = top_k(view.scores.subspan(clip * n_tags_, n_tags_), options_.map_k);
    const auto found = std::find(best.begin(), best.end(), label);
    const bool is_named = options_.n_ranked == 0 || view.scores[clip * n_tags_ + label] > 0;
    if (found != best.end() && is_named)
      places_.back() = static_cast<std::uint32_t>(found - best.begin()) + 1;
    const auto predicted = static_cast<std::uint32_t>(best.front());
    const auto at = static_cast<std::uint32_t>(clip);
    decisions_.push_back({at, label, true, predicted == label});
    if (predicted != label) decisions_.push_back({at, predicted, false, true});
  }
}

std::vector<DecisionCounts> ClipStatistics::decisions_per_class(ClipWeights weights) const {
  std::vector<DecisionCounts> counts(n_tags_);
  for (const Decision& decision : decisions_) {
    DecisionCounts& of_class = counts[decision.tag];
    std::int64_t& count = !decision.truth      ? of_class.false_positives
                          : decision.predicted ? of_class.true_positives
                                               : of_class.false_negatives;
    count += weights[decision.clip];
  }
  return counts;
}

std::vector<double> ClipStatistics::compute(ClipWeights weights) const {
  std::vector<double> values;
  if (options_.single_label) {
    add_single_label(weights, values);
    add_ranking(weights, values);
  } else {
    add_ranking(weights, values);
    add_multi_label(weights, values);
  }
  return values;
}

RankAreas ClipStatistics::areas(std::size_t tag, ClipWeights weights) const {
  return options_.n_ranked > 0 ? RankAreas{kUndefined, kUndefined} : lists_[tag].areas(weights);
}

void ClipStatistics::add_ranking(ClipWeights weights, std::vector<double>& values) const {
  if (options_.n_ranked > 0) {
    values.insert(values.end(), kRankingMetrics.size(), kUndefined);
    return;
  }
  double precision_sum = 0, labels = 0, clip_means = 0, clips_with_labels = 0;
  for (std::size_t clip = 0; clip < n_clips_; ++clip) {
    if (label_counts_[clip] == 0) continue;
    precision_sum += weights[clip] * precision_sums_[clip];
    labels += static_cast<double>(weights[clip]) * label_counts_[clip];
    clip_means += weights[clip] * (precision_sums_[clip] / label_counts_[clip]);
    clips_with_labels += weights[clip];
  }
  std::vector<double> average_precisions, aucs;
  for (const RankedList& list : lists_) {
    const RankAreas areas = list.areas(weights);
    average_precisions.push_back(areas.average_precision);
    aucs.push_back(areas.roc_auc);
  }
  const RankAreas all = all_.areas(weights);
  values.insert(values.end(), {divide(precision_sum, labels), mean_defined(average_precisions),
                               mean_defined(average_precisions, Absent::kCountAsZero), all.average_precision,
                               divide(clip_means, clips_with_labels), mean_defined(aucs), all.roc_auc});
}

void ClipStatistics::add_multi_label(ClipWeights weights, std::vector<double>& values) const {
  const std::vector<DecisionCounts> per_class = decisions_per_class(weights);
  const DecisionCounts total = sum_of(per_class);
  values.insert(values.end(), {total.f1(), macro_f1_of(per_class, false), total.precision(), total.recall(),
                               total.error_rate()});
}

void ClipStatistics::add_single_label(ClipWeights weights, std::vector<double>& values) const {
  double labelled = 0, right = 0, reciprocals = 0, found = 0;
  for (std::size_t clip = 0; clip < n_clips_; ++clip) {
    if (labelled_[clip] == 0) continue;
    labelled += weights[clip];
    if (places_[clip] == 0) continue;
    if (places_[clip] == 1) right += weights[clip];
    found += weights[clip];
    reciprocals += weights[clip] / static_cast<double>(places_[clip]);
  }
  const std::vector<DecisionCounts> per_class = decisions_per_class(weights);
  std::vector<double> recalls;
  for (const DecisionCounts& of_class : per_class) recalls.push_back(of_class.recall());
  const bool k_named =
      options_.n_ranked == 0 || options_.map_k <= static_cast<std::size_t>(options_.n_ranked);
  values.insert(values.end(), {divide(right, labelled), mean_defined(recalls),
                               k_named ? divide(reciprocals, labelled) : kUndefined,
                               k_named ? divide(found, labelled) : kUndefined, macro_f1_of(per_class, true)});
  if (options_.unknown_tag == kNoLabel) return;
  const OpenSetScore open = open_set_score(per_class, static_cast<std::size_t>(options_.unknown_tag));
  values.insert(values.end(), {open.score, open.known, open.unknown});
}

}  // namespace earmark
