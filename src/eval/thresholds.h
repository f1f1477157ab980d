// thresholds.h: from which score a tag counts as present, chosen on clips whose truth is known. Decisions
// here are those of tagging: score >= threshold. (Tasks' official figures decide by score > threshold; a
// threshold between two scores makes no difference.) Truth as in metrics.h.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "earmark/options.h"
#include "eval/metrics.h"

namespace earmark {

enum class ThresholdRule { kKeep, kBestF1, kPrecision };
template <>
struct EnumNames<ThresholdRule> {
  static constexpr std::array kNames{std::pair{ThresholdRule::kKeep, std::string_view("keep")},
                                     std::pair{ThresholdRule::kBestF1, std::string_view("best_f1")},
                                     std::pair{ThresholdRule::kPrecision, std::string_view("precision")}};
};

struct ThresholdOptions {
  ThresholdRule rule = ThresholdRule::kBestF1;
  double precision = 0.9;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit(
        "rule", self.rule, kAny,
        "best_f1: where a tag's F1 is highest; precision: the lowest from which enough of the decisions are "
        "right; keep: decisions stay what they were");
    visit("precision", self.precision, Range{0, 1, true, false},
          "share that is enough, of the rule precision");
  }
};

/// Thread-safety: a plain value.
struct ThresholdChoice {
  std::optional<double> threshold;  ///< unset: the old one should stay
  std::string reason;               ///< why it should
};

/// Candidates are the places between neighbouring distinct scores, so that clips of equal score are decided
/// alike; the one below all scores included, the one above them not. The threshold lies half-way between the
/// smallest score that passes and the next smaller one (or 0). best_f1: the highest F1, of equal ones the
/// highest threshold. precision: of the candidates whose precision is at least options.precision the lowest,
/// which finds most. A tag that no clip has, or every clip, has no choice.
/// @param truth, scores [n_clips] of one tag, scores 0..1. keep has no choice.
ThresholdChoice choose_threshold(std::span<const float> truth, std::span<const float> scores,
                                 const ThresholdOptions& options);

/// Decision: score >= threshold. Unknown truth does not count.
DecisionCounts decisions_from(std::span<const float> truth, std::span<const float> scores, double threshold);

}  // namespace earmark
