#include "earmark/error.h"

#include <gtest/gtest.h>

namespace earmark {
namespace {

TEST(Error, KeepsEveryProblemAndShowsTheFirstFifty) {
  std::vector<std::string> problems;
  for (int i = 1; i <= 52; ++i) problems.push_back("problem " + std::to_string(i));
  const Error many(ErrorCode::kBadDataset, "headline", problems);
  EXPECT_EQ(many.problems(), problems);
  const std::string text = many.what();
  EXPECT_EQ(text.substr(0, 9), "headline\n");
  EXPECT_NE(text.find("problem 50\n"), std::string::npos);
  EXPECT_EQ(text.find("problem 51"), std::string::npos);
  EXPECT_EQ(text.substr(text.rfind('\n') + 1), "  and 2 more");
  problems.resize(50);
  EXPECT_EQ(std::string(Error(ErrorCode::kBadDataset, "headline", problems).what()).find("more"),
            std::string::npos);
}

}  // namespace
}  // namespace earmark
