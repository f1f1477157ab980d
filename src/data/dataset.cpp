#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "data/esc50.h"
#include "data/folder.h"
#include "earmark/error.h"

namespace earmark {
namespace {

struct Entry {
  std::string_view name;
  Dataset (*load)(const std::filesystem::path& root, const DatasetOptions& options);
};

constexpr std::array kDatasets{Entry{"esc50", load_esc50}, Entry{"folder", load_folder}};

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

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kDatasets) names.emplace_back(entry.name);
  return names;
}

Dataset load_dataset(const std::string& name, const std::filesystem::path& root,
                     const DatasetOptions& options) {
  for (const Entry& entry : kDatasets) {
    if (entry.name != name) continue;
    std::error_code error;
    if (!std::filesystem::is_directory(root, error)) {
      throw Error(ErrorCode::kBadDataset,
                  fmt::format("data set {}: {} is not a folder", name, root.string()));
    }
    return entry.load(root, options);
  }
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("dataset: must be one of {}, got '{}'", fmt::join(dataset_names(), ", "), name));
}

}  // namespace earmark
