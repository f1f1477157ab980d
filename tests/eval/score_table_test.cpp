#include "eval/score_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {
namespace {

std::vector<std::string> problems_of(const std::string& text) {
  try {
    parse_score_table(text, "s.csv");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadFile);
    return error.problems();
  }
  return {};
}

bool any_holds(const std::vector<std::string>& problems, const std::string& part) {
  return std::any_of(problems.begin(), problems.end(),
                     [&](const std::string& problem) { return problem.find(part) != std::string::npos; });
}

TEST(ScoreTable, RoundTripKeepsEveryBit) {
  ScoreTable table{"fname", {"dog, barking", "the \"rain\""}, {" a.wav", "b\nc.wav", "d,e.wav"}, {}};
  const float infinity = std::numeric_limits<float>::infinity();
  table.scores = {0.1f, 1e-45f, -infinity, infinity, 3.4028235e38f, 1.0f / 3.0f};
  const ScoreTable back = parse_score_table(format_score_table(table), "s.csv");
  EXPECT_EQ(back.id_column, table.id_column);
  EXPECT_EQ(back.tags, table.tags);
  EXPECT_EQ(back.clip_ids, table.clip_ids);
  EXPECT_EQ(back.scores, table.scores);
}

TEST(ScoreTable, RoundTripKeepsEveryBitOfRandomFloats) {
  Rng rng(1, "floats");
  ScoreTable table{"file", {"t"}, {}, {}};
  while (table.scores.size() < 5000) {
    const std::uint32_t bits = rng.bits();
    float score = 0;
    std::memcpy(&score, &bits, sizeof score);
    if (std::isnan(score)) continue;
    table.clip_ids.push_back(std::to_string(table.scores.size()));
    table.scores.push_back(score);
  }
  const ScoreTable back = parse_score_table(format_score_table(table), "s.csv");
  EXPECT_EQ(0, std::memcmp(back.scores.data(), table.scores.data(), table.scores.size() * sizeof(float)));
}

TEST(ScoreTable, FilesAreWrittenAndReadBack) {
  const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / "earmark_score_table.csv";
  write_score_table(path, {"file", {"dog"}, {"a"}, {0.25f}});
  EXPECT_EQ(read_score_table(path).scores, (std::vector<float>{0.25f}));
  std::filesystem::remove(path);
  EXPECT_THROW(read_score_table(path), Error);
}

TEST(ScoreTable, ReadsWhatOtherProgramsWrite) {
  const ScoreTable table = parse_score_table(
      "\xEF\xBB\xBF"
      "file,\"a\",b\r\nx.wav, 1e-3 ,+0.5\r\n\r\ny.wav,1e-60,inf",
      "s.csv");
  EXPECT_EQ(table.tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table.scores, (std::vector<float>{1e-3f, 0.5f, 0.0f, std::numeric_limits<float>::infinity()}));
}

TEST(ScoreTable, EveryProblemIsNamedWithItsLine) {
  const std::vector<std::string> problems =
      problems_of("file,dog,dog,\na.wav,0.1,nan,0\nb.wav,x,1\na.wav,,1e99,0.5kg\n,1,1,1\n");
  for (const char* expected :
       {"s.csv:1: tag 'dog' stands there more than once", "s.csv:1: column 4 has no title",
        "s.csv:2: tag 'dog': must be a number, got 'nan'", "s.csv:3: 3 fields, the header has 4",
        "s.csv:4: tag 'dog': must be a number, got ''", "s.csv:4: tag 'dog': must be a number, got '1e99'",
        "s.csv:4: tag '': must be a number, got '0.5kg'", "s.csv:4: clip 'a.wav' stands in line 2 already",
        "s.csv:5: the clip has no name"}) {
    EXPECT_TRUE(any_holds(problems, expected)) << expected;
  }
  EXPECT_EQ(problems.size(), 9U);
}

TEST(ScoreTable, DamagedFilesAreRefused) {
  for (const char* text :
       {"", "\n\n", "file", "file\na.wav\n", "file,dog\n\"a.wav,0.5\n", "file,dog\na\"b,0.5\n",
        "file,dog\n\"a\"b,0.5\n", "file,dog\na,0x1p3\n", "file,dog\na,--1\n", "file,dog\na,1 2\n"}) {
    EXPECT_FALSE(problems_of(text).empty()) << text;
  }
  EXPECT_FALSE(problems_of(std::string("file,dog\na\0b,0.5\n", 17)).empty());
}

TEST(ScoreTable, CutOffOrAlteredFilesNeverDoWorseThanAnError) {
  const std::string good =
      format_score_table({"file", {"dog", "r,ain"}, {"a\"1", "b"}, {0.5f, 0.25f, 1e-7f, -1.0f}});
  Rng rng(9, "damage");
  for (int round = 0; round < 3000; ++round) {
    std::string text = good.substr(0, rng.below(good.size() + 1));
    for (int i = 0; i < 3 && !text.empty(); ++i)
      text[rng.below(text.size())] = static_cast<char>(rng.below(256));
    try {
      const ScoreTable table = parse_score_table(text, "s.csv");
      EXPECT_EQ(table.scores.size(), table.clip_ids.size() * table.tags.size());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadFile);
    }
  }
}

TEST(ScoreTable, WhatCouldNotBeReadBackIsNotWritten) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(format_score_table({"file", {"dog"}, {"a"}, {nan}}), Error);
  EXPECT_THROW(format_score_table({"file", {"dog"}, {"a", "a"}, {1, 2}}), Error);
  EXPECT_THROW(format_score_table({"file", {"dog", "dog"}, {"a"}, {1, 2}}), Error);
  EXPECT_THROW(format_score_table({"file", {"dog"}, {""}, {1}}), Error);
  EXPECT_THROW(format_score_table({"file", {}, {}, {}}), Error);
  EXPECT_THROW(format_score_table({"file", {"dog"}, {"a"}, {}}), Error);
}

TEST(JoinScores, PutsRowsAndColumnsInTheOrderOfTheTruth) {
  const LabeledScores truth{{"dog", "rain"}, {"a", "b"}, {}, {1, 0, 0, 1}, {}};
  const LabeledScores joined = join_scores(truth, {"file", {"rain", "dog"}, {"b", "a"}, {1, 2, 3, 4}});
  EXPECT_EQ(joined.scores, (std::vector<float>{4, 3, 2, 1}));
  EXPECT_EQ(joined.truth, truth.truth);
}

TEST(JoinScores, NamesEveryClipAndTagThatDoesNotFit) {
  const LabeledScores truth{{"dog", "rain"}, {"a", "b", "c"}, {}, std::vector<float>(6), {}};
  try {
    join_scores(truth, {"file", {"rain", "cat"}, {"c", "x", "c", "y"}, std::vector<float>(8)});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
    EXPECT_EQ(error.problems(),
              (std::vector<std::string>{
                  "scores: tag 'dog' is missing", "scores: tag 'cat' is not in the truth",
                  "scores: clip 'c' stands there more than once", "scores: clip 'a' is missing",
                  "scores: clip 'b' is missing", "scores: clip 'x' is not in the truth",
                  "scores: clip 'y' is not in the truth"}));
  }
}

}  // namespace
}  // namespace earmark
