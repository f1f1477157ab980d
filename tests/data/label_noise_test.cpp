#include "data/label_noise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "earmark/error.h"

namespace earmark {
namespace {

// 4 tags, 40 clips each, of five folds; and ten clips of a test split.
Dataset barks() {
  Dataset data;
  data.name = "barks";
  data.tags = {"a", "b", "c", "d"};
  for (int i = 0; i < 170; ++i) {
    Clip clip;
    clip.id = "clip" + std::to_string(i);
    clip.split = i < 160 ? "train" : "test";
    clip.fold = i < 160 ? 1 + i % 5 : 0;
    clip.targets.assign(4, 0.0f);
    clip.targets[static_cast<std::size_t>(i % 4)] = 1.0f;
    data.clips.push_back(clip);
  }
  return data;
}

Dataset noisy(Dataset data, LabelNoiseOptions options) {
  add_label_noise(data, options);
  return data;
}

TEST(LabelNoise, MakesTheShareOfEveryTagWrongAndTheseClipsUnverified) {
  const Dataset data = noisy(barks(), {0.3, 1});
  std::map<std::size_t, int> n_wrong;
  std::map<std::size_t, int> given;
  const Dataset own = barks();
  for (std::size_t i = 0; i < data.clips.size(); ++i) {
    const Clip& clip = data.clips[i];
    EXPECT_EQ(std::count(clip.targets.begin(), clip.targets.end(), 1.0f), 1) << clip.id;
    const bool wrong = clip.targets != own.clips[i].targets;
    EXPECT_EQ(clip.verified, !wrong) << clip.id;
    EXPECT_EQ(clip.clean_targets, wrong ? own.clips[i].targets : std::vector<float>{}) << clip.id;
    if (!wrong) continue;
    EXPECT_EQ(clip.split, "train");
    ++n_wrong[i % 4];
    ++given[static_cast<std::size_t>(std::find(clip.targets.begin(), clip.targets.end(), 1.0f) -
                                     clip.targets.begin())];
  }
  EXPECT_EQ(n_wrong, (std::map<std::size_t, int>{{0, 12}, {1, 12}, {2, 12}, {3, 12}}));
  EXPECT_EQ(given.size(), 4U) << "wrong labels are drawn among all others";
}

TEST(LabelNoise, IsTheSameForASeedInAnyOrderOfTheListAndAnotherForAnotherSeed) {
  Dataset turned = barks();
  std::reverse(turned.clips.begin(), turned.clips.end());
  const Dataset one = noisy(barks(), {0.3, 7});
  const Dataset same = noisy(turned, {0.3, 7});
  const Dataset other = noisy(barks(), {0.3, 8});
  std::size_t n_other = 0;
  for (std::size_t i = 0; i < one.clips.size(); ++i) {
    EXPECT_EQ(one.clips[i].targets, same.clips[one.clips.size() - 1 - i].targets);
    n_other += one.clips[i].targets != other.clips[i].targets ? 1 : 0;
  }
  EXPECT_GT(n_other, 10U);
}

TEST(LabelNoise, GivesAClipWithSeveralTagsAsManyOthers) {
  Dataset data;
  data.tags = {"a", "b", "c", "d", "e"};
  data.clips.resize(4);
  data.clips[0].targets = {1, 1, 0, 0, 0};
  data.clips[1].targets = {0, 0, 0, 0, 0};               // has none to take
  data.clips[2].targets = {1, kUnknownTarget, 0, 0, 0};  // nobody knows what would be wrong
  data.clips[3].targets = {1, 1, 1, 0, 0};               // has too few others
  const Dataset before = data;
  add_label_noise(data, {1.0, 0});
  EXPECT_EQ(data.clips[0].targets[0] + data.clips[0].targets[1], 0.0f);
  EXPECT_EQ(data.clips[0].targets[2] + data.clips[0].targets[3] + data.clips[0].targets[4], 2.0f);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(data.clips[i].targets, before.clips[i].targets) << i;
}

TEST(LabelNoise, WithCleanLabelsEveryClipHasItsOwn) {
  const Dataset clean = with_clean_labels(noisy(barks(), {0.5, 1}));
  for (std::size_t i = 0; i < clean.clips.size(); ++i) {
    EXPECT_EQ(clean.clips[i].targets, barks().clips[i].targets);
    EXPECT_TRUE(clean.clips[i].clean_targets.empty());
  }
}

TEST(LabelNoise, IsRefusedWhereTagsHaveLevels) {
  Dataset data = barks();
  data.parents = {-1, 0, 0, -1};
  try {
    add_label_noise(data, {0.1, 0});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
    EXPECT_NE(std::string(error.what()).find("data.label_noise"), std::string::npos);
  }
}

TEST(LabelRecovery, CountsWhatNewLabelsMendAndSpoil) {
  Clip right, wrong;
  right.targets = {1, 0, 0};
  wrong.targets = {0, 1, 0};
  wrong.clean_targets = {0, 0, 1};
  LabelRecovery recovery;
  const std::vector<float> first{0.9f, 0.1f, 0.2f}, second{0.0f, 0.6f, 0.7f}, third{0.1f, 0.2f, 0.5f};
  count_recovery(right, first.data(), recovery);   // stays right
  count_recovery(right, second.data(), recovery);  // becomes wrong
  count_recovery(wrong, second.data(), recovery);  // stays wrong
  count_recovery(wrong, third.data(), recovery);   // is its own again
  EXPECT_EQ(recovery.n_wrong, 2U);
  EXPECT_EQ(recovery.n_mended, 1U);
  EXPECT_EQ(recovery.n_spoilt, 1U);
}

}  // namespace
}  // namespace earmark
