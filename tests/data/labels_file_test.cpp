#include "data/labels_file.h"

#include <gtest/gtest.h>

#include "data/label_noise.h"

#include "earmark/error.h"

namespace earmark {
namespace {

Dataset two_clips() {
  Dataset data;
  data.name = "folder";
  data.tags = {"dog", "rain", "siren"};
  for (const char* id : {"a", "b"}) {
    Clip clip;
    clip.id = id;
    clip.targets = {1, 0, kUnknownTarget};
    data.clips.push_back(clip);
  }
  return data;
}

TEST(UseLabels, NamedClipsGetNamedTagsAndTheRestStays) {
  Dataset data = two_clips();
  ScoreTable labels;
  labels.tags = {"siren", "dog"};
  labels.clip_ids = {"b"};
  labels.scores = {0.25f, -1.0f};
  use_labels(data, labels, "labels.csv");
  EXPECT_EQ(data.clips[0].targets, (std::vector<float>{1, 0, kUnknownTarget}));
  EXPECT_EQ(data.clips[1].targets, (std::vector<float>{kUnknownTarget, 0, 0.25f}));
}

TEST(UseLabels, WhatIsJudgedHasItsOwnLabelsAgain) {
  Dataset data = two_clips();
  ScoreTable labels;
  labels.tags = {"siren", "dog"};
  labels.clip_ids = {"b"};
  labels.scores = {0.25f, 1.0f};
  use_labels(data, labels, "labels.csv");
  EXPECT_EQ(with_own_labels(data).clips[1].targets, two_clips().clips[1].targets);
  EXPECT_EQ(with_clean_labels(data).clips[1].targets, data.clips[1].targets)
      << "no wrong ones were given on purpose";
  // Wrong labels given on purpose, then new ones: the clip's own are those before both.
  data.clips[1].clean_targets = {1, 1, 1};
  EXPECT_EQ(with_own_labels(data).clips[1].targets, (std::vector<float>{1, 1, 1}));
}

TEST(UseLabels, ExcerptsOfACutThatIsNotInUseArePassedOver) {
  Dataset data = two_clips();
  data.clips[0].id = "a#0.1";
  data.clips[0].to = 0.4;
  ScoreTable labels;
  labels.tags = {"rain"};
  labels.clip_ids = {"a#1.1", "a#0.1"};
  labels.scores = {0.25f, 0.75f};
  use_labels(data, labels, "labels.csv");
  EXPECT_EQ(data.clips[0].targets[1], 0.75f);
  labels.clip_ids[0] = "b#1.1";  // "b" is whole here: no excerpt of it can be meant
  EXPECT_THROW(use_labels(data, labels, "labels.csv"), Error);
}

TEST(UseLabels, EveryStrangerAndEveryBadValueIsNamed) {
  Dataset data = two_clips();
  ScoreTable labels;
  labels.tags = {"dog", "cat"};
  labels.clip_ids = {"a", "c"};
  labels.scores = {1.5f, 0, 0, 0};
  try {
    use_labels(data, labels, "labels.csv");
    FAIL() << "must not be accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.problems(),
              (std::vector<std::string>{"labels.csv: 'cat' is no tag of folder",
                                        "labels.csv: 'dog' of 'a' must be 0..1, or -1 for unknown, got 1.5",
                                        "labels.csv: 'c' is no clip of folder"}));
  }
}

}  // namespace
}  // namespace earmark
