#include "core/hierarchy.h"

#include <algorithm>
#include <cmath>

namespace earmark {

std::vector<float> hierarchy_scores(std::span<const int> parents, std::span<const float> top,
                                    std::span<const float> branches, HierarchyTop rule) {
  constexpr float kSelected = 0.5f;
  float highest = 0.0f;
  for (std::size_t tag = 0; tag < parents.size(); ++tag) {
    if (parents[tag] < 0) highest = std::max(highest, top[tag]);
  }
  std::vector<float> scores;
  for (std::size_t tag = 0; tag < parents.size(); ++tag) {
    if (parents[tag] < 0) {
      scores.push_back(top[tag]);
      continue;
    }
    const float above = top[static_cast<std::size_t>(parents[tag])];
    if (above == highest || above > kSelected) {
      scores.push_back(std::isnan(branches[tag]) ? above : branches[tag]);
    } else {
      scores.push_back(rule == HierarchyTop::kJoint ? top[tag] : 0.0f);
    }
  }
  return scores;
}

}  // namespace earmark
