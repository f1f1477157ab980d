// hierarchy.h: a local classifier per parent node (Microsoft, DCASE 2019 Task 5): how the answers of a top
// network and of its branches become the scores of one clip.
#pragma once
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "earmark/options.h"

namespace earmark {

/// What stands for the fine tags of a category that was not selected. The names count SONYC-UST's tags: all
/// 37, or the 8 coarse ones.
enum class HierarchyTop {
  kJoint,   ///< the top network's own scores, as published
  kCoarse,  ///< 0: the top network answers for coarse tags alone, as the paper's text has it
};
template <>
struct EnumNames<HierarchyTop> {
  static constexpr std::array kNames{
      std::pair{HierarchyTop::kJoint, std::string_view("joint37")},
      std::pair{HierarchyTop::kCoarse, std::string_view("coarse8")},
      std::pair{HierarchyTop::kJoint, std::string_view("joint")},  // in bundles of before 2026-11-27
      std::pair{HierarchyTop::kCoarse, std::string_view("coarse")}};
};

/// A category is selected when its coarse score is the highest of all or above 0.5. Its fine tags then have
/// the scores of its branch; one that no branch answers for has the coarse score. Fine tags of other
/// categories keep the top network's own scores (joint37), or have 0 (coarse8). Coarse scores stay.
/// @param parents [n_tags] index of the tag above, -1 at the top.
/// @param top [n_tags]; fine ones are not read where `rule` is kCoarse.
/// @param branches [n_tags], NaN where no branch answers for the tag.
/// @return [n_tags].
std::vector<float> hierarchy_scores(std::span<const int> parents, std::span<const float> top,
                                    std::span<const float> branches, HierarchyTop rule);

}  // namespace earmark
