#include "data/branch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "earmark/error.h"

namespace earmark {

std::string dummy_tag(const std::string& of) { return "none of " + of; }

Dataset branch_of(Dataset data, const BranchOptions& options) {
  if (options.of.empty()) return data;
  std::set<std::string> above;
  std::vector<std::size_t> members;
  for (std::size_t k = 0; k < data.parents.size(); ++k) {
    if (data.parents[k] < 0) continue;
    const std::string& parent = data.tags[static_cast<std::size_t>(data.parents[k])];
    above.insert(parent);
    if (parent == options.of) members.push_back(k);
  }
  if (members.empty()) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("data.branch.of: must be one of: {}; got '{}'",
                            above.empty() ? "none, the tags have no levels"
                                          : fmt::format("{}", fmt::join(above, ", ")),
                            options.of));
  }
  const std::size_t of = *data.tag_index(options.of);
  const bool dummy = options.negatives == BranchNegatives::kDummy;
  Dataset branch;
  branch.name = data.name + ", branch " + options.of;
  branch.warnings = std::move(data.warnings);
  for (const std::size_t k : members) branch.tags.push_back(data.tags[k]);
  if (dummy) branch.tags.push_back(dummy_tag(options.of));
  for (Clip& clip : data.clips) {
    if (!dummy && !(clip.targets[of] >= 0.5f)) continue;
    const auto narrow = [&](std::vector<float>& targets) {
      if (targets.empty()) return;  // the clip has none of this kind
      const float of_branch = targets[of];
      std::vector<float> kept;
      for (const std::size_t k : members) kept.push_back(targets[k]);
      if (dummy) kept.push_back(is_known(of_branch) ? 1.0f - of_branch : kUnknownTarget);
      targets = std::move(kept);
    };
    for (std::vector<float>* targets : {&clip.targets, &clip.clean_targets, &clip.replaced_targets})
      narrow(*targets);
    branch.clips.push_back(std::move(clip));
  }
  if (branch.clips.empty())
    throw Error(ErrorCode::kBadDataset,
                fmt::format("data.branch: no clip of {} has '{}'", data.name, options.of));
  return branch;
}

}  // namespace earmark
