#include "core/hierarchy.h"

#include <gtest/gtest.h>

#include <limits>

namespace earmark {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
// Two categories: the first with two members, the second with one that no branch answers for.
const std::vector<int> kParents{-1, -1, 0, 0, 1};

TEST(HierarchyScores, ASelectedCategoryHasItsBranchsScoresAndOthersTheTops) {
  const std::vector<float> top{0.7f, 0.5f, 0.1f, 0.2f, 0.3f}, branches{kNone, kNone, 0.8f, 0.9f, kNone};
  EXPECT_EQ(hierarchy_scores(kParents, top, branches, HierarchyTop::kJoint),
            (std::vector<float>{0.7f, 0.5f, 0.8f, 0.9f, 0.3f}));  // 0.5 is not above 0.5
  EXPECT_EQ(hierarchy_scores(kParents, top, branches, HierarchyTop::kCoarse),
            (std::vector<float>{0.7f, 0.5f, 0.8f, 0.9f, 0.0f}));
}

TEST(HierarchyScores, TheHighestCategoryIsSelectedHoweverLow) {
  const std::vector<float> top{0.1f, 0.2f, 0.4f, 0.4f, 0.4f}, branches{kNone, kNone, 0.8f, 0.9f, kNone};
  EXPECT_EQ(hierarchy_scores(kParents, top, branches, HierarchyTop::kJoint),
            (std::vector<float>{0.1f, 0.2f, 0.4f, 0.4f, 0.2f}));
}

}  // namespace
}  // namespace earmark
