#include "eval/relabel.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "earmark/error.h"
#include "eval/tag_column.h"

namespace earmark {
namespace {

void check_sizes(const LabeledScores& labeled, const std::vector<bool>& answered) {
  const std::size_t n = labeled.n_clips() * labeled.n_tags();
  if (labeled.truth.size() != n || labeled.scores.size() != n || answered.size() != labeled.n_tags()) {
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format("relabelling {} clips of {} tags: got {} labels, {} scores, {} tags to answer for",
                    labeled.n_clips(), labeled.n_tags(), labeled.truth.size(), labeled.scores.size(),
                    answered.size()));
  }
}

// A score that becomes a label is to be one.
void check_soft(const LabeledScores& labeled, const std::vector<bool>& answered) {
  for (std::size_t i = 0; i < labeled.scores.size(); ++i) {
    const float score = labeled.scores[i];
    const std::size_t n_tags = labeled.n_tags();
    if (!answered[i % n_tags] || (score >= 0.0f && score <= 1.0f)) continue;
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("scores: soft labels must be 0..1, '{}' of {} has {}", labeled.tags[i % n_tags],
                            labeled.clip_ids[i / n_tags], score));
  }
}

bool is_yes(float target) { return target >= 0.5f; }

void count_changes(const LabeledScores& labeled, bool keep_if_empty, Relabelled& result) {
  const std::size_t n_tags = labeled.n_tags();
  result.n_set.assign(n_tags, 0);
  result.n_removed.assign(n_tags, 0);
  result.keeps_old.assign(labeled.n_clips(), false);
  for (std::size_t i = 0; i < labeled.n_clips(); ++i) {
    const auto made = result.targets.begin() + static_cast<std::ptrdiff_t>(i * n_tags);
    const auto old = labeled.truth.begin() + static_cast<std::ptrdiff_t>(i * n_tags);
    if (std::none_of(made, made + static_cast<std::ptrdiff_t>(n_tags), is_yes)) {
      ++result.n_empty;
      result.keeps_old[i] = keep_if_empty;
      if (keep_if_empty) std::copy_n(old, n_tags, made);
    }
    for (std::size_t tag = 0; tag < n_tags; ++tag) {
      const auto at = static_cast<std::ptrdiff_t>(tag);
      if (is_yes(made[at]) && !is_yes(old[at])) ++result.n_set[tag];
      if (is_yes(old[at]) && !is_yes(made[at])) ++result.n_removed[tag];
    }
  }
}

}  // namespace

double least_errors_threshold(const std::vector<float>& truth, const std::vector<float>& scores) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] >= 0.0f) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  // Above every score nothing is labelled: every positive is a miss.
  auto errors = std::count_if(order.begin(), order.end(), [&](std::size_t i) { return is_yes(truth[i]); });
  auto fewest = errors;
  double best = 1.0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    errors += is_yes(truth[order[k]]) ? -1 : 1;
    const float score = scores[order[k]];
    const bool last = k + 1 == order.size();
    if ((!last && scores[order[k + 1]] == score) || errors >= fewest) continue;
    fewest = errors;
    const double below =
        last ? std::min(0.0, static_cast<double>(score) - 1.0) : static_cast<double>(scores[order[k + 1]]);
    best = (static_cast<double>(score) + below) / 2.0;
  }
  return best;
}

Relabelled relabel(const LabeledScores& labeled, const std::vector<bool>& answered,
                   const RelabelOptions& options, bool keep_if_empty) {
  check_sizes(labeled, answered);
  if (options.rule == RelabelRule::kSoft) check_soft(labeled, answered);
  const std::size_t n_tags = labeled.n_tags();
  Relabelled result;
  result.targets = labeled.truth;
  result.thresholds.assign(n_tags, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t tag = 0; tag < n_tags; ++tag) {
    if (!answered[tag]) continue;
    const TagColumn column = tag_column(labeled, tag);
    if (options.rule == RelabelRule::kThreshold) result.thresholds[tag] = options.threshold;
    if (options.rule == RelabelRule::kErrorRate)
      result.thresholds[tag] = least_errors_threshold(column.truth, column.scores);
    for (std::size_t i = 0; i < labeled.n_clips(); ++i) {
      result.targets[i * n_tags + tag] =
          options.rule == RelabelRule::kSoft
              ? column.scores[i]
              : (static_cast<double>(column.scores[i]) > result.thresholds[tag] ? 1.0f : 0.0f);
    }
  }
  count_changes(labeled, keep_if_empty, result);
  return result;
}

}  // namespace earmark
