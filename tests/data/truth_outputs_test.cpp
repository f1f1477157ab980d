// Networks that answer for some of a data set's tags.
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/truth.h"
#include "earmark/error.h"

namespace earmark {
namespace {

// Two coarse tags; the first has two members and an "other" one, the second has one.
Dataset two_levels() {
  Dataset data;
  data.name = "street";
  data.tags = {"engine", "dog", "small", "large", "uncertain", "bark"};
  data.parents = {-1, -1, 0, 0, 0, 1};
  data.is_other = {false, false, false, false, true, false};
  return data;
}

TEST(OutputTags, AreOneLevelOrAllButTheOtherMembers) {
  const Dataset data = two_levels();
  EXPECT_EQ(output_tags(data, OutputTags::kAll), (std::vector<std::size_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(output_tags(data, OutputTags::kWithoutOther), (std::vector<std::size_t>{0, 1, 2, 3, 5}));
  EXPECT_EQ(output_tags(data, OutputTags::kCoarse), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(output_tags(data, OutputTags::kFine), (std::vector<std::size_t>{2, 3, 4, 5}));
  Dataset flat;
  flat.tags = {"a", "b"};
  EXPECT_EQ(output_tags(flat, OutputTags::kWithoutOther), (std::vector<std::size_t>{0, 1}));
  EXPECT_THROW(output_tags(flat, OutputTags::kFine), Error);
}

TEST(ScoresOfAllTags, ACoarseTagHasTheLargestScoreOfItsFineOnesUnlessItHasItsOwn) {
  const Dataset data = two_levels();
  EXPECT_EQ(scores_of_all_tags(data, {2, 3, 4, 5}, {0.2f, 0.1f, 0.7f, 0.4f}),
            (std::vector<float>{0.7f, 0.4f, 0.2f, 0.1f, 0.7f, 0.4f}));
  EXPECT_EQ(scores_of_all_tags(data, {0, 2}, {0.3f, 0.9f, 0.5f, 0.1f}),  // two clips
            (std::vector<float>{0.3f, 0, 0.9f, 0, 0, 0, 0.5f, 0, 0.1f, 0, 0, 0}));
}

}  // namespace
}  // namespace earmark
