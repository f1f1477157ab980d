#include "eval/submission.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "earmark/error.h"
#include "eval/task.h"
#include "fuzz.h"

namespace earmark {
namespace {

using Names = std::vector<std::string>;

const Names kTags{"Bark", "Bus", "Hi-hat", "Meow"};

const SubmissionFormat& form(const char* dataset) { return task_of(dataset).submission; }

Predictions parse(const std::string& text, const char* dataset, const Names& tags = kTags) {
  return parse_predictions(text, "p.csv", form(dataset), tags);
}

Names problems_of(const std::string& text, const char* dataset) {
  try {
    parse(text, dataset);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadFile);
    return error.problems();
  }
  return {};
}

ScoreTable table_of_two() {
  return {"file", kTags, {"a.wav", "b.wav"}, {0.1f, 0.4f, 0.3f, 0.2f, 0.9f, 0.1f, 0.1f, 0.95f}};
}

TEST(Submission, Fsdkaggle2018HoldsTheThreeBestLabelsInOneField) {
  const std::string text = format_submission(table_of_two(), form("fsdkaggle2018"));
  EXPECT_EQ(text, "fname,label\na.wav,Bus Hi-hat Meow\nb.wav,Meow Bark Bus\n");
  const Predictions back = parse(text, "fsdkaggle2018");
  EXPECT_EQ(back.n_ranked, 3);
  EXPECT_EQ(back.table.clip_ids, (Names{"a.wav", "b.wav"}));
  EXPECT_EQ(back.table.scores, (std::vector<float>{0, 1, 0.5f, 1.0f / 3.0f, 0.5f, 1.0f / 3.0f, 0, 1}));
}

TEST(Submission, TauScenesHoldsTheBestSceneBehindATab) {
  const std::string text = format_submission(table_of_two(), form("tau_scenes2019"));
  EXPECT_EQ(text, "filename\tscene_label\naudio/a.wav\tBus\naudio/b.wav\tMeow\n");
  EXPECT_EQ(parse(text, "tau_scenes2019").table.scores, (std::vector<float>{0, 1, 0, 0, 0, 0, 0, 1}));
}

TEST(Submission, TauScenesIsReadWithoutTitlesAndWithCommasToo) {
  for (const char* text : {"a.wav\tBus\nb.wav\tMeow\n", "a.wav,Bus\r\nb.wav,Meow",
                           "filename,scene_label\na.wav,Bus\nb.wav,Meow\n"}) {
    const Predictions read = parse(text, "tau_scenes2019_mobile");
    EXPECT_EQ(read.n_ranked, 1) << text;
    EXPECT_EQ(read.table.clip_ids, (Names{"a.wav", "b.wav"})) << text;
    EXPECT_EQ(read.table.scores, (std::vector<float>{0, 1, 0, 0, 0, 0, 0, 1})) << text;
  }
}

TEST(Submission, ScoresCarryTheOrganisersTitles) {
  EXPECT_TRUE(format_submission(table_of_two(), form("sonyc_ust")).starts_with("audio_filename,Bark,Bus,"));
  EXPECT_TRUE(format_submission(table_of_two(), form("fsdkaggle2019")).starts_with("fname,Bark,Bus,"));
  EXPECT_TRUE(format_submission(table_of_two(), form("folder")).starts_with("file,Bark,Bus,"));
}

TEST(Submission, TableOfScoresIsReadWhateverTheTask) {
  ScoreTable table = table_of_two();
  for (const char* dataset : {"fsdkaggle2018", "fsdkaggle2019", "tau_scenes2019", "sonyc_ust", "esc50"}) {
    table.id_column = form(dataset).id_column;
    const Predictions read = parse(format_score_table(table), dataset);
    EXPECT_EQ(read.n_ranked, 0) << dataset;
    EXPECT_EQ(read.table.scores, table.scores) << dataset;
    EXPECT_EQ(read.table.tags, table.tags) << dataset;
  }
}

TEST(Submission, EveryProblemIsNamedWithItsLine) {
  EXPECT_EQ(problems_of("fname,label\na.wav,Bark Bark\nb.wav,Dog\na.wav,Bus\n,Bus\nc.wav,\nd.wav\n"
                        "e.wav,Bark Bus Hi-hat Meow\n",
                        "fsdkaggle2018"),
            (Names{"p.csv:2: tag 'Bark' stands there more than once", "p.csv:3: 'Dog' is none of the 4 tags",
                   "p.csv:4: clip 'a.wav' stands in line 2 already", "p.csv:5: the clip has no name",
                   "p.csv:6: must name 1 to 3 tags, got 0",
                   "p.csv:7: must hold 2 fields, a clip and its tags, got 1",
                   "p.csv:8: must name 1 to 3 tags, got 4"}));
  EXPECT_EQ(problems_of("filename\tscene_label\na.wav\tBus stop\n", "tau_scenes2019"),
            (Names{"p.csv:2: 'Bus stop' is none of the 4 tags"}));
}

TEST(Submission, NamesThatWouldNotReadBackAreNotWritten) {
  ScoreTable table = table_of_two();
  table.tags[0] = "a bark";
  EXPECT_THROW(format_submission(table, form("fsdkaggle2018")), Error);
  EXPECT_NO_THROW(format_submission(table, form("tau_scenes2019")));
  table.tags[0] = "a\tbark";
  EXPECT_THROW(format_submission(table, form("tau_scenes2019")), Error);
  EXPECT_NO_THROW(format_submission(table, form("sonyc_ust")));
}

TEST(Submission, EqualScoresAreDecidedInTheOrderOfTheTags) {
  ScoreTable table = table_of_two();
  table.scores.assign(8, 0.5f);
  EXPECT_EQ(format_submission(table, form("fsdkaggle2018")),
            "fname,label\na.wav,Bark Bus Hi-hat\nb.wav,Bark Bus Hi-hat\n");
}

// Whatever a file holds, it reads or is refused with its name; what reads is consistent and reads back.
TEST(Submission, DamagedFilesReadOrAreRefused) {
  const Names tokens{"\"",
                     "\t",
                     ",",
                     "\n",
                     "\r\n",
                     "label",
                     "Bark",
                     "nan",
                     "1e999",
                     "-",
                     "\xEF\xBB\xBF",
                     "fname",
                     std::string(1, '\0'),
                     "Bark Bus",
                     "0.5",
                     "\n\n"};
  const std::vector<const char*> datasets{"fsdkaggle2018", "fsdkaggle2019", "tau_scenes2019", "sonyc_ust",
                                          "folder"};
  testing::fuzz("submission", 20000, [&](Rng& rng) {
    const SubmissionFormat& written = form(datasets[rng.below(datasets.size())]);
    const SubmissionFormat& read_as = form(datasets[rng.below(datasets.size())]);
    const std::string text = testing::damaged(format_submission(table_of_two(), written), tokens, rng);
    try {
      const Predictions read = parse_predictions(text, "p.csv", read_as, kTags);
      const ScoreTable& table = read.table;
      ASSERT_EQ(table.scores.size(), table.clip_ids.size() * table.tags.size());
      const Predictions again = parse_predictions(format_score_table(table), "p.csv", form("folder"), kTags);
      ASSERT_EQ(again.table.scores, table.scores);
      ASSERT_EQ(again.table.clip_ids, table.clip_ids);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kBadFile) << error.what();
      ASSERT_FALSE(error.problems().empty());
      ASSERT_NE(error.problems().front().find("p.csv:"), std::string::npos) << error.what();
    }
  });
}

}  // namespace
}  // namespace earmark
