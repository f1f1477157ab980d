#include "data/splits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {
namespace {

Dataset make(int n_clips, int n_tags, int n_groups) {
  Dataset data;
  data.name = "made";
  for (int t = 0; t < n_tags; ++t) data.tags.push_back("tag" + std::to_string(t));
  Rng rng(1, "splits test");
  for (int i = 0; i < n_clips; ++i) {
    Clip clip;
    clip.id = std::to_string(i);
    if (n_groups > 0) clip.group = std::to_string(rng.below(static_cast<std::uint64_t>(n_groups)));
    clip.targets.assign(static_cast<std::size_t>(n_tags), 0.0f);
    clip.targets[static_cast<std::size_t>(i % n_tags)] = 1.0f;
    data.clips.push_back(clip);
  }
  return data;
}

std::map<std::pair<int, int>, int> count(const Dataset& data) {  // (fold, tag) -> clips
  std::map<std::pair<int, int>, int> counts;
  for (const Clip& clip : data.clips) {
    for (std::size_t t = 0; t < clip.targets.size(); ++t)
      counts[{clip.fold, static_cast<int>(t)}] += clip.targets[t] == 1.0f;
  }
  return counts;
}

TEST(AssignFolds, SpreadsEveryTagEvenly) {
  Dataset data = make(200, 4, 0);
  assign_folds(data, {5, FoldRule::kStratified, 3, false});
  for (const auto& [key, n] : count(data)) EXPECT_EQ(n, 10) << "fold " << key.first << ", tag " << key.second;
}

TEST(AssignFolds, GroupsStayWholeAndFoldsAlike) {
  Dataset data = make(1000, 5, 120);
  assign_folds(data, {4, FoldRule::kStratified, 3, false});
  std::map<std::string, int> fold_of;
  std::map<int, int> sizes;
  for (const Clip& clip : data.clips) {
    EXPECT_EQ(fold_of.emplace(clip.group, clip.fold).first->second, clip.fold);
    ++sizes[clip.fold];
  }
  EXPECT_EQ(data.n_folds(), 4);
  for (const auto& [fold, n] : sizes) EXPECT_NEAR(n, 250, 15) << fold;
  for (const auto& [key, n] : count(data)) EXPECT_NEAR(n, 50, 12) << key.first << " " << key.second;
}

TEST(AssignFolds, TheSeedDecides) {
  Dataset a = make(100, 3, 30), b = a, c = a;
  assign_folds(a, {5, FoldRule::kStratified, 1, false});
  assign_folds(b, {5, FoldRule::kStratified, 1, false});
  assign_folds(c, {5, FoldRule::kStratified, 2, false});
  bool same = true, other = false;
  for (std::size_t i = 0; i < a.clips.size(); ++i) {
    same &= a.clips[i].fold == b.clips[i].fold;
    other |= a.clips[i].fold != c.clips[i].fold;
  }
  EXPECT_TRUE(same);
  EXPECT_TRUE(other);
}

TEST(AssignFolds, RefusesMoreFoldsThanGroups) {
  Dataset data = make(100, 3, 3);
  EXPECT_THROW(assign_folds(data, FoldOptions{4, FoldRule::kStratified, 1, false}), Error);
  EXPECT_THROW(assign_folds(data, FoldOptions{1, FoldRule::kStratified, 1, false}), Error);
}

TEST(AssignFolds, ShuffledCutsRunsOfEqualLength) {
  Dataset data = make(103, 2, 0), other = data;
  assign_folds(data, {5, FoldRule::kShuffled, 0, false});
  std::map<int, int> sizes;
  for (const Clip& clip : data.clips) ++sizes[clip.fold];
  ASSERT_EQ(sizes.size(), 5U);
  for (const auto& [fold, n] : sizes) EXPECT_NEAR(n, 103 / 5.0, 1) << fold;
  assign_folds(other, {5, FoldRule::kShuffled, 1, false});
  EXPECT_NE(std::count_if(data.clips.begin(), data.clips.end(),
                          [&](const Clip& c) { return c.fold == other.clips[std::stoul(c.id)].fold; }),
            103);
}

TEST(AssignFolds, LeavesTestClipsAndOnRequestUnverifiedOnesWithoutAFold) {
  Dataset data = make(90, 2, 0);
  for (std::size_t i = 0; i < 90; ++i) {
    data.clips[i].split = i % 3 == 0 ? "test" : "train";
    data.clips[i].verified = i % 2 == 0;
    data.clips[i].fold = 7;  // the data set's own go
  }
  assign_folds(data, {3, FoldRule::kStratified, 0, true});
  for (std::size_t i = 0; i < 90; ++i) EXPECT_EQ(data.clips[i].fold > 0, i % 3 != 0 && i % 2 == 0) << i;
  EXPECT_EQ(data.n_folds(), 3);
}

TEST(SplitForTraining, HoldsOutOneFold) {
  Dataset data = make(50, 5, 0);
  assign_folds(data, {5, FoldRule::kStratified, 1, false});
  const TrainHeldOut parts = split_for_training(data, "train", 2);
  EXPECT_EQ(parts.held_out.size(), 10U);
  EXPECT_EQ(parts.train.size(), 40U);
  for (const std::size_t i : parts.held_out) EXPECT_EQ(data.clips[i].fold, 2);
  EXPECT_THROW(split_for_training(data, "train", 6), Error);
}

TEST(SplitForTraining, RefusesATornGroup) {
  Dataset data = make(4, 2, 0);
  for (int i = 0; i < 4; ++i) data.clips[static_cast<std::size_t>(i)].fold = 1 + i % 2;
  data.clips[0].group = data.clips[1].group = "one street";
  EXPECT_THROW(split_for_training(data, "train", 1), Error);
}

TEST(SplitForTraining, NeverTouchesTheTestSplitAndKeepsClipsOutsideFolds) {
  Dataset data = make(8, 2, 0);
  const char* splits[] = {"train", "train", "train", "train", "test", "test", "validate", "train"};
  const int folds[] = {1, 1, 2, 2, 0, 2, 0, 0};
  for (std::size_t i = 0; i < 8; ++i) {
    data.clips[i].split = splits[i];
    data.clips[i].fold = folds[i];
  }
  // Clip 7 has no fold (a noisy clip, never held out); clip 5 is in fold 2 though its split is test.
  TrainHeldOut parts = split_for_training(data, "train", 1);
  EXPECT_EQ(parts.held_out, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(parts.train, (std::vector<std::size_t>{2, 3, 7}));
  parts = split_for_training(data, "train", 0);
  EXPECT_EQ(parts.held_out, (std::vector<std::size_t>{6}));
  EXPECT_EQ(parts.train, (std::vector<std::size_t>{0, 1, 2, 3, 7}));
}

TEST(CutUnverified, MakesTwoExcerptsOfEachUncheckedClipThatMeetAtTheCut) {
  Dataset data = make(200, 2, 0);
  for (std::size_t i = 0; i < 200; ++i) data.clips[i].verified = i % 4 == 0;
  ExcerptOptions options;
  EXPECT_EQ(cut_unverified(data.clips, options).size(), 200U);
  options.cuts = 1;
  const std::vector<Clip> cut = cut_unverified(data.clips, options);
  ASSERT_EQ(cut.size(), 50U + 2 * 150U);
  double sum = 0, earliest = 1, latest = 0;
  for (std::size_t i = 0; i < cut.size(); ++i) {
    if (cut[i].verified) {
      EXPECT_EQ(cut[i].from, 0.0);
      EXPECT_EQ(cut[i].to, 1.0);
      continue;
    }
    const Clip &first = cut[i], &second = cut[++i];
    EXPECT_EQ(first.to, second.from);
    EXPECT_EQ(first.targets, second.targets);
    EXPECT_EQ(first.group, second.group);
    EXPECT_NE(first.id, second.id);
    sum += first.to;
    earliest = std::min(earliest, first.to);
    latest = std::max(latest, first.to);
  }
  // U(0.1, 0.9): mean 0.5, standard deviation of the mean of 150: 0.23 / sqrt(150) = 0.019.
  EXPECT_NEAR(sum / 150, 0.5, 0.06);
  EXPECT_GE(earliest, 0.1);
  EXPECT_LE(latest, 0.9);
  EXPECT_LT(earliest, 0.15);
  EXPECT_GT(latest, 0.85);

  EXPECT_EQ(cut[1].id, data.clips[1].id + "#0.1");
  EXPECT_EQ(cut[2].id, data.clips[1].id + "#0.2");

  options.seed = 1;
  const std::vector<Clip> other = cut_unverified(data.clips, options);
  EXPECT_NE(other[1].to, cut[1].to);
  EXPECT_EQ(other[1].id, data.clips[1].id + "#1.1");
  // Several cuts side by side are those of each seed alone.
  options.seed = 0;
  options.cuts = 2;
  const std::vector<Clip> both = cut_unverified(data.clips, options);
  ASSERT_EQ(both.size(), 50U + 4 * 150U);
  EXPECT_EQ(both[1].id, cut[1].id);
  EXPECT_EQ(both[1].to, cut[1].to);
  EXPECT_EQ(both[3].id, other[1].id);
  EXPECT_EQ(both[3].to, other[1].to);
  data.clips[1].split = "test";
  EXPECT_EQ(cut_unverified(data.clips, options)[1].id, data.clips[1].id)
      << "only what is learned from is cut";
  std::vector<Clip> fewer(data.clips.begin() + 50, data.clips.end());
  const std::vector<Clip> again = cut_unverified(fewer, {1, 0, 0.1, 0.9});
  EXPECT_EQ(again.back().from, cut.back().from) << "the other clips must not matter";
}

TEST(ClipsOfSplit, SelectsAndNamesWhatThereIs) {
  Dataset data = make(3, 1, 0);
  data.clips[0].split = data.clips[2].split = "train";
  data.clips[1].split = "test";
  EXPECT_EQ(clips_of_split(data, "train"), (std::vector<std::size_t>{0, 2}));
  try {
    clips_of_split(data, "validate");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("has test, train, got 'validate'"), std::string::npos)
        << error.what();
  }
}

TEST(SplitForTraining, HoldingNothingOutLearnsFromTheValidateSplitToo) {
  Dataset data = make(6, 2, 0);
  const std::vector<std::string> splits{"train", "validate", "test", "train", "validate", ""};
  for (std::size_t i = 0; i < splits.size(); ++i) data.clips[i].split = splits[i];
  data.clips[0].split = "unused";  // by an official fold
  const TrainHeldOut all = split_for_training(data, "train", kHoldOutNothing);
  EXPECT_EQ(all.train, (std::vector<std::size_t>{0, 1, 3, 4, 5}));
  EXPECT_EQ(split_for_training(data, "train", 0).train, (std::vector<std::size_t>{3, 5}));
  EXPECT_TRUE(all.held_out.empty());
  EXPECT_EQ(split_for_training(data, "train", 0).held_out, (std::vector<std::size_t>{1, 4}));
  EXPECT_THROW(split_for_training(data, "train", -2), Error);
}

}  // namespace
}  // namespace earmark
