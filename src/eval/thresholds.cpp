#include "eval/thresholds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace earmark {
namespace {

struct Clip {
  float score;
  bool positive;
};

// Known clips, highest score first.
std::vector<Clip> ranked(std::span<const float> truth, std::span<const float> scores) {
  std::vector<Clip> clips;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (is_known_truth(truth[i])) clips.push_back({scores[i], is_positive_truth(truth[i])});
  }
  std::sort(clips.begin(), clips.end(), [](const Clip& a, const Clip& b) { return a.score > b.score; });
  return clips;
}

double half_way(float passes, float next) {
  return (static_cast<double>(passes) + static_cast<double>(next)) / 2.0;
}

}  // namespace

DecisionCounts decisions_from(std::span<const float> truth, std::span<const float> scores, double threshold) {
  DecisionCounts counts;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (!is_known_truth(truth[i])) continue;
    const bool said = static_cast<double>(scores[i]) >= threshold;
    ++(is_positive_truth(truth[i]) ? (said ? counts.true_positives : counts.false_negatives)
                                   : (said ? counts.false_positives : counts.true_negatives));
  }
  return counts;
}

ThresholdChoice choose_threshold(std::span<const float> truth, std::span<const float> scores,
                                 const ThresholdOptions& options) {
  if (options.rule == ThresholdRule::kKeep) return {std::nullopt, "thresholds: keep"};
  const std::vector<Clip> clips = ranked(truth, scores);
  const auto n_positive = std::count_if(clips.begin(), clips.end(), [](const Clip& c) { return c.positive; });
  if (n_positive == 0) return {std::nullopt, "no clip has it"};
  if (static_cast<std::size_t>(n_positive) == clips.size()) return {std::nullopt, "every clip has it"};
  ThresholdChoice chosen;
  double best_f1 = 0.0, best_precision = 0.0;
  DecisionCounts counts{0, 0, n_positive, static_cast<std::int64_t>(clips.size()) - n_positive};
  for (std::size_t i = 0; i < clips.size(); ++i) {
    ++(clips[i].positive ? counts.true_positives : counts.false_positives);
    --(clips[i].positive ? counts.false_negatives : counts.true_negatives);
    const bool last = i + 1 == clips.size();
    if (!last && clips[i + 1].score == clips[i].score) continue;  // not between distinct scores
    best_precision = std::max(best_precision, counts.precision());
    // Falling thresholds: "better" keeps the highest of equal ones, "good enough" the lowest of all.
    const bool take = options.rule == ThresholdRule::kBestF1 ? counts.f1() > best_f1
                                                             : counts.precision() >= options.precision;
    if (!take) continue;
    best_f1 = counts.f1();
    chosen.threshold = half_way(clips[i].score, last ? 0.0f : clips[i + 1].score);
  }
  if (!chosen.threshold)
    chosen.reason =
        fmt::format("a precision of {:g} is not reached, at most {:.3f}", options.precision, best_precision);
  return chosen;
}

}  // namespace earmark
