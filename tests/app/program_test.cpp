#include "app/program.h"

#include <algorithm>

#include "audio/write_wav.h"
#include "core/csv.h"
#include "core/tensor_io.h"
#include "core/value.h"
#include "data/simulate.h"

namespace earmark {
namespace {

using testing::kWithoutTorch;
using testing::Ran;
using testing::run_program;
using testing::Scratch;

// The verbs as the program itself lists them.
std::vector<std::string> verbs() {
  const std::string help = run_program({"--help"}).out;
  std::vector<std::string> found;
  const std::size_t at = help.find("Subcommands:");
  for (std::size_t line = help.find('\n', at); line != std::string::npos; line = help.find('\n', line + 1)) {
    if (help.compare(line + 1, 2, "  ") != 0 || help.compare(line + 1, 3, "   ") == 0) continue;
    found.push_back(help.substr(line + 3, help.find(' ', line + 3) - line - 3));
  }
  return found;
}

TEST(Program, HelpAndVersionExitWithZero) {
  const Ran help = run_program({"--help"});
  EXPECT_EQ(help.status, 0) << help.err;
  EXPECT_NE(help.out.find("Subcommands:"), std::string::npos);
  const Ran version_ran = run_program({"--version"});
  EXPECT_EQ(version_ran.status, 0);
  EXPECT_EQ(version_ran.out, "earmark " EARMARK_VERSION "\n");
}

TEST(Program, HelpOfEveryVerbShowsExamples) {
  const auto names = verbs();
  for (const char* name :
       {"train", "crossval", "predict", "evaluate", "recipe", "features", "data", "doctor"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  }
  for (const std::string& verb : names) {
    const Ran ran = run_program({verb, "--help"});
    EXPECT_EQ(ran.status, 0) << verb << ran.err;
    EXPECT_NE(ran.out.find("Examples:"), std::string::npos) << verb;
    EXPECT_NE(ran.out.find("earmark " + verb), std::string::npos) << verb;
  }
}

TEST(Program, WhatItDoesNotKnowIsBadUsage) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"serve"},
           {"dance"},
           {"doctor", "--dance"},
           {"data"},
           {"data", "download"},
           {"features"},
           {"evaluate", "--dataset"},
           {"data", "stats", "--dataset", "esc50", "--data-root", "/nonexistent"}}) {
    const Ran ran = run_program(arguments);
    EXPECT_EQ(ran.status, 2) << (arguments.empty() ? "(nothing)" : arguments.front());
    EXPECT_FALSE(ran.err.empty());
  }
}

class SimulatedData : public ::testing::Test {
 protected:
  void SetUp() override {
    const Ran ran = run_program(
        {"data", "simulate", "--out", root(), "--n-clips", "30", "--duration-s", "1", "--seed", "3"},
        kWithoutTorch);
    ASSERT_EQ(ran.status, 0) << ran.err;
    EXPECT_NE(ran.out.find("SYNTHETIC"), std::string::npos);
  }
  std::string root() const { return (scratch_ / "a set").string(); }
  std::vector<std::string> on(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--dataset", "folder", "--data-root", root()});
    return arguments;
  }
  Scratch scratch_;
};

TEST_F(SimulatedData, SaysThatItIsSyntheticAndIsNotOverwritten) {
  EXPECT_NE(read_text(root() + "/README.txt").find("SYNTHETIC"), std::string::npos);
  EXPECT_EQ(run_program({"data", "simulate", "--out", root(), "--n-clips", "3"}).status, 2);
}

TEST_F(SimulatedData, ChecksCleanAndIsCounted) {
  const Ran check = run_program(on({"data", "check", "--json"}), kWithoutTorch);
  EXPECT_EQ(check.status, 0) << check.err << check.out;
  EXPECT_EQ(parse_json(check.out, "check").at("n_bad").as_integer(), 0);
  const Ran stats = run_program(on({"data", "stats", "--json"}), kWithoutTorch);
  EXPECT_EQ(stats.status, 0) << stats.err;
  const Value value = parse_json(stats.out, "stats");
  EXPECT_EQ(value.at("n_clips").as_integer(), 30);
  EXPECT_NEAR(value.at("total_hours").as_number(), 30.0 / 3600.0, 1e-9);
  EXPECT_EQ(value.at("per_fold").as_map().size(), 5U);
}

TEST_F(SimulatedData, CheckNamesMissingDamagedDuplicateAndShortFiles) {
  const std::filesystem::path audio = std::filesystem::path(root()) / "audio";
  std::filesystem::remove(audio / "00000.wav");
  write_text(audio / "00001.wav", "RIFF of nothing");
  std::filesystem::copy_file(audio / "00003.wav", audio / "00002.wav",
                             std::filesystem::copy_options::overwrite_existing);
  write_wav(audio / "00004.wav", Waveform{32000, 1, std::vector<float>(16000, 0.25f)});
  const Ran ran = run_program(on({"data", "check", "--json"}), kWithoutTorch);
  EXPECT_EQ(ran.status, 1) << ran.err;
  const Value value = parse_json(ran.out, "check");
  ASSERT_EQ(value.at("missing").as_list().size(), 1U);
  EXPECT_EQ(value.at("missing").as_list()[0].at("clip").as_string(), "audio/00000.wav");
  ASSERT_EQ(value.at("damaged").as_list().size(), 1U);
  EXPECT_EQ(value.at("damaged").as_list()[0].at("clip").as_string(), "audio/00001.wav");
  EXPECT_EQ(value.at("duplicates").as_list(),
            (Value::List{Value(Value::List{"audio/00002.wav", "audio/00003.wav"})}));
  ASSERT_EQ(value.at("wrong_length").as_list().size(), 1U);
  EXPECT_EQ(value.at("wrong_length").as_list()[0].at("clip").as_string(), "audio/00004.wav");
  EXPECT_EQ(value.at("n_bad").as_integer(), 4) << "another length is odd, not bad";
  EXPECT_FALSE(value.at("cost").as_list().empty());
  EXPECT_EQ(run_program(on({"data", "check"}), kWithoutTorch).status, 1);
}

TEST_F(SimulatedData, PerfectScoresAreJudgedPerfectWithoutLibtorch) {
  const CsvTable manifest = CsvTable::read(root() + "/manifest.csv");
  std::vector<std::string> header{"file"};
  for (const std::string_view tag : simulated_tags()) header.emplace_back(tag);
  std::string scores = csv_line(header);
  std::size_t n_test = 0;
  for (const CsvRow& row : manifest.rows()) {
    if (row.fields[2] != "test") continue;
    ++n_test;
    std::vector<std::string> line{row.fields[0]};
    for (const std::string_view tag : simulated_tags())
      line.push_back((";" + row.fields[1] + ";").find(";" + std::string(tag) + ";") != std::string::npos
                         ? "0.9"
                         : "0.1");
    scores += csv_line(line);
  }
  const std::string file = scratch_.write("scores.csv", scores).string(),
                    report = (scratch_ / "report.html").string();
  const auto arguments = on(
      {"evaluate", "--split", "test", "--scores", file, "--json", "--report", report, "--bootstrap", "50"});
  const Ran ran = run_program(arguments, kWithoutTorch);
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Value value = parse_json(ran.out, "evaluate");
  EXPECT_EQ(value.at("dataset").as_string(), "folder");
  EXPECT_EQ(value.at("split").as_string(), "test");
  EXPECT_EQ(value.at("n_clips").as_integer(), static_cast<std::int64_t>(n_test));
  EXPECT_EQ(value.at("metrics").at("lwlrap").as_number(), 1.0);
  EXPECT_EQ(value.at("per_class").as_map().size(), 6U);
  EXPECT_NE(read_text(report).find("<html"), std::string::npos);
  EXPECT_EQ(run_program(arguments, kWithoutTorch).status, 2) << "the report is not overwritten";
  const Ran by_list = run_program({"evaluate", "--dataset", "folder", "--annotations",
                                   root() + "/manifest.csv", "--split", "test", "--scores", file},
                                  kWithoutTorch);
  EXPECT_EQ(by_list.status, 0) << by_list.err;
  EXPECT_NE(by_list.out.find("lwlrap"), std::string::npos);
  EXPECT_EQ(run_program(on({"evaluate", "--split", "train", "--scores", file})).status, 2)
      << "other clips than those scored";
}

TEST_F(SimulatedData, FeaturesHaveTheRecipesShapeWithoutLibtorch) {
  const std::string output = (scratch_ / "out.npy").string();
  const std::vector<std::string> arguments{
      "features", "--recipe", "esc10/upb_crnn", root() + "/audio/00000.wav", "--output", output};
  const Ran ran =
      run_program(arguments, std::string(kWithoutTorch) + " EARMARK_SHARE='" EARMARK_SOURCE_DIR "'");
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Tensor tensor = read_npy(output);
  // 1 s at 44.1 kHz: (44100 + 1764 - 1764) / 882 + 1 frames.
  EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{1, 128, 51}));
  EXPECT_EQ(tensor.dtype, DType::kF32);
  EXPECT_EQ(run_program(arguments).status, 2) << "the output is not overwritten";
}

TEST(Features, WhatIsNoRecordingIsBadUsageAndLeavesNoFile) {
  const Scratch scratch;
  const auto text = scratch.write("a.wav", "no sound at all");
  const Ran ran = run_program(
      {"features", "--recipe", "esc10/upb_crnn", text.string(), "-o", (scratch / "o.npy").string()},
      "EARMARK_SHARE='" EARMARK_SOURCE_DIR "'");
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("a.wav"), std::string::npos) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(scratch / "o.npy"));
}

TEST(Doctor, WorksWithoutLibtorchAndCallsItsLackAProblem) {
  const Ran ran = run_program({"doctor", "--no-load", "--json"}, kWithoutTorch);
  EXPECT_EQ(ran.status, 1) << ran.err;
  const Value value = parse_json(ran.out, "doctor");
  EXPECT_FALSE(value.at("libtorch").at("present").as_bool());
  EXPECT_TRUE(value.at("cpu").at("simd").is_string());
  EXPECT_TRUE(value.at("formats").at("flac").as_bool());
  bool named = false;
  for (const Value& check : value.at("checks").as_list()) {
    if (check.at("name").as_string() != "libtorch") continue;
    named = check.at("status").as_string() == "problem" && check.at("fix").is_string();
  }
  EXPECT_TRUE(named);
  EXPECT_EQ(run_program({"doctor"}, kWithoutTorch).status, 1);
}

TEST(Doctor, LoadsLibtorchAndNamesItsKernel) {
  if (!EARMARK_WITH_TORCH) GTEST_SKIP() << "built without libtorch";
  const Ran ran = run_program({"doctor", "--json"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  const Value value = parse_json(ran.out, "doctor");
  EXPECT_TRUE(value.at("libtorch").at("loads").as_bool());
}

TEST(Data, ListNamesWhatTheRecipesMayName) {
  const Ran ran = run_program({"data", "list"}, kWithoutTorch);
  EXPECT_EQ(ran.status, 0);
  EXPECT_NE(ran.out.find("esc50"), std::string::npos);
  EXPECT_NE(ran.out.find("folder"), std::string::npos);
}

TEST(Program, AVerbThatIsNotThereIsNamedWithTheOneThatWasMeant) {
  const Ran ran = run_program({"evalaute", "x"}, kWithoutTorch);
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("there is no verb 'evalaute', did you mean 'evaluate'?"), std::string::npos)
      << ran.err;
}

TEST(Program, ASeedIsAWholeNumberOf64Bits) {
  for (const char* seed : {"-1", "18446744073709551616", "1.5"}) {
    const Ran ran =
        run_program({"data", "simulate", "--out", "/nonexistent/x", "--seed", seed}, kWithoutTorch);
    EXPECT_EQ(ran.status, 2) << seed;
    EXPECT_NE(ran.err.find("from 0 to 2^64 - 1"), std::string::npos) << ran.err;
  }
}

// "nan" lies in every range of CLI11's.
TEST(Program, RealNumbersThatAreNoneAreRefused) {
  for (const std::vector<std::string>& line : {std::vector<std::string>{"predict", "--segment-s", "nan"},
                                               {"tag", "--hop-s", "inf"},
                                               {"tag", "--pause-s", "nan"},
                                               {"train", "--clip-memory-gb", "nan"},
                                               {"bench", "decode", "--clip-s", "nan"}}) {
    const Ran ran = run_program(line);
    EXPECT_EQ(ran.status, 2);
    EXPECT_NE((ran.out + ran.err).find("must be "), std::string::npos) << line[0] << ": " << ran.err;
    EXPECT_NE((ran.out + ran.err).find("got " + line.back()), std::string::npos) << ran.err;
  }
}

TEST(Program, RecipesAreShownAndCheckedAsTheyWouldBeTrained) {
  const Ran shown = run_program({"recipe", "show", "esc10/talnet", "--set", "train.iterations=77"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_NE(shown.out.find("\n  iterations: 77\n"), std::string::npos);
  EXPECT_EQ(run_program({"recipe", "check", "--set", "train.iterations=77", "esc10/talnet"}).status, 0);
  const Ran wrong = run_program({"recipe", "check", "esc10/talnet", "--set", "train.iteratons=77"});
  EXPECT_NE(wrong.status, 0);
  EXPECT_NE(wrong.err.find("did you mean 'iterations'?"), std::string::npos) << wrong.err;
}

}  // namespace
}  // namespace earmark
