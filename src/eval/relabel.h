// relabel.h: new labels from the scores of trained networks (Multitel, DCASE 2020 Task 5: a fixed threshold;
// UPB, DCASE 2019 Task 2, section 5: a threshold a tag, where old labels and new ones disagree least).
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "earmark/options.h"
#include "eval/evaluate.h"

namespace earmark {

enum class RelabelRule { kThreshold, kErrorRate, kSoft };
template <>
struct EnumNames<RelabelRule> {
  static constexpr std::array kNames{std::pair{RelabelRule::kThreshold, std::string_view("threshold")},
                                     std::pair{RelabelRule::kErrorRate, std::string_view("error_rate")},
                                     std::pair{RelabelRule::kSoft, std::string_view("soft")}};
};

struct RelabelOptions {
  RelabelRule rule = RelabelRule::kThreshold;
  double threshold = 0.7;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("rule", self.rule, kAny,
          "threshold: yes above one threshold; error_rate: yes above the threshold, one a tag, at which new "
          "labels "
          "differ least from the old ones; soft: the score itself");
    visit("threshold", self.threshold, kProbability, "of the rule threshold");
  }
};

/// Thread-safety: a plain value.
struct Relabelled {
  std::vector<float> targets;      ///< [n_clips, n_tags]
  std::vector<double> thresholds;  ///< [n_tags] yes above it; NaN: the tag kept its labels, or has soft ones
  std::vector<std::size_t> n_set;  ///< [n_tags] clips that got the tag (to 0.5 and above)
  std::vector<std::size_t> n_removed;  ///< [n_tags] clips that lost it
  std::size_t n_empty = 0;             ///< clips that are left without any tag
  std::vector<bool> keeps_old;         ///< [n_clips] such a clip, where it is to keep its labels
};

/// @param labeled old labels as truth, and scores. @param answered [n_tags] whether scores speak for a tag;
/// the others
///   keep their labels. @param keep_if_empty a clip that would be left without any tag keeps its labels, and
///   counts in none of the tags' changes.
/// @throws Error(kInvalidOption) when the sizes do not fit.
Relabelled relabel(const LabeledScores& labeled, const std::vector<bool>& answered,
                   const RelabelOptions& options, bool keep_if_empty = false);

/// The threshold at which misses and false alarms are fewest; between two scores, half-way. Of thresholds
/// with as few errors the highest, which labels least. Unknown truth does not count. 1 when there is nothing
/// to go by.
/// @param truth, scores [n] each.
double least_errors_threshold(const std::vector<float>& truth, const std::vector<float>& scores);

}  // namespace earmark
