#include "data/label_noise.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {
namespace {

std::vector<std::size_t> tags_of(const float* targets, std::size_t n_tags) {
  std::vector<std::size_t> tags;
  for (std::size_t k = 0; k < n_tags; ++k) {
    if (targets[k] >= 0.5f) tags.push_back(k);
  }
  return tags;
}
std::vector<std::size_t> tags_of(const std::vector<float>& targets) {
  return tags_of(targets.data(), targets.size());
}

bool may_be_wrong(const Clip& clip) {
  const bool for_training = clip.split.empty() || clip.split == "train";
  const bool hard =
      std::all_of(clip.targets.begin(), clip.targets.end(), [](float t) { return t == 0.0f || t == 1.0f; });
  const std::size_t n = tags_of(clip.targets).size();
  return for_training && hard && n > 0 && 2 * n <= clip.targets.size();
}

void make_wrong(Clip& clip, std::uint64_t seed) {
  std::vector<std::size_t> others;
  for (std::size_t k = 0; k < clip.targets.size(); ++k) {
    if (clip.targets[k] < 0.5f) others.push_back(k);
  }
  Rng rng(seed, "wrong label", 0, fnv1a(clip.id));
  rng.shuffle(std::span(others));
  clip.clean_targets = clip.targets;
  clip.targets.assign(clip.targets.size(), 0.0f);
  const std::size_t n = tags_of(clip.clean_targets).size();
  for (std::size_t i = 0; i < n; ++i) clip.targets[others[i]] = 1.0f;
  clip.verified = false;
}

}  // namespace

void add_label_noise(Dataset& data, const LabelNoiseOptions& options) {
  if (options.share == 0.0) return;
  if (!data.parents.empty())
    throw Error(ErrorCode::kInvalidOption, "data.label_noise: " + data.name +
                                               " has tags of two levels; only flat lists can be made wrong");
  struct Candidate {
    std::uint32_t rank;
    Clip* clip;
  };
  std::map<std::vector<std::size_t>, std::vector<Candidate>> alike;  // by their tags
  for (Clip& clip : data.clips) {
    if (!may_be_wrong(clip)) continue;
    const std::uint32_t rank = Rng(options.seed, "label noise", 0, fnv1a(clip.id)).bits();
    alike[tags_of(clip.targets)].push_back({rank, &clip});
  }
  for (auto& [tags, clips] : alike) {
    std::sort(clips.begin(), clips.end(), [](const Candidate& a, const Candidate& b) {
      return std::tie(a.rank, a.clip->id) < std::tie(b.rank, b.clip->id);
    });
    const auto n = static_cast<std::size_t>(std::lround(options.share * static_cast<double>(clips.size())));
    for (std::size_t i = 0; i < n; ++i) make_wrong(*clips[i].clip, options.seed);
  }
}

Dataset with_clean_labels(Dataset data) {
  for (Clip& clip : data.clips) {
    if (!clip.clean_targets.empty()) clip.targets = std::move(clip.clean_targets);
    clip.clean_targets.clear();
  }
  return data;
}

Dataset with_own_labels(Dataset data) {
  for (Clip& clip : data.clips) {
    if (clip.clean_targets.empty() && !clip.replaced_targets.empty())
      clip.targets = std::move(clip.replaced_targets);
    clip.replaced_targets.clear();
  }
  return with_clean_labels(std::move(data));
}

void count_recovery(const Clip& clip, const float* now, LabelRecovery& recovery) {
  const std::vector<std::size_t> tags = tags_of(now, clip.targets.size());
  if (clip.clean_targets.empty()) {
    recovery.n_spoilt += tags != tags_of(clip.targets) ? 1 : 0;
  } else {
    ++recovery.n_wrong;
    recovery.n_mended += tags == tags_of(clip.clean_targets) ? 1 : 0;
  }
}

}  // namespace earmark
