// samplers.h: which clips stand together in which batch of which epoch. Everything is a pure function of
// (options, clips, seed, iteration), so a resumed run meets the batches that an uninterrupted one meets.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "earmark/options.h"

namespace earmark {

enum class Sampler { kShuffle, kBucketed, kOnePerClass };
template <>
struct EnumNames<Sampler> {
  static constexpr std::array kNames{std::pair{Sampler::kShuffle, std::string_view("shuffle")},
                                     std::pair{Sampler::kBucketed, std::string_view("bucketed")},
                                     std::pair{Sampler::kOnePerClass, std::string_view("one_per_class")}};
};

/// Dynamic buckets (UPB, DCASE 2019 Task 2, section "Batches").
struct BucketOptions {
  double max_padding = 0.2;
  bool distinct_tags = true;
  long max_age = 32000;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("max_padding", self.max_padding, Range{0, 1, false, true},
          "bucketed: within a batch no clip is shorter than the longest by more than this share");
    visit("distinct_tags", self.distinct_tags, kAny,
          "bucketed: no clip of a batch has all the tags of another one in it");
    visit("max_age", self.max_age, kNotNegative,
          "bucketed: a batch still incomplete this many clips after its first one is dropped; 0: never");
  }
};

/// What buckets are made by.
struct BucketItem {
  double length = 0;       ///< in any unit, above 0
  std::vector<bool> tags;  ///< [n_tags]
};

enum class Incomplete { kDrop, kKeep };

/// Items enter in the order given; each goes to the oldest open bucket that takes it, or opens one.
/// @return batches in the order of their completion, each with its longest item first; incomplete ones last.
std::vector<std::vector<std::size_t>> bucket_batches(std::size_t n_items,
                                                     const std::function<BucketItem(std::size_t)>& item,
                                                     std::size_t batch_size, const BucketOptions& options,
                                                     Incomplete incomplete);

/// One use of a clip in an epoch. Repetition 0 is the pass over all clips; 1..R are the further visits of the
/// verified ones, which are mixed with verified ones alone.
struct Visit {
  std::size_t clip = 0;
  int repetition = 0;
  friend bool operator==(const Visit&, const Visit&) = default;
};

/// All visits of one epoch: every clip once, then each verified clip `repeat_verified` times more.
std::vector<Visit> epoch_visits(const std::vector<Clip>& clips, int repeat_verified);

struct BatchOrderOptions {
  Sampler sampler = Sampler::kShuffle;
  int batch_size = 16;
  int repeat_verified = 0;
  BucketOptions bucket;
  std::uint64_t seed = 0;
  bool skip_absent_tags = false;  ///< of kOnePerClass: a tag without a clip is passed over
  bool in_pairs = false;          ///< of kShuffle: a batch's halves become pairs (MixupOptions::halves)
};

/// Thread-safety: const members may be called from many threads at once.
class BatchOrder {
 public:
  struct At {
    std::uint64_t epoch = 0;
    long index = 0;       ///< of the batch within its epoch
    long n_in_epoch = 0;  ///< batches of that epoch
    std::vector<Visit> visits;
  };
  /// Length and tags of a visit as the network will meet it; called for the bucketed sampler alone.
  using Describe = std::function<BucketItem(const Visit& visit, std::uint64_t epoch)>;

  /// @throws Error(kBadDataset): one_per_class and a tag has no clip (unless skipped), or a clip has not
  /// exactly one; no clips at all.
  BatchOrder(const std::vector<Clip>& clips, const BatchOrderOptions& options, Describe describe);

  /// @throws Error(kBadDataset) when an epoch comes out without any complete batch.
  At at(long iteration) const;
  /// Steps of an epoch as lengths are told in: its batches; in pairs as many as give a pair for every visit,
  /// so that clips are read about twice (McDonnell & Gao's program: 288 steps of 32 pairs for 9 185 clips).
  /// 0: it differs from epoch to epoch (bucketed).
  long steps_per_epoch() const noexcept;
  /// Epochs, and the share of the one begun, that precede an iteration; by steps_per_epoch() where it is
  /// told.
  double epochs_before(long iteration) const;

 private:
  using Batches = std::vector<std::vector<Visit>>;
  Batches planned(std::uint64_t epoch) const;
  std::vector<Visit> one_per_class(long iteration) const;
  std::pair<std::uint64_t, long> locate(long iteration) const;

  BatchOrderOptions options_;
  Describe describe_;
  std::vector<Visit> visits_;
  std::vector<std::vector<std::size_t>> by_class_;
  long fixed_per_epoch_ = 0;

  mutable std::mutex mutex_;
  mutable std::vector<long> first_iteration_{0};  // of each epoch planned so far, and of the next
  mutable std::map<std::uint64_t, std::shared_ptr<const Batches>> recent_;
};

}  // namespace earmark
