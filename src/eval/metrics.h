// metrics.h: the figures tasks are judged by, as pure functions in double. Golden: metrics/.
//
// Truth: 1 yes, 0 no, soft values between count as yes from 0.5, negative is unknown and left out of every
// figure: the entry of a list, the place in a clip's ranking, the count at a threshold. Scores must not be
// NaN (evaluate() checks; here it is the caller's promise). NaN as a result means undefined.
//
// These are the plain definitions. evaluate() takes most of its figures from clip_statistics.h, which
// prepares them once for all resamples of the bootstrap; tests hold it to the functions here.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace earmark {

/// Scores beside the truth, both row-major [n_clips, n_tags]. A view: the arrays must outlive it.
/// @throws Error(kInvalidOption) at construction when the sizes do not fit.
struct ScoreView {
  ScoreView(std::span<const float> truth, std::span<const float> scores, std::size_t n_tags);
  std::span<const float> truth;
  std::span<const float> scores;
  std::size_t n_tags;
  std::size_t n_clips() const noexcept { return scores.size() / n_tags; }
};

constexpr bool is_known_truth(float truth) noexcept { return truth >= 0.0f; }
constexpr bool is_positive_truth(float truth) noexcept { return truth >= 0.5f; }

/// What a class (or clip) without any positive does to a mean.
enum class Absent {
  kSkip,         ///< it is left out
  kCountAsZero,  ///< it counts as 0, as scikit-learn has it
};

/// Mean of the defined values; NaN when there is none (with kCountAsZero: when there are no values at all).
double mean_defined(std::span<const double> values, Absent absent = Absent::kSkip);

/// Area under the stepwise precision-recall curve (scikit-learn's definition; equal scores are one
/// threshold).
/// @return NaN without positives.
double average_precision(std::span<const float> truth, std::span<const float> scores);
/// @return [n_tags], NaN for classes without positives.
std::vector<double> average_precision_per_class(const ScoreView& view);
double macro_average_precision(const ScoreView& view, Absent absent = Absent::kSkip);
/// All known entries as one list.
double micro_average_precision(const ScoreView& view);
/// Mean over clips of the average precision of the clip's own ranking.
double samples_average_precision(const ScoreView& view, Absent absent = Absent::kSkip);

/// Chance that a positive outscores a negative, ties counting half. @return NaN unless there are both.
double roc_auc(std::span<const float> truth, std::span<const float> scores);
std::vector<double> roc_auc_per_class(const ScoreView& view);
double macro_roc_auc(const ScoreView& view);  ///< over the classes where it is defined
double micro_roc_auc(const ScoreView& view);

/// Label-weighted label-ranking average precision. The rank of a class is the number of the clip's known
/// classes that score at least as high.
struct Lwlrap {
  double value = 0;               ///< sum of per_class * weight; NaN without any label
  std::vector<double> per_class;  ///< [n_tags] mean precision at the class's labels; 0 for absent classes
  std::vector<double> weight;     ///< [n_tags] share of the labels; sums to 1
};
Lwlrap lwlrap(const ScoreView& view);

/// Precision at each label of one clip, in the order of its positive tags.
struct ClipRanking {
  std::vector<std::uint32_t> tags;
  std::vector<double> precisions;
};
/// Reuses the memory of `ranking`. @param truth, scores [n_tags].
void rank_clip(std::span<const float> truth, std::span<const float> scores, ClipRanking& ranking);

/// Decisions counted against the truth.
struct DecisionCounts {
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
  std::int64_t false_negatives = 0;
  std::int64_t true_negatives = 0;

  double precision() const noexcept;  ///< NaN when nothing was predicted
  double recall() const noexcept;     ///< NaN without positives
  double f1() const noexcept;         ///< 0 when neither predicted nor present, as scikit-learn has it
  double error_rate()
      const noexcept;  ///< (false positives + false negatives) / positives; NaN without positives
};
/// Decision: score > threshold. @return [n_tags].
std::vector<DecisionCounts> decisions_per_class(const ScoreView& view, double threshold);
DecisionCounts decisions(const ScoreView& view, double threshold);
DecisionCounts sum_of(std::span<const DecisionCounts> per_class);
/// Mean over all classes of their f1().
double macro_f1(const ScoreView& view, double threshold);

/// The k best classes, best first; equal scores keep ascending class index. Fewer when there are fewer
/// classes.
std::vector<std::size_t> top_k(std::span<const float> scores, std::size_t k);

/// A clip whose class nobody has said.
inline constexpr int kNoLabel = -1;
/// The one positive class of each clip, kNoLabel where none is. @throws Error(kInvalidOption) when a clip has
/// several.
std::vector<int> labels_of(const ScoreView& view);

/// Mean over labelled clips of 1 / place of the label among the k best, 0 when it is not among them.
/// @param labels [n_clips]. @param scores [n_clips, n_tags].
double map_at_k(std::span<const int> labels, std::span<const float> scores, std::size_t n_tags,
                std::size_t k);
/// Share of labelled clips whose label is among the k best.
double top_k_accuracy(std::span<const int> labels, std::span<const float> scores, std::size_t n_tags,
                      std::size_t k);

/// Counts of (true, predicted) pairs. Thread-safety: a plain value.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::size_t n_tags) : n_tags_(n_tags), counts_(n_tags * n_tags, 0) {}
  /// The highest score decides, the lowest index among equals. Clips without a label are left out.
  ConfusionMatrix(std::span<const int> labels, std::span<const float> scores, std::size_t n_tags);

  void add(std::size_t truth, std::size_t predicted, std::int64_t count = 1) {
    counts_[truth * n_tags_ + predicted] += count;
  }

  std::size_t n_tags() const noexcept { return n_tags_; }
  const std::vector<std::int64_t>& counts() const noexcept {
    return counts_;
  }  ///< rows true, columns predicted
  std::vector<DecisionCounts> per_class() const;
  double accuracy() const;           ///< NaN without clips
  double balanced_accuracy() const;  ///< mean of the defined recalls
  double macro_f1() const;           ///< over the classes that have clips

 private:
  std::size_t n_tags_;
  std::vector<std::int64_t> counts_;
};

/// DCASE 2019 task 1C.
struct OpenSetScore {
  double known = 0;    ///< mean of the defined recalls of the known classes
  double unknown = 0;  ///< recall of the unknown class
  double score = 0;    ///< known_weight * known + (1 - known_weight) * unknown
};
/// @param per_class of a confusion. @param unknown_tag index below per_class.size().
OpenSetScore open_set_score(std::span<const DecisionCounts> per_class, std::size_t unknown_tag,
                            double known_weight = 0.5);

}  // namespace earmark
