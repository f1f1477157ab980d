// `earmark relabel` and `earmark ensemble` as a user runs them.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "app/program.h"
#include "core/csv.h"
#include "core/value.h"
#include "eval/score_table.h"
#include "golden_path.h"

namespace earmark {
namespace {

using testing::kWithoutTorch;
using testing::Ran;
using testing::run_program;
using testing::Scratch;

// SONYC-UST's annotations in a folder of their own, as a data root without recordings.
std::filesystem::path golden_root(const Scratch& scratch, const std::filesystem::path& golden) {
  std::filesystem::create_directories(scratch / "root");
  std::filesystem::copy_file(golden / "multitel/relabel_annotations.csv", scratch / "root/annotations.csv");
  return scratch / "root";
}

std::vector<std::string> relabelling(const std::filesystem::path& root, const std::filesystem::path& scores,
                                     const std::filesystem::path& output) {
  return {"relabel",       "--dataset",     "sonyc_ust",
          "--data-root",   root.string(),   "--set",
          "data.rows=all", "--set",         "data.unverified_to_train=true",
          "--scores",      scores.string(), "--output",
          output.string()};
}

// UrbanNet's second stage: scores above 0.7 become the labels of the training clips, X tags keep the crowd's.
TEST(RelabelVerb, GoldenLabelsAsThePaperMeansThem) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Scratch scratch;
  const Ran ran = run_program(relabelling(golden_root(scratch, golden),
                                          golden / "multitel/relabel_scores.csv", scratch / "labels.csv"),
                              kWithoutTorch);
  ASSERT_EQ(ran.status, 0) << ran.err;
  const ScoreTable labels = read_score_table(scratch / "labels.csv");
  std::map<std::string, std::size_t> row_of;
  for (std::size_t i = 0; i < labels.clip_ids.size(); ++i) row_of[labels.clip_ids[i]] = i;
  const CsvTable expected = CsvTable::read(golden / "multitel/relabel_expected_intended.csv");
  std::vector<std::string> titles{"audio_filename", "split"};
  for (const std::string& tag : labels.tags) titles.push_back(tag + "_presence");
  const std::vector<std::size_t> columns = expected.require(titles);
  std::size_t n_train = 0;
  for (const CsvRow& row : expected.rows()) {
    if (row.fields[columns[1]] != "train") continue;
    ++n_train;
    const auto found = row_of.find(row.fields[columns[0]]);
    ASSERT_NE(found, row_of.end()) << row.fields[columns[0]];
    for (std::size_t k = 0; k < labels.tags.size(); ++k) {
      EXPECT_EQ(labels.scores[found->second * labels.tags.size() + k], std::stof(row.fields[columns[k + 2]]))
          << row.fields[columns[0]] << " " << labels.tags[k];
    }
  }
  EXPECT_EQ(n_train, labels.clip_ids.size());
  EXPECT_GT(n_train, 30u);
  const Value provenance = parse_json(read_text(scratch / "labels.provenance.json"), "provenance");
  EXPECT_EQ(provenance.at("rule").at("threshold").as_number(), 0.7);
  EXPECT_EQ(provenance.at("tags").as_map().size(), 31u);
}

TEST(RelabelVerb, ScoresThatLackAClipAreRefusedAndNothingIsWritten) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Scratch scratch;
  ScoreTable scores = read_score_table(golden / "multitel/relabel_scores.csv");
  scores.clip_ids.pop_back();
  scores.scores.resize(scores.clip_ids.size() * scores.tags.size());
  scores.tags[0] = "1_motor";
  write_score_table(scratch / "scores.csv", scores);
  const Ran ran =
      run_program(relabelling(golden_root(scratch, golden), scratch / "scores.csv", scratch / "labels.csv"),
                  kWithoutTorch);
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("'1_motor' is no tag of sonyc_ust"), std::string::npos) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(scratch / "labels.csv"));
}

// Of several files the mean counts, whatever the order in which each names clips and tags.
TEST(RelabelVerb, FilesOfScoresMayHaveAnotherOrder) {
  const Scratch scratch;
  for (const char* name : {"dog/a.wav", "rain/c.wav"}) scratch.write(name, "");
  ScoreTable scores;
  scores.tags = {"dog", "rain"};
  scores.clip_ids = {"dog/a.wav", "rain/c.wav"};
  scores.scores = {0.9f, 0.3f, 0.1f, 0.5f};
  write_score_table(scratch / "a.csv", scores);
  scores.tags = {"rain", "dog"};
  scores.clip_ids = {"rain/c.wav", "dog/a.wav"};
  scores.scores = {1.0f, 0.1f, 0.3f, 0.8f};
  write_score_table(scratch / "b.csv", scores);
  const auto relabelled = [&](const std::string& other) {
    return run_program(
        {"relabel", "--dataset", "folder", "--data-root", scratch.path().string(), "--split", "all", "--rule",
         "soft", "--scores", (scratch / "a.csv").string(), (scratch / other).string(), "--output",
         (scratch / "labels.csv").string(), "--overwrite"},
        kWithoutTorch);
  };
  const Ran ran = relabelled("b.csv");
  ASSERT_EQ(ran.status, 0) << ran.err;
  const ScoreTable labels = read_score_table(scratch / "labels.csv");
  EXPECT_EQ(labels.clip_ids, (std::vector<std::string>{"dog/a.wav", "rain/c.wav"}));
  const std::vector<float> expected{0.85f, 0.3f, 0.1f, 0.75f};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(labels.scores[i], expected[i], 1e-6) << i;
  EXPECT_EQ(run_program({"relabel", "--dataset", "folder", "--data-root", scratch.path().string(), "--split",
                         "all", "--threshold", "nan", "--scores", (scratch / "a.csv").string(), "--output",
                         (scratch / "nan.csv").string()},
                        kWithoutTorch)
                .status,
            2);
  scores.clip_ids[0] = "dog/b.wav";
  write_score_table(scratch / "c.csv", scores);
  const Ran refused = relabelled("c.csv");
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("file 2: clip 'rain/c.wav' is missing"), std::string::npos) << refused.err;
}

// The labels are what a training reads in place of the data set's own.
TEST(RelabelVerb, NewLabelsStandInPlaceOfTheDataSetsOwn) {
  const Scratch scratch;
  for (const char* name : {"dog/a.wav", "dog/b.wav", "rain/c.wav"}) {
    scratch.write(name, "");
  }
  ScoreTable labels;
  labels.tags = {"dog", "rain"};
  labels.clip_ids = {"dog/a.wav", "dog/b.wav"};
  labels.scores = {0, 1, 0.25f, 1};
  write_score_table(scratch / "labels.csv", labels);
  const Ran ran =
      run_program({"relabel", "--dataset", "folder", "--data-root", scratch.path().string(), "--split", "all",
                   "--set", "data.new_labels=" + (scratch / "labels.csv").string(), "--scores",
                   (scratch / "labels.csv").string(), "--output", (scratch / "again.csv").string()},
                  kWithoutTorch);
  // The scores lack rain/c.wav, which the message must name; the two others are known by their names.
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("clip 'rain/c.wav' has no scores"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("dog/a.wav"), std::string::npos) << ran.err;
}

// Of scores that a softmax gave: exponents as they stand, then divided by their sum.
TEST(EnsembleVerb, WeighsFilesAndRefusesWhatIsNoWeight) {
  const Scratch scratch;
  ScoreTable scores;
  scores.tags = {"dog", "rain"};
  scores.clip_ids = {"a.wav"};
  scores.scores = {0.8f, 0.2f};
  write_score_table(scratch / "a.csv", scores);
  scores.scores = {0.5f, 0.5f};
  write_score_table(scratch / "b.csv", scores);
  const auto ensemble = [&](const std::string& weights) {
    return run_program(
        {"ensemble", "--rule", "geometric", "--weights", weights, (scratch / "a.csv").string(),
         (scratch / "b.csv").string(), "--output", (scratch / ("out" + weights + ".csv")).string()},
        kWithoutTorch);
  };
  ASSERT_EQ(ensemble("2,1").status, 0);
  const ScoreTable made = read_score_table(scratch / "out2,1.csv");
  EXPECT_NEAR(made.scores[0], 0.64 / (0.64 + 0.04), 1e-6);
  for (const char* weights : {"2", "2,x", "2,-1"}) EXPECT_EQ(ensemble(weights).status, 2) << weights;
  const Ran hierarchy =
      run_program({"ensemble", "--rule", "hierarchy", "--weights", "1,2", (scratch / "a.csv").string(),
                   (scratch / "b.csv").string(), "--output", (scratch / "h.csv").string()},
                  kWithoutTorch);
  EXPECT_EQ(hierarchy.status, 2);
  EXPECT_NE(hierarchy.err.find("--weights: a hierarchy takes none, got '1,2'"), std::string::npos)
      << hierarchy.err;
}

}  // namespace
}  // namespace earmark
