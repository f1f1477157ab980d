#include "data/samplers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {
namespace {

// Batches of two epochs are in flight when loader threads run ahead over an epoch's end.
constexpr std::size_t kEpochsKept = 3;

struct Bucket {
  std::size_t opened_at = 0;
  double shortest_allowed = 0, longest_allowed = std::numeric_limits<double>::infinity();
  std::vector<std::size_t> members;
  std::vector<BucketItem> items;

  bool takes(const BucketItem& item, const BucketOptions& options) const {
    if (item.length < shortest_allowed || item.length > longest_allowed) return false;
    if (!options.distinct_tags) return true;
    return std::none_of(items.begin(), items.end(), [&](const BucketItem& member) {
      return contains(member.tags, item.tags) || contains(item.tags, member.tags);
    });
  }

  void add(std::size_t index, BucketItem item, const BucketOptions& options) {
    const double kept = 1.0 - options.max_padding;
    shortest_allowed = std::max(shortest_allowed, item.length * kept);
    longest_allowed = std::min(longest_allowed, item.length / kept);
    members.push_back(index);
    items.push_back(std::move(item));
  }

  std::vector<std::size_t> longest_first() const {
    std::vector<std::size_t> order(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return items[a].length > items[b].length; });
    std::vector<std::size_t> batch;
    for (const std::size_t i : order) batch.push_back(members[i]);
    return batch;
  }

  static bool contains(const std::vector<bool>& all, const std::vector<bool>& some) {
    for (std::size_t t = 0; t < some.size(); ++t) {
      if (some[t] && !all[t]) return false;
    }
    return true;
  }
};

std::vector<std::vector<std::size_t>> clips_by_class(const std::vector<Clip>& clips, bool skip_absent) {
  std::vector<std::vector<std::size_t>> by_class(clips.front().targets.size());
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const std::vector<float>& targets = clips[i].targets;
    if (std::count(targets.begin(), targets.end(), 1.0f) != 1) {
      problems.push_back(fmt::format("clip {} has {} tags, not one", clips[i].id,
                                     std::count(targets.begin(), targets.end(), 1.0f)));
      continue;
    }
    by_class[static_cast<std::size_t>(std::find(targets.begin(), targets.end(), 1.0f) - targets.begin())]
        .push_back(i);
  }
  if (skip_absent) std::erase_if(by_class, [](const auto& members) { return members.empty(); });
  for (std::size_t c = 0; c < by_class.size(); ++c) {
    if (by_class[c].empty())
      problems.push_back(fmt::format(
          "tag number {} has no clip to train on; train.skip_absent_tags=true passes over such tags", c + 1));
  }
  if (!problems.empty())
    throw Error(ErrorCode::kBadDataset, "train.sampler: one_per_class does not fit this data", problems);
  return by_class;
}

}  // namespace

std::vector<std::vector<std::size_t>> bucket_batches(std::size_t n_items,
                                                     const std::function<BucketItem(std::size_t)>& item,
                                                     std::size_t batch_size, const BucketOptions& options,
                                                     Incomplete incomplete) {
  std::vector<std::vector<std::size_t>> batches;
  std::vector<Bucket> open;  // oldest first
  for (std::size_t i = 0; i < n_items; ++i) {
    if (options.max_age > 0) {
      while (!open.empty() && i - open.front().opened_at > static_cast<std::size_t>(options.max_age))
        open.erase(open.begin());
    }
    BucketItem described = item(i);
    auto bucket =
        std::find_if(open.begin(), open.end(), [&](const Bucket& b) { return b.takes(described, options); });
    if (bucket == open.end()) {
      open.emplace_back();
      bucket = std::prev(open.end());
      bucket->opened_at = i;
    }
    bucket->add(i, std::move(described), options);
    if (bucket->members.size() == batch_size) {
      batches.push_back(bucket->longest_first());
      open.erase(bucket);
    }
  }
  if (incomplete == Incomplete::kKeep) {
    for (const Bucket& bucket : open) batches.push_back(bucket.longest_first());
  }
  return batches;
}

namespace {

// A clip alone has no statistics over a batch (BatchNorm) and no partner (mixup): it joins the batch before
// it.
bool leaves_one(std::size_t n, std::size_t per_batch) {
  return per_batch > 1 && n > per_batch && n % per_batch == 1;
}

}  // namespace

std::vector<Visit> epoch_visits(const std::vector<Clip>& clips, int repeat_verified) {
  std::vector<Visit> visits;
  for (std::size_t i = 0; i < clips.size(); ++i) visits.push_back({i, 0});
  for (int repetition = 1; repetition <= repeat_verified; ++repetition) {
    for (std::size_t i = 0; i < clips.size(); ++i) {
      if (clips[i].verified) visits.push_back({i, repetition});
    }
  }
  return visits;
}

BatchOrder::BatchOrder(const std::vector<Clip>& clips, const BatchOrderOptions& options, Describe describe)
    : options_(options),
      describe_(std::move(describe)),
      visits_(epoch_visits(clips, options.repeat_verified)) {
  if (clips.empty()) throw Error(ErrorCode::kBadDataset, "there is no clip to train on");
  const auto per_batch = static_cast<std::size_t>(options_.batch_size);
  if (options_.sampler == Sampler::kOnePerClass) by_class_ = clips_by_class(clips, options_.skip_absent_tags);
  const std::size_t size = options_.sampler == Sampler::kOnePerClass ? by_class_.size() : per_batch;
  if (options_.sampler != Sampler::kBucketed)
    fixed_per_epoch_ = static_cast<long>((visits_.size() + size - 1) / size);
  if (options_.sampler == Sampler::kShuffle && leaves_one(visits_.size(), size)) --fixed_per_epoch_;
}

BatchOrder::Batches BatchOrder::planned(std::uint64_t epoch) const {
  Rng rng(options_.seed, "order", epoch);
  const std::vector<std::size_t> order = permutation(visits_.size(), rng);
  const auto size = static_cast<std::size_t>(options_.batch_size);
  Batches batches;
  if (options_.sampler == Sampler::kShuffle) {
    for (std::size_t begin = 0; begin < order.size(); begin += size) {
      batches.emplace_back();
      for (std::size_t i = begin; i < std::min(begin + size, order.size()); ++i)
        batches.back().push_back(visits_[order[i]]);
    }
    if (leaves_one(order.size(), size)) {
      batches.pop_back();
      batches.back().push_back(visits_[order.back()]);
    }
    return batches;
  }
  const auto described = [&](std::size_t i) { return describe_(visits_[order[i]], epoch); };
  for (const auto& batch :
       bucket_batches(order.size(), described, size, options_.bucket, Incomplete::kDrop)) {
    batches.emplace_back();
    for (const std::size_t i : batch) batches.back().push_back(visits_[order[i]]);
  }
  if (batches.empty()) {
    throw Error(ErrorCode::kBadDataset,
                fmt::format("train.sampler: bucketed finds no {} clips of similar length{} in an epoch of {} "
                            "visits; lower train.batch_size or raise train.bucket.max_padding",
                            size, options_.bucket.distinct_tags ? " and distinct tags" : "", order.size()));
  }
  return batches;
}

// Each class by itself, so that a class of few clips is heard as often as any other.
std::vector<Visit> BatchOrder::one_per_class(long iteration) const {
  Rng rng(options_.seed, "one_per_class", 0, static_cast<std::uint64_t>(iteration));
  std::vector<Visit> batch;
  for (const auto& members : by_class_) batch.push_back({members[rng.below(members.size())], 0});
  return batch;
}

std::pair<std::uint64_t, long> BatchOrder::locate(long iteration) const {
  if (fixed_per_epoch_ > 0)
    return {static_cast<std::uint64_t>(iteration / fixed_per_epoch_), iteration % fixed_per_epoch_};
  const std::lock_guard lock(mutex_);
  while (first_iteration_.back() <= iteration) {
    const auto epoch = static_cast<std::uint64_t>(first_iteration_.size() - 1);
    auto batches = std::make_shared<const Batches>(planned(epoch));
    first_iteration_.push_back(first_iteration_.back() + static_cast<long>(batches->size()));
    recent_[epoch] = std::move(batches);
    if (recent_.size() > kEpochsKept) recent_.erase(recent_.begin());
  }
  const auto next = std::upper_bound(first_iteration_.begin(), first_iteration_.end(), iteration);
  const auto epoch = static_cast<std::uint64_t>(next - first_iteration_.begin() - 1);
  return {epoch, iteration - first_iteration_[epoch]};
}

BatchOrder::At BatchOrder::at(long iteration) const {
  const auto [epoch, index] = locate(iteration);
  if (options_.sampler == Sampler::kOnePerClass)
    return {epoch, index, fixed_per_epoch_, one_per_class(iteration)};
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const Batches>& batches = recent_[epoch];
  if (!batches) batches = std::make_shared<const Batches>(planned(epoch));
  const At at{epoch, index, static_cast<long>(batches->size()), (*batches)[static_cast<std::size_t>(index)]};
  if (recent_.size() > kEpochsKept) recent_.erase(recent_.begin());
  return at;
}

long BatchOrder::steps_per_epoch() const noexcept {
  const long pairs = options_.batch_size / 2;
  if (!options_.in_pairs || pairs == 0 || options_.sampler != Sampler::kShuffle) return fixed_per_epoch_;
  return (static_cast<long>(visits_.size()) + pairs - 1) / pairs;
}

double BatchOrder::epochs_before(long iteration) const {
  if (const long steps = steps_per_epoch(); steps != fixed_per_epoch_)
    return static_cast<double>(iteration) / static_cast<double>(steps);
  const auto [epoch, index] = locate(iteration);
  long per_epoch = fixed_per_epoch_;
  if (per_epoch == 0) {
    const std::lock_guard lock(mutex_);
    per_epoch = first_iteration_[epoch + 1] - first_iteration_[epoch];
  }
  return static_cast<double>(epoch) + static_cast<double>(index) / static_cast<double>(per_epoch);
}

}  // namespace earmark
