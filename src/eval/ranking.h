// ranking.h: one list of decisions in falling order of score, prepared once so that its average precision
// and ROC-AUC can be asked for again and again under other weights of the clips (the bootstrap does).
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "eval/bootstrap.h"

namespace earmark {

/// What a metric is where the data do not define it.
inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/// Areas under the two curves of a ranked list; NaN where undefined.
struct RankAreas {
  double average_precision =
      0;               ///< sum over thresholds of precision times the rise in recall (no interpolation)
  double roc_auc = 0;  ///< chance that a positive outscores a negative, equal scores counting one half
};

/// Immutable once built: one instance may be used from many threads at once.
class RankedList {
 public:
  /// Collects entries before they are ranked.
  class Builder {
   public:
    void reserve(std::size_t n) { keys_.reserve(n); }
    /// @param clip below 2^31. @param score not NaN.
    void add(float score, std::uint32_t clip, bool positive);

   private:
    friend class RankedList;
    std::vector<std::uint64_t> keys_;  // high half rises as the score falls; low half: positive, clip
  };

  RankedList() = default;
  explicit RankedList(Builder builder);

  /// @param weights how often each clip counts, indexed by the clips that were added.
  RankAreas areas(ClipWeights weights) const;

 private:
  /// A run of entries that ends with the positives of one score.
  struct Block {
    std::uint32_t ties;       ///< where the negatives of that score begin; before them: negatives above
    std::uint32_t positives;  ///< where its positives begin
    std::uint32_t end;
  };
  std::vector<std::uint32_t> clips_;
  std::vector<Block> blocks_;
};

}  // namespace earmark
