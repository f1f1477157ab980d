// `earmark evaluate` and the tasks of data sets, as a user runs them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app/program.h"
#include "core/file.h"
#include "core/value.h"
#include "golden_path.h"

namespace earmark {
namespace {

using testing::kWithoutTorch;
using testing::Ran;
using testing::run_program;
using testing::Scratch;

Value evaluated(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"evaluate", "--json", "--bootstrap", "20"});
  const Ran ran = run_program(arguments, kWithoutTorch);
  EXPECT_EQ(ran.status, 0) << ran.err;
  return ran.status == 0 ? parse_json(ran.out, "evaluate") : Value();
}

class SonycEvaluateGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(SonycEvaluateGolden, OfficialFiguresComeOutOfTheProgram) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const std::filesystem::path folder = golden / "sonyc-metrics";
  const std::string name = GetParam();
  const std::string truth = name == "edge_pred" ? "edge_annotations.csv" : "ground_truth_validate.csv";
  const std::vector<std::string> arguments{"--dataset",     "sonyc_ust",
                                           "--split",       "validate",
                                           "--annotations", (folder / truth).string(),
                                           "--scores",      (folder / (name + ".csv")).string()};
  std::vector<std::string> official = arguments;
  official.insert(official.end(), {"--tie-order", "official"});
  const Value as_published = evaluated(official).at("metrics"), stable = evaluated(arguments).at("metrics");
  EXPECT_EQ(as_published.at("tie_order").as_string(), "official");
  EXPECT_EQ(stable.at("tie_order").as_string(), "stable");
  const Value expected = parse_json(read_text(folder / "expected.json"), "expected.json").at(name);
  for (const char* level : {"coarse", "fine"}) {
    const Value &wanted = expected.at(level), &found = as_published.at(level);
    EXPECT_NEAR(found.at("micro_auprc").as_number(), wanted.at("micro_auprc").as_number(), 1e-9);
    EXPECT_NEAR(found.at("macro_auprc").as_number(), wanted.at("macro_auprc").as_number(), 1e-9);
    EXPECT_NEAR(found.at("micro_f1").as_number(), wanted.at("micro_f1_at_0.5").as_number(), 1e-9);
    const Value& other = wanted.at("alternative_tie_orders").at("stable");
    EXPECT_NEAR(stable.at(level).at("micro_auprc").as_number(), other.at("micro").as_number(), 1e-9);
    EXPECT_NEAR(stable.at(level).at("macro_auprc").as_number(), other.at("macro").as_number(), 1e-9);
  }
}

INSTANTIATE_TEST_SUITE_P(Predictions, SonycEvaluateGolden,
                         ::testing::Values("pred_medium_31col", "pred_weak_ties", "edge_pred"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(SonycEvaluate, AllAnnotationsAreWorthTheConsensusOfTheSplit) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  EARMARK_NEEDS(data, "EARMARK_DATA");
  const std::filesystem::path folder = golden / "sonyc-metrics";
  const std::string scores = (folder / "pred_weak_ties.csv").string();
  const auto metrics = [&](const std::filesystem::path& annotations) {
    return to_json(evaluated({"--dataset", "sonyc_ust", "--split", "validate", "--scores", scores,
                              "--annotations", annotations.string()})
                       .at("metrics"));
  };
  EXPECT_EQ(metrics(data / "SONYC-UST-v1" / "annotations.csv"),
            metrics(folder / "ground_truth_validate.csv"));
}

TEST(SonycEvaluate, MissingColumnsAreNamedAndTheReportShowsBothLevels) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const std::filesystem::path folder = golden / "sonyc-metrics";
  const Scratch scratch;
  const std::string report = (scratch / "report.html").string();
  const Ran ran =
      run_program({"evaluate", "--dataset", "sonyc_ust", "--split", "validate", "--annotations",
                   (folder / "ground_truth_validate.csv").string(), "--scores",
                   (folder / "pred_medium_31col.csv").string(), "--bootstrap", "20", "--report", report},
                  kWithoutTorch);
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.err.find("no column for 6 of the 37 tags"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("7-X_other-unknown-human-voice"), std::string::npos);
  EXPECT_NE(ran.out.find("8 groups of clips"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("--tie-order official"), std::string::npos);
  const std::string page = read_text(report);
  for (const char* part : {"Coarse tags", "Fine tags", "By category", "order of ties", "macro_auprc"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
}

// The lists of a development set of task 1, without recordings.
TEST(Evaluate, JudgesByTheClipsOwnLabelsWhateverWrongOnesAreMadeForTraining) {
  const Scratch folder;
  std::string manifest = "file,tags\n", scores = "filename,dog,rain\n";
  for (int i = 0; i < 8; ++i) {
    const std::string name = "clip" + std::to_string(i) + ".wav";
    manifest += name + (i % 2 == 0 ? ",dog\n" : ",rain\n");
    scores += name + (i % 2 == 0 ? ",0.9,0.2\n" : ",0.3,0.8\n");
  }
  folder.write("manifest.csv", manifest);
  folder.write("scores.csv", scores);
  std::vector<std::string> arguments{"--dataset",   "folder",
                                     "--data-root", folder.path().string(),
                                     "--scores",    (folder / "scores.csv").string()};
  const std::string clean = to_json(evaluated(arguments).at("metrics"));
  arguments.insert(arguments.end(), {"--set", "data.label_noise.share=1"});
  EXPECT_EQ(to_json(evaluated(arguments).at("metrics")), clean);
}

class Scenes : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string list = "filename\tscene_label\n", decisions;
    for (int i = 0; i < 24; ++i) {
      const std::string scene = i % 2 == 0 ? "bus" : "park";
      const char device = "aabc"[i / 2 % 4];
      const std::string file = scene + "-paris-" + std::to_string(i) + "-0-" + device + ".wav";
      list += "audio/" + file + "\t" + scene + "\n";
      // Device a is always right, b never, c for one of the two scenes.
      const bool right = device == 'a' || (device == 'c' && scene == "bus");
      decisions += "audio/" + file + "\t" + (right ? scene : "tram") + "\n";
    }
    list_ = scratch_.write("list.csv", list).string();
    decisions_ = scratch_.write("decisions.csv", decisions).string();
  }
  Scratch scratch_;
  std::string list_, decisions_;
};

TEST_F(Scenes, DecisionsWithoutTitlesAreJudgedByDevice) {
  const Value value = evaluated({"--dataset", "tau_scenes2019_mobile", "--annotations", list_, "--split",
                                 "test", "--scores", decisions_});
  ASSERT_TRUE(value.is_map());
  EXPECT_EQ(value.at("metrics").as_map().front().first, "accuracy_b_c");
  EXPECT_EQ(value.at("metrics").at("accuracy_b_c").as_number(), 0.25);
  EXPECT_EQ(value.at("metrics").at("accuracy_a").as_number(), 1.0);
  EXPECT_EQ(value.at("parts").at("a").at("metrics").at("accuracy").as_number(), 1.0);
  EXPECT_EQ(value.at("parts").at("b").at("metrics").at("accuracy").as_number(), 0.0);
  EXPECT_EQ(value.at("parts").at("c").at("metrics").at("accuracy").as_number(), 0.5);
  EXPECT_TRUE(value.at("metrics").at("map_at_3").is_null());
  EXPECT_NE(value.at("notes").as_list().at(0).as_string().find("decisions"), std::string::npos);
}

// As the paper prints them: classes and confusion of the phones by themselves, and of the recorder.
TEST_F(Scenes, TheReportShowsTheClassesOfThePartsThatTheTaskSpeaksOf) {
  const Ran ran =
      run_program({"evaluate", "--dataset", "tau_scenes2019_mobile", "--annotations", list_, "--split",
                   "test", "--scores", decisions_, "--report", (scratch_ / "r.html").string()},
                  kWithoutTorch);
  ASSERT_EQ(ran.status, 0) << ran.err;
  const std::string page = read_text(scratch_ / "r.html");
  for (const char* title :
       {"<h2>By class</h2>", "<h2>By class, device a</h2>", "<h2>By class, device b+c</h2>",
        "<h2>Confusion</h2>", "<h2>Confusion, device b+c</h2>"})
    EXPECT_NE(page.find(title), std::string::npos) << title;
  EXPECT_EQ(page.find("<h2>By class, device c</h2>"), std::string::npos) << "b and c are told together";
}

TEST_F(Scenes, AFieldThatNoClipHasIsRefusedWithThoseThereAre) {
  const Ran ran = run_program({"evaluate", "--dataset", "tau_scenes2019", "--annotations", list_, "--scores",
                               decisions_, "--by", "weather"},
                              kWithoutTorch);
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("'weather'"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("device"), std::string::npos) << ran.err;
}

TEST_F(Scenes, ASubmissionForADataSetWithoutOneIsBadUsage) {
  const Ran ran =
      run_program({"predict", "--dataset", "folder", "--data-root", scratch_.path().string(), "--model",
                   list_, "-o", (scratch_ / "o.csv").string(), "--submission", (scratch_ / "s.csv").string()},
                  kWithoutTorch);
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("--submission"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace earmark
