#include "eval/level_counts.h"

#include <algorithm>

namespace earmark {
namespace {

constexpr float kLowestThreshold = 0.01f;
constexpr float kHighestThreshold = 1.0f;

double share_of(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / std::max(static_cast<double>(whole), 0.5);
}

std::vector<std::size_t> columns_of(const CategoryTags& tags) {
  std::vector<std::size_t> columns = tags.complete;
  if (tags.other) columns.push_back(*tags.other);
  return columns;
}

}  // namespace

double LevelCounts::precision() const noexcept {
  return share_of(true_positives, true_positives + false_positives);
}

double LevelCounts::recall() const noexcept {
  return share_of(true_positives, true_positives + false_negatives);
}

double LevelCounts::f1() const noexcept {
  const double p = precision(), r = recall();
  return p == 0 || r == 0 ? 0.0 : 2.0 / (1.0 / p + 1.0 / r);
}

LevelCounts& LevelCounts::operator+=(const LevelCounts& other) noexcept {
  true_positives += other.true_positives;
  false_positives += other.false_positives;
  false_negatives += other.false_negatives;
  return *this;
}

LevelCounts& LevelCounts::operator-=(const LevelCounts& other) noexcept {
  true_positives -= other.true_positives;
  false_positives -= other.false_positives;
  false_negatives -= other.false_negatives;
  return *this;
}

/// One clip's part in a category.
struct CategoryCounts::Clip {
  std::uint32_t index = 0;
  std::vector<bool> truth;    ///< [n complete]
  std::vector<float> scores;  ///< [n complete]
  bool other = false;
  float other_score = 0;

  Clip(const ScoreView& view, std::size_t clip, const CategoryTags& tags)
      : index(static_cast<std::uint32_t>(clip)) {
    const std::size_t row = clip * view.n_tags;
    for (const std::size_t column : tags.complete) {
      truth.push_back(is_positive_truth(view.truth[row + column]));
      scores.push_back(view.scores[row + column]);
    }
    if (tags.other) {
      other = is_positive_truth(view.truth[row + *tags.other]);
      other_score = view.scores[row + *tags.other];
    }
  }

  // The challenge's rules. An annotator's "other" is matched by any prediction of the category that matches
  // no tag of its own, and makes wrong tags forgivable: what was heard could not be told, so they may be
  // right.
  LevelCounts counts(float threshold) const {
    std::int64_t hits = 0, wrong = 0, missed = 0;
    std::size_t predicted = 0;
    bool any_truth = false;
    for (std::size_t k = 0; k < truth.size(); ++k) {
      const bool says_yes = scores[k] >= threshold;
      any_truth = any_truth || truth[k];
      predicted += says_yes ? 1 : 0;
      hits += truth[k] && says_yes ? 1 : 0;
      wrong += !truth[k] && says_yes ? 1 : 0;
      missed += truth[k] && !says_yes ? 1 : 0;
    }
    const bool says_other = other_score >= threshold;
    const bool says_any = predicted > 0 || says_other;
    LevelCounts counts{hits, other ? 0 : wrong, missed};
    if (other && says_any && hits == 0) ++counts.true_positives;
    if (!other && !any_truth && says_other && predicted < truth.size()) ++counts.false_positives;
    if (other && !any_truth && !says_any) ++counts.false_negatives;
    return counts;
  }
};

CategoryCounts::CategoryCounts(const ScoreView& view, const CategoryTags& tags) {
  std::vector<Clip> clips;
  const std::vector<std::size_t> columns = columns_of(tags);
  for (std::size_t clip = 0; clip < view.n_clips(); ++clip) {
    const bool known = std::all_of(columns.begin(), columns.end(), [&](std::size_t column) {
      return is_known_truth(view.truth[clip * view.n_tags + column]);
    });
    if (known) clips.emplace_back(view, clip, tags);
  }
  known_ = std::ssize(clips);
  for (const Clip& clip : clips) known_clips_.push_back(clip.index);

  thresholds_.push_back(kHighestThreshold);
  for (const Clip& clip : clips) {
    for (const float score : clip.scores) {
      if (score >= kLowestThreshold) thresholds_.push_back(score);
    }
  }
  std::sort(thresholds_.begin(), thresholds_.end(), std::greater<>());
  thresholds_.erase(std::unique(thresholds_.begin(), thresholds_.end()), thresholds_.end());

  std::vector<std::vector<Step>> steps_of_row(thresholds_.size());
  for (const Clip& clip : clips) add_steps(clip, steps_of_row);
  for (const std::vector<Step>& steps : steps_of_row) {
    steps_.insert(steps_.end(), steps.begin(), steps.end());
    ends_.push_back(steps_.size());
  }
}

std::int64_t CategoryCounts::known_under(ClipWeights weights) const {
  std::int64_t sum = 0;
  for (const std::uint32_t clip : known_clips_) sum += weights[clip];
  return sum;
}

void CategoryCounts::add_steps(const Clip& clip, std::vector<std::vector<Step>>& steps_of_row) {
  LevelCounts before;
  for (const bool yes : clip.truth) before.false_negatives += yes ? 1 : 0;
  if (before.false_negatives == 0 && clip.other) before.false_negatives = 1;
  if (before.false_negatives > 0) {
    positives_.push_back({clip.index, static_cast<std::uint32_t>(before.false_negatives)});
    ++support_;
  }
  std::vector<float> levels = clip.scores;
  levels.push_back(clip.other_score);
  std::sort(levels.begin(), levels.end(), std::greater<>());
  std::size_t last_row = thresholds_.size();
  for (const float level : levels) {
    // The first threshold that this score reaches; a score below all of them is never a prediction.
    const auto found = std::lower_bound(thresholds_.begin(), thresholds_.end(), level, std::greater<>());
    const auto row = static_cast<std::size_t>(found - thresholds_.begin());
    if (row == thresholds_.size() || row == last_row) continue;
    last_row = row;
    const LevelCounts counts = clip.counts(thresholds_[row]);
    LevelCounts change = counts;
    change -= before;
    before = counts;
    const bool is_threshold = std::find(clip.scores.begin(), clip.scores.end(), *found) != clip.scores.end();
    steps_of_row[row].push_back({clip.index, static_cast<std::int16_t>(change.true_positives),
                                 static_cast<std::int16_t>(change.false_positives),
                                 static_cast<std::int16_t>(change.false_negatives), is_threshold});
  }
}

bool CategoryCounts::any_positive(ClipWeights weights) const {
  return std::any_of(positives_.begin(), positives_.end(),
                     [&](const Positive& positive) { return weights[positive.clip] > 0; });
}

}  // namespace earmark
