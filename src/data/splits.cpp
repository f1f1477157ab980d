#include "data/splits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {
namespace {

struct Group {
  std::vector<std::size_t> clips;
  std::vector<double> weights;  ///< [n_tags + 1] sum of the targets, then the number of clips
};

// Of the clips that folds are made of.
std::vector<Group> groups_of(const Dataset& data, bool verified_only) {
  std::map<std::string, std::size_t> index;
  std::vector<Group> groups;
  for (std::size_t i = 0; i < data.clips.size(); ++i) {
    const Clip& clip = data.clips[i];
    if ((!clip.split.empty() && clip.split != "train") || (verified_only && !clip.verified)) continue;
    const std::string key = clip.group.empty() ? "clip " + clip.id : "group " + clip.group;
    const auto [found, is_new] = index.emplace(key, groups.size());
    if (is_new) groups.push_back({{}, std::vector<double>(data.tags.size() + 1, 0.0)});
    Group& group = groups[found->second];
    group.clips.push_back(i);
    for (std::size_t t = 0; t < clip.targets.size(); ++t) group.weights[t] += std::max(0.0f, clip.targets[t]);
    group.weights.back() += 1.0;
  }
  return groups;
}

// The fold where the sum of squared shares of all tags grows least takes the next group.
void deal_evenly(Dataset& data, std::vector<Group>& groups, std::size_t n_folds) {
  std::vector<double> totals(data.tags.size() + 1, 0.0);
  for (const Group& group : groups) {
    for (std::size_t t = 0; t < totals.size(); ++t) totals[t] += group.weights[t];
  }
  // Large groups first, while there is still room to even them out; chance decides between equals.
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.clips.size() > b.clips.size(); });
  std::vector<std::vector<double>> filled(n_folds, std::vector<double>(totals.size(), 0.0));
  for (const Group& group : groups) {
    // The fold where the sum of squared shares of all tags grows least.
    std::size_t best = 0;
    double best_cost = std::numeric_limits<double>::infinity();
    for (std::size_t f = 0; f < filled.size(); ++f) {
      double cost = 0.0;
      for (std::size_t t = 0; t < totals.size(); ++t) {
        if (totals[t] <= 0.0) continue;
        cost += group.weights[t] * (2.0 * filled[f][t] + group.weights[t]) / (totals[t] * totals[t]);
      }
      if (cost < best_cost) {
        best_cost = cost;
        best = f;
      }
    }
    for (std::size_t t = 0; t < totals.size(); ++t) filled[best][t] += group.weights[t];
    for (const std::size_t i : group.clips) data.clips[i].fold = static_cast<int>(best) + 1;
  }
}

void cut_into_runs(Dataset& data, const std::vector<Group>& groups, std::size_t n_folds) {
  std::size_t n_clips = 0, n_dealt = 0;
  for (const Group& group : groups) n_clips += group.clips.size();
  for (const Group& group : groups) {
    const std::size_t fold = n_dealt * n_folds / n_clips;
    for (const std::size_t i : group.clips) data.clips[i].fold = static_cast<int>(fold) + 1;
    n_dealt += group.clips.size();
  }
}

}  // namespace

TrainHeldOut split_for_training(const Dataset& data, std::string_view train_split, int fold) {
  if (fold < kHoldOutNothing || fold > data.n_folds()) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("fold: data set {} has {}, got {}", data.name,
                            data.n_folds() > 0 ? fmt::format("folds 1..{}", data.n_folds())
                                               : "no folds (leave --fold out)",
                            fold));
  }
  TrainHeldOut parts;
  std::map<std::string, bool> is_held_out;
  std::set<std::string> torn;
  for (std::size_t i = 0; i < data.clips.size(); ++i) {
    const Clip& clip = data.clips[i];
    const bool validates = clip.split == "validate";
    const bool held_out = fold > 0 ? clip.fold == fold : validates && fold != kHoldOutNothing;
    const bool learned = clip.split.empty() || clip.split == train_split ||
                         (fold == kHoldOutNothing && (validates || clip.split == "unused"));
    if (!held_out && !learned) continue;
    (held_out ? parts.held_out : parts.train).push_back(i);
    if (!clip.group.empty() && is_held_out.emplace(clip.group, held_out).first->second != held_out)
      torn.insert(clip.group);
  }
  if (fold > 0 && parts.held_out.empty())
    throw Error(ErrorCode::kInvalidOption, fmt::format("fold: no clip of {} is in fold {}", data.name, fold));
  if (parts.train.empty()) {
    throw Error(ErrorCode::kBadDataset,
                fmt::format("data set {}: no clip of split '{}' is left to learn from{}", data.name,
                            train_split, fold > 0 ? fmt::format(" outside fold {}", fold) : ""));
  }
  if (!torn.empty()) {
    throw Error(ErrorCode::kBadDataset,
                fmt::format("data set {}: these groups are both held out and learned from: {}", data.name,
                            fmt::join(torn, ", ")));
  }
  return parts;
}

std::vector<std::size_t> clips_of_split(const Dataset& data, std::string_view split) {
  std::vector<std::size_t> indices;
  std::set<std::string> there;
  for (std::size_t i = 0; i < data.clips.size(); ++i) {
    if (data.clips[i].split == split) indices.push_back(i);
    if (!data.clips[i].split.empty()) there.insert(data.clips[i].split);
  }
  if (indices.empty()) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("split: data set {} has {}, got '{}'", data.name,
                            there.empty() ? "no splits" : fmt::format("{}", fmt::join(there, ", ")), split));
  }
  return indices;
}

std::vector<std::size_t> select_clips(const Dataset& data, std::string_view split, int fold) {
  const bool has_splits =
      std::any_of(data.clips.begin(), data.clips.end(), [](const Clip& clip) { return !clip.split.empty(); });
  const bool any_split = split.empty() || split == "all";
  const bool held_out = split == "test" || split == "validate";
  if (fold < 0 || fold > data.n_folds()) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("fold: data set {} has {}, got {}", data.name,
                            data.n_folds() > 0 ? fmt::format("folds 1..{}", data.n_folds())
                                               : std::string("no folds (leave --fold out)"),
                            fold));
  }
  const bool by_fold = !any_split && !has_splits && data.n_folds() > 0 && (held_out || split == "train");
  if (by_fold && fold == 0) {
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format("split: data set {} has folds 1..{} and no splits: say which fold is held out (--fold), "
                    "or take split 'all'",
                    data.name, data.n_folds()));
  }
  std::vector<bool> taken(data.clips.size(), any_split || by_fold);
  if (!any_split && !by_fold) {
    for (const std::size_t i : clips_of_split(data, split)) taken[i] = true;
  }
  std::vector<std::size_t> clips;
  for (std::size_t i = 0; i < data.clips.size(); ++i) {
    const bool in_fold = data.clips[i].fold == fold;
    if (taken[i] && (fold == 0 || (by_fold && !held_out ? !in_fold : in_fold))) clips.push_back(i);
  }
  if (clips.empty()) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("no clip of data set {} is in split '{}' and fold {}", data.name, split, fold));
  }
  return clips;
}

void assign_folds(Dataset& data, const FoldOptions& options) {
  std::vector<Group> groups = groups_of(data, options.verified_only);
  if (options.n < 2 || static_cast<std::size_t>(options.n) > groups.size()) {
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format("data.folds.n: must be 2..{} (the number of groups), got {}", groups.size(), options.n));
  }
  for (Clip& clip : data.clips) clip.fold = 0;
  Rng rng(options.seed, "assign_folds");
  rng.shuffle(std::span<Group>(groups));
  if (options.rule == FoldRule::kStratified) {
    deal_evenly(data, groups, static_cast<std::size_t>(options.n));
  } else {
    cut_into_runs(data, groups, static_cast<std::size_t>(options.n));
  }
}

std::vector<Clip> cut_unverified(const std::vector<Clip>& clips, const ExcerptOptions& options) {
  if (options.cuts == 0) return clips;
  std::vector<Clip> cut;
  for (const Clip& clip : clips) {
    if (clip.verified || !(clip.split.empty() || clip.split == "train")) {
      cut.push_back(clip);
      continue;
    }
    for (int i = 0; i < options.cuts; ++i) {
      const std::uint64_t seed = options.seed + static_cast<std::uint64_t>(i);
      Rng rng(seed, "excerpts", 0, fnv1a(clip.id));
      const double share = rng.uniform(options.min_share, options.max_share);
      const double at = clip.from + share * (clip.to - clip.from);
      Clip first = clip, second = clip;
      first.id += fmt::format("#{}.1", seed);
      second.id += fmt::format("#{}.2", seed);
      first.to = second.from = at;
      // Two parts of one recording must never meet on both sides of a split.
      if (clip.group.empty()) first.group = second.group = clip.id;
      cut.push_back(std::move(first));
      cut.push_back(std::move(second));
    }
  }
  return cut;
}

}  // namespace earmark
