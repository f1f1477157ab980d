#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "core/rng.h"
#include "data/esc50.h"
#include "data/folder.h"
#include "data/fsdkaggle2018.h"
#include "data/fsdkaggle2019.h"
#include "data/label_noise.h"
#include "data/labels_file.h"
#include "data/sonyc_ust.h"
#include "data/splits.h"
#include "data/tau_scenes2019.h"
#include "earmark/error.h"

namespace earmark {
namespace {

struct Entry {
  std::string_view name;
  std::string_view about;
  Dataset (*load)(const std::filesystem::path& root, const DatasetOptions& options);
};

constexpr std::array kDatasets{
    Entry{"esc50", "ESC-50 and its ESC-10 part (Piczak 2015): 2000 clips of 5 s, 50 classes, five folds",
          load_esc50},
    Entry{"fsdkaggle2018",
          "FSDKaggle2018 (DCASE 2018 Task 2): 11073 clips of 0.3 to 30 s, 41 classes, train and test",
          load_fsdkaggle2018},
    Entry{
        "fsdkaggle2019",
        "FSDKaggle2019 (DCASE 2019 Task 2): 29266 clips of 0.3 to 30 s, 80 tags, curated and noisy training",
        load_fsdkaggle2019},
    Entry{
        "sonyc_ust",
        "SONYC-UST 0.1 to 2.3 (DCASE 2019, 2020 Task 5): 3068 or 18510 clips of 10 s, 8 coarse, 29 fine tags",
        load_sonyc_ust},
    Entry{"tau_scenes2019",
          "TAU Urban Acoustic Scenes 2019 (DCASE 2019 Task 1a): 14400 segments of 10 s, ten scenes",
          load_tau_scenes2019},
    Entry{"tau_scenes2019_mobile", "the same from several devices (Task 1b): 16560 segments of 10 s",
          load_tau_scenes2019_mobile},
    Entry{"tau_scenes2019_openset", "the same with segments of unknown scenes (Task 1c)",
          load_tau_scenes2019_openset},
    Entry{"folder",
          "your own recordings: one sub-folder a class, or a manifest.csv with tags, splits and folds",
          load_folder}};

const Entry& entry_of(std::string_view name) {
  for (const Entry& entry : kDatasets) {
    if (entry.name == name) return entry;
  }
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("dataset: must be one of {}, got '{}'", fmt::join(dataset_names(), ", "), name));
}

bool for_training(const Clip& clip) { return clip.split.empty() || clip.split == "train"; }

void drop_untagged(Dataset& data) {
  std::erase_if(data.clips, [](const Clip& clip) {
    return for_training(clip) && std::all_of(clip.targets.begin(), clip.targets.end(),
                                             [](float t) { return is_known(t) && t < 0.5f; });
  });
}

}  // namespace

std::optional<std::size_t> Dataset::tag_index(std::string_view tag) const noexcept {
  const auto found = std::find(tags.begin(), tags.end(), tag);
  if (found == tags.end()) return std::nullopt;
  return static_cast<std::size_t>(found - tags.begin());
}

int Dataset::n_folds() const noexcept {
  int n = 0;
  for (const Clip& clip : clips) n = std::max(n, clip.fold);
  return n;
}

std::string identity_of(const Dataset& data) {
  std::string text = fmt::format("{}\n", fmt::join(data.tags, "\n"));
  for (const Clip& clip : data.clips)
    text += fmt::format("{}\t{}\t{}\t{}\n", clip.id, clip.split, clip.fold, fmt::join(clip.targets, ","));
  return fmt::format("{:016x}", fnv1a(text));
}

std::vector<std::size_t> output_tags(const Dataset& data, OutputTags which) {
  const bool two_levels = !data.parents.empty();
  if (!two_levels && (which == OutputTags::kCoarse || which == OutputTags::kFine)) {
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format("data.outputs: {} has one level of tags, so neither coarse nor fine ones", data.name));
  }
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < data.tags.size(); ++i) {
    const bool fine = two_levels && data.parents[i] >= 0;
    const bool other = !data.is_other.empty() && data.is_other[i];
    const bool left_out = (which == OutputTags::kWithoutOther && other) ||
                          (which == OutputTags::kCoarse && fine) || (which == OutputTags::kFine && !fine);
    if (!left_out) chosen.push_back(i);
  }
  return chosen;
}

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kDatasets) names.emplace_back(entry.name);
  return names;
}

std::string dataset_about(std::string_view name) { return std::string(entry_of(name).about); }

Dataset load_dataset(const std::string& name, const std::filesystem::path& root,
                     const DatasetOptions& options) {
  const Entry& entry = entry_of(name);
  std::error_code error;
  if (options.annotations.empty() && !std::filesystem::is_directory(root, error)) {
    throw Error(ErrorCode::kBadDataset, fmt::format("data set {}: {} is not a folder", name, root.string()));
  }
  Dataset data = entry.load(root, options);
  data.clips = cut_unverified(data.clips, options.excerpts);
  // By the data set's own labels, so that the same clips are held out whatever is learned from the others.
  if (options.folds.n > 0) assign_folds(data, options.folds);
  add_label_noise(data, options.label_noise);
  if (!options.new_labels.empty()) use_labels(data, read_score_table(options.new_labels), options.new_labels);
  if (options.drop_untagged) drop_untagged(data);
  return data;
}

}  // namespace earmark
