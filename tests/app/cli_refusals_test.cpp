// What verbs refuse before they do anything, and that an output destroys nothing.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "app/program.h"
#include "audio/write_wav.h"
#include "core/tensor_io.h"
#include "core/value.h"
#include "eval/score_table.h"

namespace earmark {
namespace {

using testing::kWithoutTorch;
using testing::Ran;
using testing::run_program;
using testing::Scratch;

const std::string kShare = std::string(kWithoutTorch) + " EARMARK_SHARE='" EARMARK_SOURCE_DIR "'";

void expect_refused(const Ran& ran, const std::vector<std::string>& told) {
  EXPECT_EQ(ran.status, 2) << ran.out << ran.err;
  for (const std::string& part : told)
    EXPECT_NE((ran.out + ran.err).find(part), std::string::npos) << part << "\n" << ran.out << ran.err;
}

// Two clips of `folder`, their scores, and a second of sound.
class Refusals : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"root/dog/a.wav", "root/rain/c.wav"}) scratch_.write(name, "");
    ScoreTable scores;
    scores.tags = {"dog", "rain"};
    scores.clip_ids = {"dog/a.wav", "rain/c.wav"};
    scores.scores = {0.9f, 0.3f, 0.1f, 0.5f};
    write_score_table(path("s.csv"), scores);
    write_wav(path("a.wav"), Waveform{16000, 1, std::vector<float>(16000, 0.25f)});
  }
  std::string path(const std::string& name) const { return (scratch_ / name).string(); }
  Ran on_folder(const std::string& verb, std::vector<std::string> more) const {
    more.insert(more.begin(), {verb, "--dataset", "folder", "--data-root", path("root"), "--split", "all"});
    return run_program(more, kShare);
  }
  // Unless that is refused, the file is another one afterwards.
  void expect_kept(const std::string& name, const std::vector<std::string>& words,
                   const std::vector<std::string>& told, bool folder = true) const {
    const std::string before = read_text(path(name));
    std::vector<std::string> rest(words.begin() + 1, words.end());
    expect_refused(folder ? on_folder(words.front(), rest) : run_program(words, kShare), told);
    EXPECT_EQ(read_text(path(name)), before) << words.front();
  }
  Scratch scratch_;
};

TEST_F(Refusals, AnOutputNeverReplacesWhatTheSameCallReads) {
  expect_kept("s.csv", {"relabel", "--scores", path("s.csv"), "-o", path("s.csv"), "--overwrite"},
              {"--output: ", "read by --scores too"});
  expect_kept("s.csv", {"evaluate", "--scores", path("s.csv"), "--report", path("s.csv"), "--overwrite"},
              {"--report: ", "read by --scores too"});
  std::filesystem::create_symlink("s.csv", path("link.csv"));
  expect_kept("s.csv", {"evaluate", "--scores", path("s.csv"), "--report", path("link.csv"), "--overwrite"},
              {"--report: "});
  expect_kept("a.wav",
              {"features", "--recipe", "esc10/upb_crnn", path("a.wav"), "-o", path("a.wav"), "--overwrite"},
              {"--output: "}, false);
}

TEST_F(Refusals, TwoOutputsOfOneCallAreTwoFiles) {
  scratch_.write("m.earmark", "never read");
  const auto predict = [&](const std::string& submission) {
    return run_program({"predict", "--dataset", "fsdkaggle2018", "--data-root", path("root"), "--model",
                        path("m.earmark"), "-o", path("ts.csv"), "--submission", path(submission)},
                       kShare);
  };
  expect_refused(predict("ts.csv"), {"--submission: ", "written by --output too"});
  expect_refused(predict("root/../ts.csv"), {"--submission: "});
  EXPECT_FALSE(std::filesystem::exists(path("ts.csv")));
}

TEST_F(Refusals, AFoldIsANumberFromZeroOnOrAllWhereThatIsMeant) {
  for (const char* fold : {"-1", "", "1.5", "every"}) {
    const Ran train = run_program(
        {"train", "esc10/upb_crnn", "--data-root", path("root"), "--out", path("run"), "--fold", fold},
        kShare);
    expect_refused(train, {"--fold"});
    EXPECT_FALSE(std::filesystem::exists(path("run")));
    expect_refused(on_folder("evaluate", {"--scores", path("s.csv"), "--fold", fold}), {"--fold"});
  }
}

TEST_F(Refusals, WhatARuleDoesNotUseIsNotTaken) {
  expect_refused(on_folder("relabel", {"--scores", path("s.csv"), "-o", path("n.csv"), "--rule", "error_rate",
                                       "--threshold", "0.3"}),
                 {"--threshold", "--rule error_rate"});
  EXPECT_EQ(on_folder("relabel", {"--scores", path("s.csv"), "-o", path("n.csv"), "--rule", "threshold",
                                  "--threshold", "0.3", "--threads", "2"})
                .status,
            0);
}

TEST_F(Refusals, ThresholdsOfAnEvaluationAreScores) {
  for (const char* threshold : {"-1", "2", "1e999", "nan"})
    expect_refused(on_folder("evaluate", {"--scores", path("s.csv"), "--threshold", threshold}),
                   {"--threshold", "must be 0..1"});
}

TEST_F(Refusals, FiguresOfAnotherTaskAreNotShownBeside) {
  expect_refused(
      on_folder("evaluate", {"--scores", path("s.csv"), "--published", "fsdkaggle2018/waveform_16k"}),
      {"--published: ", "fsdkaggle2018", "folder"});
}

TEST_F(Refusals, FoldersOfATaggingThatCannotBeMadeAreBadUsage) {
  if (!EARMARK_WITH_TORCH && !EARMARK_WITH_DNNL) GTEST_SKIP() << "built without an engine";
  for (const char* option : {"--output-dir", "--clips", "--picture"}) {
    const Ran ran = run_program({"tag", path("a.wav"), "--format", "csv", option, "/dev/null/x"},
                                "EARMARK_SHARE='" EARMARK_SOURCE_DIR "'");
    expect_refused(ran, {"cannot make folder /dev/null/x"});
  }
}

TEST_F(Refusals, SamplesTooLargeToComputeWithAreNotCalledTooShort) {
  if (!EARMARK_WITH_TORCH && !EARMARK_WITH_DNNL) GTEST_SKIP() << "built without an engine";
  Waveform loud{44100, 1, {}};
  for (int i = 0; i < 44100; ++i) loud.samples.push_back(i % 2 == 0 ? 1e38f : -1e38f);
  write_wav(path("loud.wav"), loud, WavFormat::kFloat);
  const Ran ran =
      run_program({"tag", path("loud.wav"), "--format", "csv"}, "EARMARK_SHARE='" EARMARK_SOURCE_DIR "'");
  EXPECT_EQ(ran.status, 1) << ran.err;
  EXPECT_NE(ran.err.find("non_finite: the samples are too large to compute with"), std::string::npos)
      << ran.err;
  EXPECT_EQ(ran.err.find("too_short"), std::string::npos) << ran.err;
}

TEST_F(Refusals, AnOutputThatIsALinkOrAPipeStaysOne) {
  std::filesystem::create_symlink("real.npy", path("link.npy"));
  const std::vector<std::string> made{"features", "--recipe", "esc10/upb_crnn", path("a.wav"), "-o"};
  const auto into = [&](const std::string& output) {
    std::vector<std::string> words = made;
    words.push_back(output);
    return run_program(words, kShare);
  };
  ASSERT_EQ(into(path("link.npy")).status, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(path("link.npy")));
  EXPECT_EQ(read_npy(path("real.npy")).shape.size(), 3U);
  const Ran through = into("/dev/stdout");
  EXPECT_EQ(through.status, 0) << through.err;
  EXPECT_EQ(through.out.substr(1, 5), "NUMPY");
  EXPECT_NE(through.out.find("/dev/stdout: ["), std::string::npos) << "what was printed follows it";
  if (!std::filesystem::is_character_file("/dev/full")) GTEST_SKIP() << "the rest needs /dev/full";
  expect_refused(into("/dev/full"), {"/dev/full"});
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST_F(Refusals, WaveformsHaveNoBandsAndSeveralInputsAFileEach) {
  const auto features = [&](const std::string& recipe, const std::string& output) {
    return run_program({"features", "--recipe", recipe, path("a.wav"), "-o", path(output), "--json"}, kShare);
  };
  const Ran one = features("fsdkaggle2018/waveform_16k", "w.npy");
  ASSERT_EQ(one.status, 0) << one.err;
  // A second at 16 kHz stands in the middle of 64 000 samples.
  EXPECT_EQ(read_npy(path("w.npy")).shape, (std::vector<std::int64_t>{1, 64000}));
  EXPECT_EQ(parse_json(one.out, "features").at("shape").as_list().size(), 2U);
  const Ran three = features("fsdkaggle2018/single_block_densenets", "all.npy");
  ASSERT_EQ(three.status, 0) << three.err;
  EXPECT_FALSE(std::filesystem::exists(path("all.npy")));
  const Value told = parse_json(three.out, "features");
  EXPECT_EQ(told.as_map().size(), 3U);
  for (const char* rate : {"16000", "32000", "44100"}) {
    const std::string input = "waveform_" + std::string(rate) + "_hz";
    EXPECT_EQ(told.at(input).at("output").as_string(), path("all." + input + ".npy"));
    EXPECT_EQ(read_npy(path("all." + input + ".npy")).shape, (std::vector<std::int64_t>{1, 64000})) << rate;
  }
  // What an embedder's stage hears is not what the recipe's network is given.
  EXPECT_EQ(features("esc10/cnn_vggish", "cnn.npy").status, 0);
  EXPECT_EQ(read_npy(path("cnn.npy")).shape.size(), 3U);
}

TEST(RecipeVerb, AnswersAsJson) {
  const Ran list = run_program({"recipe", "list", "--json"}, kShare);
  ASSERT_EQ(list.status, 0) << list.err;
  EXPECT_GT(parse_json(list.out, "list").as_list().size(), 10U);
  const Ran shown =
      run_program({"recipe", "show", "esc10/talnet", "--set", "train.iterations=77", "--json"}, kShare);
  ASSERT_EQ(shown.status, 0) << shown.err;
  const Value recipe = parse_json(shown.out, "show");
  EXPECT_EQ(recipe.at("recipe").at("train").at("iterations").as_integer(), 77);
  EXPECT_FALSE(recipe.at("options").as_list().empty());
  const Ran good = run_program({"recipe", "--json", "--threads", "2", "check", "esc10/talnet"}, kShare);
  EXPECT_EQ(good.status, 0) << good.err;
  EXPECT_TRUE(parse_json(good.out, "check").at("problems").as_list().empty());
  const Ran bad =
      run_program({"recipe", "check", "esc10/talnet", "--set", "train.iteratons=77", "--json"}, kShare);
  EXPECT_EQ(bad.status, 2) << bad.err;
  EXPECT_EQ(parse_json(bad.out, "check").at("problems").as_list().size(), 1U) << bad.out;
}

}  // namespace
}  // namespace earmark
