#include "eval/ensemble.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "core/tensor_io.h"
#include "earmark/error.h"
#include "eval/sonyc_case.h"
#include "golden_path.h"

namespace earmark {
namespace {

ScoreTable table(std::vector<std::string> tags, std::vector<std::string> clips, std::vector<float> scores) {
  ScoreTable made;
  made.tags = std::move(tags);
  made.clip_ids = std::move(clips);
  made.scores = std::move(scores);
  return made;
}

// Four networks' scores of five clips and 41 tags.
std::vector<ScoreTable> golden_members(const TensorMap& arrays) {
  const std::vector<float> all = arrays.at("probs").floats();
  std::vector<ScoreTable> members(4);
  for (std::size_t m = 0; m < members.size(); ++m) {
    for (int k = 0; k < 41; ++k) members[m].tags.push_back("tag" + std::to_string(k));
    for (int i = 0; i < 5; ++i) members[m].clip_ids.push_back("clip" + std::to_string(i));
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(m * 5 * 41);
    members[m].scores.assign(begin, begin + 5 * 41);
  }
  return members;
}

void expect_scores(const ScoreTable& got, const Tensor& expected) {
  const std::vector<float> wanted = expected.floats();
  ASSERT_EQ(got.scores.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(got.scores[i], wanted[i], 1e-6) << i;
}

TEST(Ensemble, GoldenMeans) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap arrays = read_npz(golden / "cochlear/ensemble.npz");
  const auto members = golden_members(arrays);
  expect_scores(ensemble(members, {EnsembleRule::kGeometric, arrays.at("weights").doubles(), RowSum::kAuto}),
                arrays.at("weighted_geometric_l1"));
  expect_scores(ensemble(members, {EnsembleRule::kGeometric, {}, RowSum::kOne}),
                arrays.at("plain_geometric_l1"));
  expect_scores(ensemble(members, {EnsembleRule::kGeometric, {}, RowSum::kFree}),
                arrays.at("plain_geometric_unnormalised"));
  expect_scores(ensemble(members, {}), arrays.at("arithmetic"));
}

TEST(Ensemble, ClipsAndTagsMayStandInAnyOrder) {
  const ScoreTable a = table({"dog", "rain"}, {"1", "2"}, {0.2f, 0.4f, 0.6f, 0.8f});
  const ScoreTable b = table({"rain", "dog"}, {"2", "1"}, {0.6f, 0.2f, 0.0f, 0.4f});
  const ScoreTable mean = ensemble({a, b}, {});
  EXPECT_EQ(mean.tags, a.tags);
  EXPECT_EQ(mean.clip_ids, a.clip_ids);
  const std::vector<float> expected{0.3f, 0.2f, 0.4f, 0.7f};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(mean.scores[i], expected[i], 1e-6);
}

TEST(Ensemble, MultiLabelScoresKeepTheirScaleUnderWeights) {
  const ScoreTable a = table({"dog", "rain"}, {"1"}, {0.9f, 0.9f});
  const ScoreTable same = ensemble({a, a}, {EnsembleRule::kGeometric, {3.0, 1.0}, RowSum::kAuto});
  EXPECT_NEAR(same.scores[0], 0.9, 1e-6);
}

TEST(Ensemble, ZeroIsNoLogarithmOfZero) {
  const ScoreTable a = table({"dog"}, {"1"}, {0.0f}), b = table({"dog"}, {"1"}, {1.0f});
  const float score = ensemble({a, b}, {EnsembleRule::kGeometric, {}, RowSum::kFree}).scores[0];
  EXPECT_NEAR(score, 1e-10, 1e-12);
}

TEST(Ensemble, ThirtySureMembersDoNotMultiplyToNothing) {
  // The six kinds of five folds and their weights; each member is sure of one of three tags.
  std::vector<ScoreTable> members;
  std::vector<double> weights;
  for (std::size_t m = 0; m < 30; ++m) {
    std::vector<float> scores(3, 1e-13f);
    scores[m < 16 ? 0 : 1] = 1.0f;
    members.push_back(table({"dog", "rain", "wind"}, {"1"}, scores));
    weights.push_back(m < 15 ? 1.5 : 1.0);
  }
  const auto mean = ensemble(members, {EnsembleRule::kGeometric, weights, RowSum::kAuto});
  EXPECT_NEAR(mean.scores[0], 1.0, 1e-6);
  EXPECT_NEAR(mean.scores[0] + mean.scores[1] + mean.scores[2], 1.0, 1e-6);
}

TEST(Ensemble, WhatDoesNotFitIsNamed) {
  const ScoreTable a = table({"dog", "rain"}, {"1"}, {0.2f, 0.4f});
  const auto problems_of = [&](const std::vector<ScoreTable>& members, const EnsembleOptions& options) {
    try {
      ensemble(members, options);
    } catch (const Error& e) {
      return e.problems();
    }
    return std::vector<std::string>();
  };
  EXPECT_EQ(problems_of({a, table({"dog", "cat"}, {"2"}, {0.2f, 0.4f})}, {}).size(), 4u);
  EXPECT_EQ(problems_of({a, a}, {EnsembleRule::kMean, {1.0}, RowSum::kAuto}).size(), 1u);
  EXPECT_EQ(problems_of({a}, {EnsembleRule::kMean, {-1.0}, RowSum::kAuto}).size(), 1u);
  const auto signs = problems_of({a, a}, {EnsembleRule::kMean, {-1.0, 1.0}, RowSum::kAuto});
  EXPECT_EQ(signs, std::vector<std::string>{"weights: must be finite and not negative, got -1"});
  const auto endless = problems_of(
      {a, a}, {EnsembleRule::kMean, {1.0, std::numeric_limits<double>::infinity()}, RowSum::kAuto});
  EXPECT_EQ(endless, std::vector<std::string>{"weights: must be finite and not negative, got inf"});
  EXPECT_EQ(problems_of({a, a}, {EnsembleRule::kMean, {0.0, 0.0}, RowSum::kAuto}).size(), 1u);
  EXPECT_EQ(problems_of({}, {}).size(), 1u);
  const ScoreTable no_clips = table({"dog", "rain"}, {}, {});
  EXPECT_EQ(problems_of({no_clips, no_clips}, {}),
            (std::vector<std::string>{"file 1: has no clips", "file 2: has no clips"}));
  EXPECT_THROW(
      ensemble({a, table({"dog", "rain"}, {"1"}, {0.2f, std::numeric_limits<float>::infinity()})}, {}),
      Error);
  EXPECT_THROW(ensemble({table({"dog"}, {"1"}, {-0.1f})}, {EnsembleRule::kGeometric, {}, RowSum::kFree}),
               Error);
}

TEST(Hierarchy, GoldenCombination) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "microsoft";
  const ScoreTable got =
      combine_hierarchy(testing::sonyc_taxonomy(), read_score_table(folder / "hier_single_model.csv"),
                        {read_score_table(folder / "hier_branch_outputs.csv")}, HierarchyTop::kJoint);
  const ScoreTable expected = read_score_table(folder / "hier_expected.csv");
  ASSERT_EQ(got.clip_ids, expected.clip_ids);
  ASSERT_EQ(got.tags.size(), expected.tags.size());
  for (std::size_t k = 0; k < expected.tags.size(); ++k) {
    const auto place = std::find(got.tags.begin(), got.tags.end(), expected.tags[k]) - got.tags.begin();
    for (std::size_t i = 0; i < expected.clip_ids.size(); ++i) {
      EXPECT_EQ(got.scores[i * got.tags.size() + static_cast<std::size_t>(place)],
                expected.scores[i * expected.tags.size() + k])
          << expected.clip_ids[i] << " " << expected.tags[k];
    }
  }
}

// One category of two fine tags, one of a single one.
Taxonomy small_taxonomy() {
  return Taxonomy::parse(
      "taxonomy: 1\nname: street\ntags:\n  - {name: engine, members: [small, large]}\n  - {name: dog, "
      "members: [bark]}\n",
      "small.yaml");
}

TEST(Hierarchy, UnselectedFineTagsAreZeroUnderACoarseTop) {
  const ScoreTable top = table({"engine", "dog"}, {"1", "2"}, {0.7f, 0.3f, 0.2f, 0.4f});
  const ScoreTable branch = table({"small", "large"}, {"1", "2"}, {0.6f, 0.1f, 0.9f, 0.8f});
  const ScoreTable got = combine_hierarchy(small_taxonomy(), top, {branch}, HierarchyTop::kCoarse);
  EXPECT_EQ(got.tags, (std::vector<std::string>{"engine", "dog", "small", "large", "bark"}));
  EXPECT_EQ(got.scores, (std::vector<float>{0.7f, 0.3f, 0.6f, 0.1f, 0, 0.2f, 0.4f, 0, 0, 0.4f}));
}

TEST(Hierarchy, MissingAndDoubleAnswersAreNamed) {
  const ScoreTable top = table({"engine", "dog"}, {"1"}, {0.7f, 0.3f});
  const ScoreTable branch = table({"small"}, {"1"}, {0.6f});
  try {
    combine_hierarchy(small_taxonomy(), top, {branch, branch}, HierarchyTop::kCoarse);
    FAIL() << "must not be accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.problems(), (std::vector<std::string>{"branch 2: 'small' has been answered for already",
                                                      "no branch answers for 'large'"}));
  }
}

}  // namespace
}  // namespace earmark
