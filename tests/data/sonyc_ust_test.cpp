#include "data/sonyc_ust.h"

#include <gtest/gtest.h>

#include "core/csv.h"
#include "data/dataset_fixture.h"
#include "data/sonyc_annotations.h"
#include "golden_path.h"

namespace earmark {
namespace {

using namespace testing;
using Names = std::vector<std::string>;

const Names kSiren{"5_alert-signal", "5-3_siren"}, kDog{"8_dog", "8-1_dog-barking-whining"};

TEST(SonycUst, TrainsOnAnyVoteOfTheCrowdAndTestsOnTheConsensus) {
  const Scratch dir;
  write_files(dir, sonyc_files(false));
  const Dataset data = load_dataset("sonyc_ust", dir.path());
  ASSERT_EQ(data.tags.size(), 37U);
  EXPECT_EQ(data.parents[8], 0);
  EXPECT_TRUE(data.is_other[11]);
  EXPECT_FALSE(data.single_label);
  ASSERT_EQ(data.clips.size(), 4U);
  const Clip& train = clip_of(data, "01_000001.wav");
  EXPECT_EQ(tags_of(data, train), (Names{"5_alert-signal", "8_dog", "5-3_siren", "8-1_dog-barking-whining"}));
  EXPECT_EQ(train.split, "train");
  EXPECT_EQ(train.group, "1");
  EXPECT_EQ(train.metadata.at("sensor_id"), "1");
  EXPECT_FALSE(train.verified);
  EXPECT_EQ(train.path, dir / "train/01_000001.wav");
  const Clip& held_out = clip_of(data, "00_000003.wav");
  EXPECT_EQ(tags_of(data, held_out), kDog);
  EXPECT_TRUE(held_out.verified);
  EXPECT_EQ(clip_of(data, "03_000005.wav").path, dir / "audio-eval/03_000005.wav");
  ASSERT_EQ(data.warnings.size(), 1U) << joined(data.warnings);
  expect_parts(data.warnings[0], {"1 clips without a row that counts are left out: 00_000004.wav"});
}

TEST(SonycUst, UnlabelledClipsMayStayWithoutAnyKnownTag) {
  const Scratch dir;
  write_files(dir, sonyc_files(false));
  DatasetOptions options;
  options.keep_unlabelled = true;
  const Dataset data = load_dataset("sonyc_ust", dir.path(), options);
  EXPECT_EQ(data.clips.size(), 5U);
  EXPECT_EQ(clip_of(data, "00_000004.wav").targets, std::vector<float>(37, kUnknownTarget));
}

TEST(SonycUst, TheOfficialTruthDoesNotDependOnWhatATrainingReads) {
  const Scratch dir;
  write_files(dir, sonyc_files(false));
  DatasetOptions options;
  options.rows = options.held_out_rows = VoteRows::kAll;
  options.labels = VoteRule::kSoft;
  // One of the crowd and one of the team heard a siren; a member of the team and the consensus a dog.
  const Dataset soft = load_dataset("sonyc_ust", dir.path(), options);
  const Clip& clip = clip_of(soft, "00_000003.wav");
  EXPECT_FLOAT_EQ(clip.targets[*soft.tag_index("5_alert-signal")], 2.0f / 3.0f);
  EXPECT_FLOAT_EQ(clip.targets[*soft.tag_index("8_dog")], 2.0f / 3.0f);
  options.labels = VoteRule::kOfficial;
  const Dataset official = load_dataset("sonyc_ust", dir.path(), options);
  EXPECT_EQ(tags_of(official, clip_of(official, "00_000003.wav")), kDog);
  EXPECT_EQ(official.clips.size(), 2U);  // only they have a consensus
}

TEST(SonycUst, VerifiedOnlyKeepsWhatTheTeamAgreedUpon) {
  const Scratch dir;
  write_files(dir, sonyc_files(false));
  DatasetOptions options;
  options.verified_only = true;
  options.held_out_rows = VoteRows::kCrowd;
  const Dataset data = load_dataset("sonyc_ust", dir.path(), options);
  ASSERT_EQ(data.clips.size(), 1U);
  EXPECT_EQ(tags_of(data, data.clips[0]), kSiren);  // the crowd's word on a verified clip
}

TEST(SonycUst, Release2TellsPlaceAndTime) {
  const Scratch dir;
  write_files(dir, sonyc_files(true));
  const Dataset data = load_dataset("sonyc_ust", dir.path());
  const Clip& clip = clip_of(data, "02_000002.wav");
  EXPECT_EQ(clip.path, dir / "audio/02_000002.wav");
  const std::map<std::string, std::string> expected{
      {"sensor_id", "2"}, {"borough", "3"}, {"block", "546"}, {"latitude", "40.69"}, {"longitude", "-73.99"},
      {"year", "2018"},   {"week", "33"},   {"day", "4"},     {"hour", "13"}};
  EXPECT_EQ(clip.metadata, expected);
}

TEST(SonycUst, RecordingsMayLieInTheFoldersOfTheirArchives) {
  const Scratch dir;
  Files files = sonyc_files(true);
  files["audio-eval-1/03_000005.wav"] = std::move(files.extract("audio/03_000005.wav").mapped());
  write_files(dir, files);
  EXPECT_EQ(clip_of(load_dataset("sonyc_ust", dir.path()), "03_000005.wav").path,
            dir / "audio-eval-1/03_000005.wav");
  dir.write("audio/03_000005.wav", tiny_wav(1));
  expect_parts(refusal("sonyc_ust", dir), {"annotations.csv:12: the recording is there twice"});
}

TEST(SonycUst, ColumnsAreKnownByTheirNames) {
  const Scratch dir;
  const Files files = sonyc_files(true);
  write_files(dir, files);
  const Dataset straight = load_dataset("sonyc_ust", dir.path());
  // The same table with its columns in the reverse order.
  const CsvTable table = CsvTable::parse(files.at("annotations.csv"), "annotations.csv");
  std::string reversed = csv_line({table.columns().rbegin(), table.columns().rend()});
  for (const CsvRow& row : table.rows()) reversed += csv_line({row.fields.rbegin(), row.fields.rend()});
  dir.write("annotations.csv", reversed);
  const Dataset turned = load_dataset("sonyc_ust", dir.path());
  ASSERT_EQ(turned.clips.size(), straight.clips.size());
  for (std::size_t i = 0; i < turned.clips.size(); ++i) {
    EXPECT_EQ(turned.clips[i].targets, straight.clips[i].targets);
    EXPECT_EQ(turned.clips[i].metadata, straight.clips[i].metadata);
  }
}

TEST(SonycUst, AFaultyCoarseTagIsCountedAndMended) {
  const Scratch dir;
  Files files = sonyc_files(false);
  std::vector<SonycFixtureRow> rows = sonyc_rows();
  rows[3].votes = {{"2_machinery-impact", 1}, {"3_non-machinery-impact", 1}, {"3-1_non-machinery-impact", 1}};
  rows[4].votes = {{"7-3_large-crowd", 1}};
  files["annotations.csv"] = sonyc_csv(rows);
  write_files(dir, files);
  DatasetOptions options;
  const Names faulty{"2_machinery-impact", "3_non-machinery-impact", "3-1_non-machinery-impact",
                     "7-3_large-crowd"};
  const Dataset as_is = load_dataset("sonyc_ust", dir.path(), options);
  EXPECT_EQ(tags_of(as_is, clip_of(as_is, "02_000002.wav")), faulty);
  expect_parts(joined(as_is.warnings),
               {"1 rows set 2_machinery-impact because of 3-1_non-machinery-impact", "annotations.csv:5",
                "1 times a coarse tag is not what its fine tags say", "annotations.csv:6"});
  options.repair_coarse = true;
  const Dataset mended = load_dataset("sonyc_ust", dir.path(), options);
  EXPECT_EQ(
      tags_of(mended, clip_of(mended, "02_000002.wav")),
      (Names{"3_non-machinery-impact", "7_human-voice", "3-1_non-machinery-impact", "7-3_large-crowd"}));
}

TEST(SonycUst, MendingLeavesWhatNobodyWasAskedAlone) {
  const Scratch dir;
  write_files(dir, sonyc_files(false));
  DatasetOptions options;
  options.repair_coarse = true;
  options.labels = VoteRule::kSoft;
  options.held_out_rows = VoteRows::kTeam;
  const Dataset data = load_dataset("sonyc_ust", dir.path(), options);
  const Clip& clip = clip_of(data, "00_000003.wav");
  EXPECT_EQ(clip.targets[*data.tag_index("1_engine")], kUnknownTarget);
  EXPECT_EQ(tags_of(data, clip), (Names{"5_alert-signal", "8_dog", "5-3_siren", "8-1_dog-barking-whining"}));
}

TEST(SonycUst, EveryProblemIsNamedWithItsLine) {
  const Scratch dir;
  Files files = sonyc_files(true);
  std::vector<SonycFixtureRow> rows = sonyc_rows();
  rows[1].split = "test";
  rows[3].file = "../02_000002.wav";
  rows[4].file = "02_999999.wav";
  rows[5].sensor = "-1";
  rows[6].split = "dev";
  std::string text = sonyc_csv(rows, "3,546,40.69,-73.99,2018,33,4,13");
  text = with(text, "train,1,01_000001.wav,13,3,546,40.69,-73.99,2018,33,4,13,0.0",
              "train,1,01_000001.wav,x3,3,546,400.69,-73.99,2018,33.5,4,13,2.0");
  text = with(text, ",near", ",close");
  files["annotations.csv"] = text;
  write_files(dir, files);
  expect_parts(refusal("sonyc_ust", dir),
               {"annotations.csv:2: 5-3_siren_proximity: must be near, far, notsure or -1, got 'close'",
                "annotations.csv:4: annotator_id: must be a whole number, got 'x3'",
                "annotations.csv:4: 1-1_small-sounding-engine_presence: must be 1, 0 or -1, got '2.0'",
                "annotations.csv:4: latitude: must be a number in -90..90, got '400.69'",
                "annotations.csv:4: week: must be a whole number in 1..53, got '33.5'",
                "annotations.csv:5: a recording has a plain name", "annotations.csv:6: the recording",
                "annotations.csv:7: sensor_id: must be a whole number from 0, got '-1'",
                "annotations.csv:8: split: must be train, validate or test, got 'dev'"});
  rows = sonyc_rows();
  rows[1].split = "test";
  dir.write("annotations.csv", sonyc_csv(rows));
  expect_parts(refusal("sonyc_ust", dir),
               {"annotations.csv:3: split: '01_000001.wav' has 'test' here and 'train' in line 2"});
}

TEST(SonycUst, MissingFilesAndColumnsAreNamed) {
  const Scratch nothing;
  expect_parts(refusal("sonyc_ust", nothing),
               {nothing.path().string(), "neither annotations.csv nor annotations-dev.csv"});
  const Scratch dir;
  Files files = sonyc_files(true);
  std::string& text = files["annotations.csv"];
  text = with(text, ",1_engine_presence", ",1_engines_presence");
  text = with(text, ",1-1_small-sounding-engine_proximity", ",proximity");
  files["dcase-ust-taxonomy.yaml"] = with(files["dcase-ust-taxonomy.yaml"], "hoe-ram", "how-ram");
  write_files(dir, files);
  expect_parts(refusal("sonyc_ust", dir), {"annotations.csv:1: there is no column '1_engine_presence'",
                                           "dcase-ust-taxonomy.yaml: tag '2-3_hoe-ram' is not there",
                                           "dcase-ust-taxonomy.yaml: tag '2-3_how-ram' is not known"});
  dir.write("annotations.csv", with(text, "1_engines_presence", "1_engine_presence"));
  expect_parts(refusal("sonyc_ust", dir),
               {"annotations.csv:1: there is no column '1-1_small-sounding-engine_proximity'"});
}

TEST(SonycUst, RowsRepeatedByAnAnnotatorAreCounted) {
  const Scratch dir;
  Files files = sonyc_files(false);
  std::vector<SonycFixtureRow> rows = sonyc_rows();
  rows.push_back(rows[0]);
  rows.push_back(rows[6]);  // of the team, whose members write a row for each group of tags
  files["annotations.csv"] = sonyc_csv(rows);
  write_files(dir, files);
  expect_parts(joined(load_dataset("sonyc_ust", dir.path()).warnings),
               {"1 rows by an annotator who has one on that clip already", "annotations.csv:13"});
}

TEST(SonycAnnotations, KeepsEveryRowAndItsProximity) {
  const Scratch dir;
  write_files(dir, sonyc_files(true));
  const SonycAnnotations annotations = load_sonyc_annotations(dir / "annotations.csv");
  ASSERT_EQ(annotations.rows.size(), 11U);
  const SonycRow& row = annotations.rows[6];
  EXPECT_EQ(row.line, 8);
  EXPECT_EQ(row.votes.annotator, -1);
  const Taxonomy taxonomy = known_taxonomy("sonyc_ust");
  const std::size_t dog = *taxonomy.index("8-1_dog-barking-whining");
  EXPECT_EQ(row.votes.votes[dog], 1);
  EXPECT_EQ(row.votes.votes[*taxonomy.index("1_engine")], kNoVote);
  EXPECT_EQ(row.proximity[dog], Proximity::kNear);
  EXPECT_EQ(row.proximity[*taxonomy.index("8_dog")], Proximity::kNone);
  EXPECT_EQ(row.place_and_time[0], "2018");
}

// The targets of a reference file, by clip; its columns are tags with "_presence".
void expect_golden(const Dataset& data, const std::filesystem::path& golden) {
  const CsvTable table = CsvTable::read(golden);
  const std::size_t file = *table.column("audio_filename");
  const auto split = table.column("split");
  ASSERT_EQ(data.clips.size(), table.rows().size());
  std::map<std::string, const Clip*> clips;
  for (const Clip& clip : data.clips) clips[clip.id] = &clip;
  std::size_t n_wrong = 0;
  for (const CsvRow& row : table.rows()) {
    ASSERT_EQ(clips.count(row.fields[file]), 1U) << row.fields[file];
    const Clip& clip = *clips[row.fields[file]];
    if (split) {
      EXPECT_EQ(clip.split, row.fields[*split]);
    }
    for (std::size_t tag = 0; tag < data.tags.size(); ++tag) {
      const auto column = table.column(data.tags[tag] + "_presence");
      ASSERT_TRUE(column) << data.tags[tag];
      n_wrong += clip.targets[tag] != std::stof(row.fields[*column]);
    }
  }
  EXPECT_EQ(n_wrong, 0U);
}

TEST(SonycUst, RelabellingsClipsEqualTheReferences) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  DatasetOptions options;
  options.annotations = golden / "multitel/relabel_annotations.csv";
  options.rows = VoteRows::kAll;
  options.unverified_to_train = true;
  // The reference then means to put a network's labels in place of these, and by a slip does not.
  expect_golden(load_dataset("sonyc_ust", "", options), golden / "multitel/relabel_expected_as_coded.csv");
}

std::vector<int> positives(const Dataset& data, const std::string& split) {
  std::vector<int> n(8, 0);
  for (const Clip& clip : data.clips) {
    for (std::size_t tag = 0; tag < 8; ++tag) n[tag] += clip.split == split && clip.targets[tag] == 1.0f;
  }
  return n;
}

Dataset real_annotations(const std::filesystem::path& root, DatasetOptions options) {
  options.allow_missing = true;
  return load_dataset("sonyc_ust", root / "SONYC-UST-v1", options);
}

TEST(SonycUst, AnyVoteEqualsTheReferenceOnTheRealAnnotations) {
  EARMARK_NEEDS(root, "EARMARK_DATA");
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Dataset data = real_annotations(root, {});
  expect_golden(data, golden / "multitel/labels_any_vote_v1.csv");
  EXPECT_EQ(clip_of(data, "00_000066.wav").verified, true);
}

TEST(SonycUst, MajorityEqualsTheReferenceOnTheRealAnnotations) {
  EARMARK_NEEDS(root, "EARMARK_DATA");
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  DatasetOptions options;
  options.labels = VoteRule::kMinAgreement;
  options.rows = options.held_out_rows = VoteRows::kAll;
  const Dataset data = real_annotations(root, options);
  expect_golden(data, golden / "microsoft/labels_majority_vote.csv");
  // As published with that system's class weights.
  EXPECT_EQ(positives(data, "train"), (std::vector<int>{548, 304, 49, 108, 308, 45, 488, 106}));
  EXPECT_EQ(positives(data, "validate"), (std::vector<int>{197, 33, 8, 17, 80, 22, 179, 6}));
}

TEST(SonycUst, TheRealAnnotationsHaveTheKnownCountsAndFault) {
  EARMARK_NEEDS(root, "EARMARK_DATA");
  const SonycAnnotations annotations = load_sonyc_annotations(root / "SONYC-UST-v1/annotations.csv");
  EXPECT_EQ(annotations.rows.size(), 10349U);
  std::size_t n_near = 0, n_far = 0, n_unsure = 0;
  for (const SonycRow& row : annotations.rows) {
    n_near +=
        static_cast<std::size_t>(std::count(row.proximity.begin(), row.proximity.end(), Proximity::kNear));
    n_far +=
        static_cast<std::size_t>(std::count(row.proximity.begin(), row.proximity.end(), Proximity::kFar));
    n_unsure +=
        static_cast<std::size_t>(std::count(row.proximity.begin(), row.proximity.end(), Proximity::kNotSure));
  }
  // Counted in the file with another program.
  EXPECT_EQ(n_near, 4035U);
  EXPECT_EQ(n_far, 3019U);
  EXPECT_EQ(n_unsure, 1035U);
  DatasetOptions options;
  options.labels = VoteRule::kOfficial;
  EXPECT_EQ(real_annotations(root, options).clips.size(), 443U);
  const Dataset faulty = real_annotations(root, {});
  expect_parts(joined(faulty.warnings), {"as releases before 0.4 do"});
  options = {};
  options.repair_coarse = true;
  const Dataset mended = real_annotations(root, options);
  EXPECT_LT(positives(mended, "train")[1], positives(faulty, "train")[1]);
  for (const std::size_t coarse : {0, 2, 3, 4, 5, 6, 7})
    EXPECT_EQ(positives(mended, "train")[coarse], positives(faulty, "train")[coarse]);
}

}  // namespace
}  // namespace earmark
