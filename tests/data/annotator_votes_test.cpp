#include "data/annotator_votes.h"

#include <gtest/gtest.h>

#include "data/dataset.h"

namespace earmark {
namespace {

// Three of the crowd, two rows of one team member, the consensus; tags: all heard, crowd 2 of 3, team only,
// asked of nobody in the crowd but one, never asked.
const std::vector<AnnotatorVotes> kRows{{7, {1, 1, 0, -1, -1}},   {8, {1, 1, 0, -1, -1}},
                                        {9, {1, 0, 0, 1, -1}},    {-1, {1, -1, 1, -1, -1}},
                                        {-1, {-1, 0, -1, 0, -1}}, {0, {1, 0, 1, 0, -1}}};

std::vector<float> targets(VoteRule rule, VoteRows rows, double min_agreement = 0.5, bool strict = true) {
  return targets_from_votes(kRows, {rule, rows, min_agreement, strict});
}

TEST(AnnotatorVotes, OneYesIsEnoughForAnyVote) {
  EXPECT_EQ(targets(VoteRule::kAnyVote, VoteRows::kCrowd), (std::vector<float>{1, 1, 0, 1, 0}));
  EXPECT_EQ(targets(VoteRule::kAnyVote, VoteRows::kTeam), (std::vector<float>{1, 0, 1, 0, 0}));
  EXPECT_EQ(targets(VoteRule::kAnyVote, VoteRows::kAll), (std::vector<float>{1, 1, 1, 1, 0}));
}

TEST(AnnotatorVotes, AMajorityIsOfTheVotesGiven) {
  // Yes of votes given: 5/5, 2/5, 2/5, 1/3, 0/0.
  EXPECT_EQ(targets(VoteRule::kMinAgreement, VoteRows::kAll), (std::vector<float>{1, 0, 0, 0, 0}));
  EXPECT_EQ(targets(VoteRule::kMinAgreement, VoteRows::kAll, 0.4), (std::vector<float>{1, 0, 0, 0, 0}));
  EXPECT_EQ(targets(VoteRule::kMinAgreement, VoteRows::kAll, 0.4, false),
            (std::vector<float>{1, 1, 1, 0, 0}));
  EXPECT_EQ(targets(VoteRule::kMinAgreement, VoteRows::kAll, 0.0, false),
            (std::vector<float>{1, 1, 1, 1, 0}));
  EXPECT_EQ(targets(VoteRule::kMinAgreement, VoteRows::kAll, 1.0), (std::vector<float>{0, 0, 0, 0, 0}));
}

TEST(AnnotatorVotes, SoftTargetsAreSharesAndUnknownWhereNobodyWasAsked) {
  EXPECT_EQ(targets(VoteRule::kSoft, VoteRows::kCrowd),
            (std::vector<float>{1, 2.0f / 3.0f, 0, 1, kUnknownTarget}));
}

TEST(AnnotatorVotes, TheOfficialTruthIsTheConsensusWhateverElseCounts) {
  for (const VoteRows rows : {VoteRows::kCrowd, VoteRows::kTeam, VoteRows::kConsensus, VoteRows::kAll})
    EXPECT_EQ(targets(VoteRule::kOfficial, rows), (std::vector<float>{1, 0, 1, 0, 0}));
}

TEST(AnnotatorVotes, WithoutARowThatCountsThereIsNoAnswer) {
  const std::vector<AnnotatorVotes> crowd{{7, {1, 1}}};
  EXPECT_TRUE(targets_from_votes(crowd, {VoteRule::kAnyVote, VoteRows::kConsensus, 0.5, true}).empty());
  EXPECT_TRUE(targets_from_votes({}, {VoteRule::kSoft, VoteRows::kAll, 0.5, true}).empty());
}

}  // namespace
}  // namespace earmark
