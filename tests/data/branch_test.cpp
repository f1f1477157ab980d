#include "data/branch.h"

#include <gtest/gtest.h>

#include "data/label_noise.h"
#include "earmark/error.h"

namespace earmark {
namespace {

// engine {small, large}, dog {bark}; three clips.
Dataset street() {
  Dataset data;
  data.name = "street";
  data.tags = {"engine", "dog", "small", "large", "bark"};
  data.parents = {-1, -1, 0, 0, 1};
  data.is_other = {false, false, false, true, false};
  const std::vector<std::vector<float>> targets{
      {1, 0, 1, 0, 0}, {0, 1, 0, 0, 1}, {1, 1, 0, kUnknownTarget, 1}};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    Clip clip;
    clip.id = "clip" + std::to_string(i);
    clip.targets = targets[i];
    data.clips.push_back(clip);
  }
  return data;
}

TEST(BranchOf, ClipsWithTheTagAreLearnedFromAndItsMembersAnswered) {
  const Dataset branch = branch_of(street(), {"engine", BranchNegatives::kNone});
  EXPECT_EQ(branch.tags, (std::vector<std::string>{"small", "large"}));
  EXPECT_TRUE(branch.parents.empty());
  ASSERT_EQ(branch.clips.size(), 2U);
  EXPECT_EQ(branch.clips[0].id, "clip0");
  EXPECT_EQ(branch.clips[0].targets, (std::vector<float>{1, 0}));
  EXPECT_EQ(branch.clips[1].id, "clip2");
  EXPECT_EQ(branch.clips[1].targets, (std::vector<float>{0, kUnknownTarget}));
}

TEST(BranchOf, ADummyOutputStandsForClipsWithoutTheTag) {
  const Dataset branch = branch_of(street(), {"engine", BranchNegatives::kDummy});
  EXPECT_EQ(branch.tags, (std::vector<std::string>{"small", "large", dummy_tag("engine")}));
  ASSERT_EQ(branch.clips.size(), 3U);
  EXPECT_EQ(branch.clips[0].targets, (std::vector<float>{1, 0, 0}));
  EXPECT_EQ(branch.clips[1].targets, (std::vector<float>{0, 0, 1}));
}

TEST(BranchOf, LabelsOfBeforeNewOnesAreNarrowedToTheSameTags) {
  Dataset data = street();
  data.clips[0].replaced_targets = {1, 1, 0, 1, 1};  // was large, and a dog
  data.clips[2].clean_targets = {0, 1, 0, 0, 1};
  const Dataset none = with_own_labels(branch_of(data, {"engine", BranchNegatives::kNone}));
  ASSERT_EQ(none.clips.size(), 2U);
  EXPECT_EQ(none.clips[0].targets, (std::vector<float>{0, 1}));
  EXPECT_EQ(none.clips[1].targets, (std::vector<float>{0, 0}));
  const Dataset dummy = with_own_labels(branch_of(data, {"engine", BranchNegatives::kDummy}));
  ASSERT_EQ(dummy.clips.size(), 3U);
  EXPECT_EQ(dummy.clips[0].targets, (std::vector<float>{0, 1, 0}));
  EXPECT_EQ(dummy.clips[1].targets, (std::vector<float>{0, 0, 1})) << "it had no others";
  EXPECT_EQ(dummy.clips[2].targets, (std::vector<float>{0, 0, 1}));
}

TEST(BranchOf, WithoutANameNothingChanges) {
  const Dataset same = branch_of(street(), {});
  EXPECT_EQ(same.tags, street().tags);
  EXPECT_EQ(same.clips.size(), 3U);
}

TEST(BranchOf, WhatIsNoUpperTagIsRefusedWithTheOnesThereAre) {
  try {
    branch_of(street(), {"small", BranchNegatives::kNone});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("dog, engine"), std::string::npos) << e.what();
  }
  Dataset silent = street();
  for (Clip& clip : silent.clips) clip.targets.assign(5, 0.0f);
  EXPECT_THROW(branch_of(silent, {"dog", BranchNegatives::kNone}), Error);
}

}  // namespace
}  // namespace earmark
