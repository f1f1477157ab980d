// Every figure of the golden SONYC-UST evaluations: the published program's, with its order of ties, and the
// areas with a stable one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/csv.h"
#include "core/file.h"
#include "core/value.h"
#include "eval/level_counts.h"
#include "eval/score_table.h"
#include "eval/sonyc_case.h"
#include "eval/sonyc_metrics.h"
#include "golden_path.h"

namespace earmark {
namespace {

constexpr double kSonycTolerance = 1e-9;

/// The truth that a file of annotations holds, with the scores of a prediction file.
LabeledScores read_case(const std::filesystem::path& annotations, const std::filesystem::path& scores) {
  const CsvTable table = CsvTable::read(annotations);
  const Taxonomy taxonomy = testing::sonyc_taxonomy();
  LabeledScores truth;
  truth.tags = taxonomy.tags;
  std::vector<std::string> titles{"audio_filename", "sensor_id"};
  for (const std::string& tag : taxonomy.tags) titles.push_back(tag + "_presence");
  const std::vector<std::size_t> columns = table.require(titles);
  for (const CsvRow& row : table.rows()) {
    truth.clip_ids.push_back(row.fields[columns[0]]);
    truth.groups.push_back(row.fields[columns[1]]);
    for (std::size_t i = 2; i < columns.size(); ++i) truth.truth.push_back(std::stof(row.fields[columns[i]]));
  }
  std::vector<std::string> filled;
  return join_scores(std::move(truth), read_score_table(scores), &filled);
}

const char* annotations_of(const std::string& name) {
  return name == "edge_pred" ? "edge_annotations.csv" : "ground_truth_validate.csv";
}

class SonycGolden : public ::testing::TestWithParam<const char*> {
 protected:
  static LabeledScores scores(const std::filesystem::path& folder) {
    const std::string name = GetParam();
    return read_case(folder / annotations_of(name), folder / (name + ".csv"));
  }
};

TEST_P(SonycGolden, OfficialOrderReproducesThePublishedProgram) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const std::filesystem::path folder = golden / "sonyc-metrics";
  const Value expected = parse_json(read_text(folder / "expected.json"), "expected.json").at(GetParam());
  EvaluateOptions options;
  options.tie_order = TieOrder::kOfficial;
  const SonycEvaluation found = evaluate_sonyc(scores(folder), testing::sonyc_taxonomy(), options);
  for (const auto& [name, level] : {std::pair{"coarse", &found.coarse}, std::pair{"fine", &found.fine}}) {
    const Value& wanted = expected.at(name);
    EXPECT_NEAR(level->micro_auprc.value, wanted.at("micro_auprc").as_number(), kSonycTolerance) << name;
    EXPECT_NEAR(level->macro_auprc.value, wanted.at("macro_auprc").as_number(), kSonycTolerance) << name;
    EXPECT_NEAR(level->micro_f1.value, wanted.at("micro_f1_at_0.5").as_number(), kSonycTolerance) << name;
    ASSERT_EQ(level->categories.size(), wanted.at("class_auprc").as_map().size());
    for (const SonycCategory& category : level->categories) {
      const std::string id = category.tag.substr(0, category.tag.find('_'));
      EXPECT_NEAR(category.auprc.value, wanted.at("class_auprc").at(id).as_number(), kSonycTolerance)
          << name << " " << category.tag;
    }
  }
}

TEST_P(SonycGolden, StableOrderGivesTheAreasOfAStableSort) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const std::filesystem::path folder = golden / "sonyc-metrics";
  const Value expected = parse_json(read_text(folder / "expected.json"), "expected.json").at(GetParam());
  const SonycEvaluation found = evaluate_sonyc(scores(folder), testing::sonyc_taxonomy());
  for (const auto& [name, level] : {std::pair{"coarse", &found.coarse}, std::pair{"fine", &found.fine}}) {
    const Value& wanted = expected.at(name).at("alternative_tie_orders").at("stable");
    EXPECT_NEAR(level->micro_auprc.value, wanted.at("micro").as_number(), kSonycTolerance) << name;
    EXPECT_NEAR(level->macro_auprc.value, wanted.at("macro").as_number(), kSonycTolerance) << name;
    EXPECT_NEAR(level->micro_f1.value, expected.at(name).at("micro_f1_at_0.5").as_number(), kSonycTolerance);
  }
}

TEST_P(SonycGolden, ThresholdsAndLastCountsAgree) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const std::filesystem::path folder = golden / "sonyc-metrics";
  const Value expected = parse_json(read_text(folder / "expected.json"), "expected.json").at(GetParam());
  const LabeledScores data = scores(folder);
  const std::vector<std::uint32_t> once(data.n_clips(), 1);
  for (const bool fine : {false, true}) {
    const Value& wanted = expected.at(fine ? "fine" : "coarse");
    for (int id = 1; id <= 8; ++id) {
      const CategoryCounts category(ScoreView(data.truth, data.scores, data.n_tags()),
                                    testing::sonyc_category(id, fine));
      const std::string key = std::to_string(id);
      EXPECT_EQ(static_cast<std::int64_t>(category.thresholds().size()),
                wanted.at("per_category_n_thresholds").at(key).as_integer());
      LevelCounts last;
      category.visit(once, [&](std::size_t, const LevelCounts& counts) { last = counts; });
      const Value::List& counts =
          wanted.at("per_category_total_TP_FP_FN_at_lowest_threshold").at(key).as_list();
      EXPECT_EQ(last.true_positives, counts[0].as_integer()) << key;
      EXPECT_EQ(last.false_positives, counts[1].as_integer()) << key;
      EXPECT_EQ(last.false_negatives, counts[2].as_integer()) << key;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Predictions, SonycGolden,
                         ::testing::Values("pred_medium_31col", "pred_weak_ties", "edge_pred"),
                         [](const auto& instance) { return std::string(instance.param); });

class SonycCountsGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(SonycCountsGolden, EdgeCasesAgreeAtEveryThreshold) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const std::filesystem::path folder = golden / "sonyc-metrics";
  const bool fine = std::string(GetParam()) == "fine";
  const LabeledScores data = read_case(folder / "edge_annotations.csv", folder / "edge_pred.csv");
  const CsvTable table = CsvTable::read(folder / (std::string("edge_counts_") + GetParam() + ".csv"));
  const auto at = table.require({"coarse_id", "threshold", "TP", "FP", "FN", "P", "R", "F"});
  std::map<int, std::vector<CsvRow>> rows;
  for (const CsvRow& row : table.rows()) rows[std::stoi(row.fields[at[0]])].push_back(row);
  ASSERT_EQ(rows.size(), 8U);
  const std::vector<std::uint32_t> once(data.n_clips(), 1);
  for (const auto& [id, wanted] : rows) {
    const CategoryCounts category(ScoreView(data.truth, data.scores, data.n_tags()),
                                  testing::sonyc_category(id, fine));
    std::size_t n = 0;
    category.visit(once, [&, id = id, &wanted = wanted](std::size_t row, const LevelCounts& counts) {
      ASSERT_LT(n, wanted.size());
      const std::vector<std::string>& fields = wanted[n++].fields;
      EXPECT_EQ(category.thresholds()[row], std::stof(fields[at[1]])) << id;
      EXPECT_EQ(counts.true_positives, std::stoi(fields[at[2]])) << id << " at " << fields[at[1]];
      EXPECT_EQ(counts.false_positives, std::stoi(fields[at[3]])) << id << " at " << fields[at[1]];
      EXPECT_EQ(counts.false_negatives, std::stoi(fields[at[4]])) << id << " at " << fields[at[1]];
      EXPECT_NEAR(counts.precision(), std::stod(fields[at[5]]), 1e-12);
      EXPECT_NEAR(counts.recall(), std::stod(fields[at[6]]), 1e-12);
      EXPECT_NEAR(counts.f1(), std::stod(fields[at[7]]), 1e-12);
    });
    EXPECT_EQ(n, wanted.size()) << id;
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, SonycCountsGolden, ::testing::Values("coarse", "fine"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace earmark
