// evaluate.h: scores beside the truth -> every metric, a table by class, confidence intervals. One call
// for validation during training, for cross-validation and for `earmark evaluate`.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/value.h"
#include "earmark/options.h"
#include "eval/bootstrap.h"
#include "eval/curve_area.h"

namespace earmark {

/// Scores beside the truth. Clip-major: entry [i, c] stands at i * n_tags + c. Thread-safety: a plain value.
struct LabeledScores {
  std::vector<std::string> tags;      ///< [n_tags]
  std::vector<std::string> clip_ids;  ///< [n_clips], each once
  std::vector<std::string>
      groups;                ///< [n_clips] or empty: what the bootstrap draws together (a sensor, a city)
  std::vector<float> truth;  ///< [n_clips, n_tags] 1 yes, 0 no, soft between (yes from 0.5), negative unknown
  std::vector<float> scores;  ///< [n_clips, n_tags] higher means likelier; infinities are allowed, NaN is not
  bool single_label = false;  ///< each clip has exactly one tag: accuracy, confusion, MAP@k are defined
  /// 0: scores. Otherwise they stand for decisions: so many tags of a clip at most, best first, score above
  /// 0, and nothing is known of the others. What needs the scores of all tags is undefined then.
  int n_ranked = 0;

  std::size_t n_tags() const noexcept { return tags.size(); }
  std::size_t n_clips() const noexcept { return clip_ids.size(); }
};

template <>
struct EnumNames<TieOrder> {
  static constexpr std::array kNames{std::pair<TieOrder, std::string_view>{TieOrder::kStable, "stable"},
                                     std::pair<TieOrder, std::string_view>{TieOrder::kOfficial, "official"}};
};

struct EvaluateOptions {
  double threshold = 0.5;       ///< multi-label decision: score > threshold
  int map_k = 3;                ///< k of MAP@k and top-k accuracy
  std::string unknown_tag;      ///< open-set recognition: the tag of "none of the others"; empty: closed set
  int bootstrap_resamples = 0;  ///< 0: no confidence intervals
  std::uint64_t seed = 0;       ///< of the bootstrap
  double confidence = 0.95;     ///< of the intervals
  TieOrder tie_order = TieOrder::kStable;  ///< of the two-level metrics of SONYC-UST
  int threads = 1;                         ///< resamples side by side; no figure depends on it

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("threshold", self.threshold, kAny, "a tag is decided where its score is above this");
    visit("map_k", self.map_k, Range{1, 1000}, "k of MAP@k and of top-k accuracy");
    visit("unknown_tag", self.unknown_tag, kAny,
          "tag that stands for everything unknown (open set); empty: none");
    visit("bootstrap_resamples", self.bootstrap_resamples, Range{0, 1e6},
          "resamples behind the intervals; 0: none");
    visit("seed", self.seed, kAny, "seed of the bootstrap");
    visit("confidence", self.confidence, Range{0, 1, true, true}, "share of resamples inside an interval");
    visit("tie_order", self.tie_order, kAny, "SONYC-UST: how points of equal recall are ordered");
    visit("threads", self.threads, Range{0, 1024}, "resamples side by side; 0: all cores");
  }
};

/// One figure; a NaN value is undefined (null in JSON).
struct Metric {
  std::string name;
  double value = 0;
  std::optional<Interval> interval;  ///< when the bootstrap ran and the metric is defined
};

/// One row of the table by class; a NaN value is undefined (null in JSON).
struct ClassResult {
  std::string tag;
  std::int64_t support = 0;      ///< clips that have the tag
  std::int64_t known = 0;        ///< clips whose truth is known for the tag
  std::int64_t predicted = 0;    ///< known clips decided to have the tag
  double average_precision = 0;  ///< NaN without a positive clip
  double roc_auc = 0;            ///< NaN unless there are positive and negative clips
  double lwlrap = 0;             ///< 0 without a positive clip
  double lwlrap_weight = 0;      ///< share of all labels; the weights sum to 1
  double precision = 0;          ///< NaN when never predicted
  double recall = 0;             ///< NaN without a positive clip
  double f1 = 0;                 ///< 0 when neither predicted nor present
};

/// Thread-safety: a plain value.
///
/// Always: `lwlrap macro_ap macro_ap_all_classes micro_ap samples_ap roc_auc micro_roc_auc`.
/// Multi-label, at the threshold: `micro_f1 macro_f1 micro_precision micro_recall error_rate`.
/// Single-label, the highest score decides: `accuracy balanced_accuracy map_at_K top_K_accuracy macro_f1`,
/// and with an unknown tag `open_set_score known_accuracy unknown_accuracy`.
struct Evaluation {
  std::int64_t n_clips = 0;
  bool single_label = false;
  double confidence = 0;                ///< of the intervals; 0 without a bootstrap
  std::int64_t n_units = 0;             ///< what the bootstrap drew: clips, or groups of clips
  std::vector<Metric> metrics;          ///< headline figures first
  std::vector<ClassResult> per_class;   ///< [n_tags] in the order of the tags
  std::vector<std::int64_t> confusion;  ///< [n_tags, n_tags] rows true, columns predicted; single-label only

  /// The metric of that name, or nullptr.
  const Metric* find(std::string_view name) const noexcept;
  /// Its value, NaN when undefined. @throws Error(kInvalidOption) naming the metrics there are.
  double value(std::string_view name) const;
};

/// @throws Error(kInvalidOption) listing every wrong size, option out of range, NaN score or truth (by clip
/// and tag, the first twenty), repeated clip, and single-label clip with several tags.
Evaluation evaluate(const LabeledScores& data, const EvaluateOptions& options = {});

/// {"n_clips", "metrics": {name: number or null, "confusion": [[...]]}, "intervals": {name: [low, high]},
/// "confidence", "n_units", "per_class": {tag: {...}}}; the intervals and the confidence only after a
/// bootstrap.
Value to_value(const Evaluation& evaluation);

}  // namespace earmark
