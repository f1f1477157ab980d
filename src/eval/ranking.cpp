#include "eval/ranking.h"

#include <algorithm>
#include <bit>

namespace earmark {
namespace {

constexpr std::uint32_t kPositiveBit = 0x80000000U;

// Unsigned integers in the order of the floats; -0 and 0 are the same score.
std::uint32_t rising_bits(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0f);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

std::uint64_t sum(const std::vector<std::uint32_t>& clips, std::size_t begin, std::size_t end,
                  ClipWeights weights) {
  std::uint64_t total = 0;
  for (std::size_t i = begin; i < end; ++i) total += weights[clips[i]];
  return total;
}

}  // namespace

void RankedList::Builder::add(float score, std::uint32_t clip, bool positive) {
  keys_.push_back(std::uint64_t{~rising_bits(score)} << 32 | (positive ? kPositiveBit : 0U) | clip);
}

RankedList::RankedList(Builder builder) {
  std::vector<std::uint64_t>& keys = builder.keys_;
  std::sort(keys.begin(), keys.end());  // within one score the negatives come first
  clips_.reserve(keys.size());
  std::uint32_t ties = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool new_score = i == 0 || keys[i] >> 32 != keys[i - 1] >> 32;
    const bool positive = (keys[i] & kPositiveBit) != 0;
    const auto at = static_cast<std::uint32_t>(i);
    if (new_score) ties = at;
    if (positive) {
      const bool joins = !new_score && (keys[i - 1] & kPositiveBit) != 0;
      if (!joins) blocks_.push_back({ties, at, at});
      blocks_.back().end = at + 1;
    }
    clips_.push_back(static_cast<std::uint32_t>(keys[i]) & ~kPositiveBit);
  }
}

RankAreas RankedList::areas(ClipWeights weights) const {
  std::uint64_t hits = 0;
  std::uint64_t false_alarms = 0;
  double precision_sum = 0;
  double pairs_lost = 0;  // pairs of a positive and a negative in which the negative scores higher
  std::size_t begin = 0;
  for (const Block& block : blocks_) {
    const std::uint64_t above = sum(clips_, begin, block.ties, weights);
    const std::uint64_t tied = sum(clips_, block.ties, block.positives, weights);
    const std::uint64_t gained = sum(clips_, block.positives, block.end, weights);
    begin = block.end;
    pairs_lost += static_cast<double>(gained) *
                  (static_cast<double>(false_alarms + above) + 0.5 * static_cast<double>(tied));
    hits += gained;
    false_alarms += above + tied;
    if (gained > 0) {
      precision_sum +=
          static_cast<double>(gained) * static_cast<double>(hits) / static_cast<double>(hits + false_alarms);
    }
  }
  false_alarms += sum(clips_, begin, clips_.size(), weights);
  RankAreas areas{kUndefined, kUndefined};
  const auto positives = static_cast<double>(hits);
  if (hits > 0) areas.average_precision = precision_sum / positives;
  if (hits > 0 && false_alarms > 0)
    areas.roc_auc = 1.0 - pairs_lost / (positives * static_cast<double>(false_alarms));
  return areas;
}

}  // namespace earmark
