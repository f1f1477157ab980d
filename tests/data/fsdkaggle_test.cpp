#include <gtest/gtest.h>

#include "data/check.h"
#include "data/dataset_fixture.h"
#include "data/fsdkaggle2018.h"
#include "data/fsdkaggle2019.h"
#include "eval/score_table.h"
#include "golden_path.h"

namespace earmark {
namespace {

using namespace testing;
using Names = std::vector<std::string>;

TEST(FsdKaggle2018, ReadsTheListsPublishedAfterTheCompetition) {
  const Scratch dir;
  write_files(dir, fsdkaggle2018_files());
  const Dataset data = load_dataset("fsdkaggle2018", dir.path());
  EXPECT_EQ(data.tags.size(), 41U);
  EXPECT_TRUE(data.parents.empty());
  EXPECT_TRUE(data.single_label);
  EXPECT_TRUE(data.warnings.empty()) << joined(data.warnings);
  ASSERT_EQ(data.clips.size(), 6U);
  const Clip& hat = clip_of(data, "00044347.wav");
  EXPECT_EQ(tags_of(data, hat), Names{"Hi-hat"});
  EXPECT_EQ(hat.split, "train");
  EXPECT_FALSE(hat.verified);
  EXPECT_TRUE(clip_of(data, "001ca53d.wav").verified);
  EXPECT_EQ(hat.group, "28739");
  EXPECT_EQ(hat.path, dir / "FSDKaggle2018.audio_train/00044347.wav");
  const Clip& test = clip_of(data, "0038a046.wav");
  EXPECT_EQ(test.split, "test");
  EXPECT_TRUE(test.verified);
  EXPECT_EQ(test.metadata.at("usage"), "Public");
  EXPECT_EQ(test.metadata.at("freesound_id"), "90621");
  EXPECT_EQ(test.metadata.at("license"), "Attribution");
}

TEST(FsdKaggle2018, ALabelSpeltWithAnUnderscoreIsTakenAndTold) {
  const Scratch dir;
  Files files = fsdkaggle2018_files();
  std::string& list = files["FSDKaggle2018.meta/train_post_competition.csv"];
  list = with(list, "Hi-hat", "Hi_hat");
  write_files(dir, files);
  const Dataset data = load_dataset("fsdkaggle2018", dir.path());
  EXPECT_EQ(tags_of(data, clip_of(data, "00044347.wav")), Names{"Hi-hat"});
  EXPECT_EQ(data.warnings, Names{"1 labels 'Hi_hat' are taken as 'Hi-hat'"});
}

TEST(FsdKaggle2018, TestClipsOfTheCompetitionHaveNoKnownLabel) {
  const Scratch dir;
  dir.write("train.csv", "fname,label,manually_verified\na.wav,Cello,1\n");
  dir.write("sample_submission.csv", "fname,label\nb.wav,Laughter Hi-Hat Flute\n");
  dir.write("audio_train/a.wav", tiny_wav(1));
  dir.write("audio_test/b.wav", tiny_wav(2));
  const Dataset data = load_dataset("fsdkaggle2018", dir.path());
  ASSERT_EQ(data.clips.size(), 2U);
  EXPECT_TRUE(data.clips[0].verified);
  EXPECT_EQ(data.clips[1].targets, std::vector<float>(41, kUnknownTarget));
  EXPECT_FALSE(data.clips[1].verified);
}

TEST(FsdKaggle2019, ExcerptsAreClipsOfTheDataSetAndUntaggedOnesCanBeLeftOut) {
  const Scratch dir;
  write_files(dir, fsdkaggle2019_files());
  DatasetOptions options;
  options.excerpts.cuts = 2;
  const Dataset data = load_dataset("fsdkaggle2019", dir.path(), options);
  const Clip& part = clip_of(data, "noisy/000b6cfb.wav#1.2");
  EXPECT_GT(part.from, 0.0);
  EXPECT_EQ(part.to, 1.0);
  EXPECT_EQ(tags_of(data, part), (Names{"Bus", "Motorcycle", "Run"}));
  EXPECT_EQ(clip_of(data, "0006ae4e.wav").to, 1.0);

  ScoreTable labels;
  labels.tags = data.tags;
  labels.clip_ids = {part.id};
  labels.scores.assign(data.tags.size(), 0.0f);
  write_score_table(dir / "labels.csv", labels);
  options.new_labels = (dir / "labels.csv").string();
  EXPECT_EQ(load_dataset("fsdkaggle2019", dir.path(), options).clips.size(), data.clips.size());
  options.drop_untagged = true;
  EXPECT_EQ(load_dataset("fsdkaggle2019", dir.path(), options).clips.size(), data.clips.size() - 1);
  // Of soft labels the same rule as in an evaluation: a tag is there from 0.5.
  for (const auto& [score, n_dropped] : {std::pair{0.49f, 1U}, std::pair{0.5f, 0U}}) {
    labels.scores[0] = score;
    write_score_table(dir / "labels.csv", labels);
    EXPECT_EQ(load_dataset("fsdkaggle2019", dir.path(), options).clips.size(), data.clips.size() - n_dropped);
  }
}

TEST(FsdKaggle2018, EveryProblemIsNamedWithItsLine) {
  const Scratch dir;
  Files files = fsdkaggle2018_files();
  files["FSDKaggle2018.meta/train_post_competition.csv"] =
      "\xEF\xBB\xBF"
      "fname,label,manually_verified,freesound_id,license\r\n"
      "00044347.wav,Hi-hat,0,28739,\"Attri\"\"bution\"\r\n"
      "00044347.wav,Hi-hat,0,28739,Attribution\r\n"
      "001ca53d.wav,Saxofone,2,x8827,Attribution\r\n"
      "../002d256b.wav,Trumpet,0,10897,CC0\r\n"
      "notes.txt,Trumpet,0,1,CC0\r\n"
      "gone.wav,Trumpet,0,1,CC0\r\n"
      ",Trumpet,0,1,CC0\r\n"
      "0033e230.wav,Glockenspiel,1,250091,Attribution\r\n"
      "0038a046.wav,Oboe,1,2,CC0\r\n";
  files["FSDKaggle2018.meta/test_post_competition_scoring_clips.csv"] =
      "fname,label,usage,freesound_id,license\n"
      "00326aa9.wav,Oboe,Secret,355125,Attribution\n"
      "0038a046.wav,Oboe,Public,1,CC0\n";
  files["FSDKaggle2018.audio_train/0033e230.wav"] = "";
  files["FSDKaggle2018.audio_train/0038a046.wav"] = tiny_wav(3);
  write_files(dir, files);
  const std::string text = refusal("fsdkaggle2018", dir);
  expect_parts(text,
               {"train_post_competition.csv:3: '00044347.wav' is listed twice",
                "train_post_competition.csv:4: label: 'Saxofone' is none of the 41 labels, did you mean "
                "'Saxophone'?",
                "train_post_competition.csv:4: manually_verified: must be 0 or 1, got '2'",
                "train_post_competition.csv:4: freesound_id: must be a whole number, got 'x8827'",
                "train_post_competition.csv:5: a recording has a plain name, without a folder, got "
                "'../002d256b.wav'",
                "train_post_competition.csv:6: 'notes.txt' is not the name of a sound file",
                "train_post_competition.csv:7: the recording",
                "train_post_competition.csv:8: the name of the recording is empty",
                "train_post_competition.csv:9: the recording", "0033e230.wav is empty",
                "scoring_clips.csv:2: usage: must be Public or Private, got 'Secret'",
                "scoring_clips.csv:3: '0038a046.wav' is in another list too"});
  EXPECT_EQ(text.find("csv:2: label"), std::string::npos) << text;
}

TEST(FsdKaggle2018, MissingColumnsListsAndFoldersAreNamed) {
  const Scratch nothing;
  expect_parts(refusal("fsdkaggle2018", nothing),
               {nothing.path().string(), "train_post_competition.csv", "sample_submission.csv", "train.csv"});
  const Scratch dir;
  Files files = fsdkaggle2018_files();
  files["FSDKaggle2018.meta/train_post_competition.csv"] = "fname,label,label,freesound_id\n";
  write_files(dir, files);
  std::filesystem::remove_all(dir / "FSDKaggle2018.audio_test");
  expect_parts(refusal("fsdkaggle2018", dir),
               {"train_post_competition.csv:1: there is no column 'manually_verified'",
                "train_post_competition.csv:1: there is no column 'license'",
                "train_post_competition.csv:1: column 'label' is there twice",
                "train_post_competition.csv: lists no recordings"});
}

TEST(FsdKaggle2018, WhoOnlyTrainsNeedsNoTestRecordings) {
  const Scratch dir;
  write_files(dir, fsdkaggle2018_files());
  std::filesystem::remove_all(dir / "FSDKaggle2018.audio_test");
  const Dataset data = load_dataset("fsdkaggle2018", dir.path());
  EXPECT_EQ(data.clips.size(), 4U);
  expect_parts(joined(data.warnings),
               {"lists 2 recordings, but there is no folder FSDKaggle2018.audio_test"});
  std::filesystem::remove_all(dir / "FSDKaggle2018.audio_train");
  expect_parts(refusal("fsdkaggle2018", dir),
               {"lists 4 recordings, but there is no folder FSDKaggle2018.audio_train or audio_train"});
  DatasetOptions options;
  options.allow_missing = true;
  EXPECT_EQ(load_dataset("fsdkaggle2018", dir.path(), options).clips.size(), 6U);
}

TEST(FsdKaggle2018, RecordingsInNoListAreCountedAndChecked) {
  const Scratch dir;
  write_files(dir, fsdkaggle2018_files());
  dir.write("FSDKaggle2018.audio_train/more.wav", tiny_wav(9));
  const Dataset data = load_dataset("fsdkaggle2018", dir.path());
  ASSERT_EQ(data.unlisted.size(), 1U);
  expect_parts(joined(data.warnings), {"1 recordings are in no list", "more.wav"});
  const DatasetCheck check = check_dataset(data, {});
  EXPECT_EQ(check.extra, data.unlisted);
  EXPECT_TRUE(check.good());
}

TEST(FsdKaggle2018, AnAnnotationListAloneTellsTheTruth) {
  const Scratch dir;
  write_files(dir, fsdkaggle2018_files());
  DatasetOptions options;
  options.annotations = dir / "FSDKaggle2018.meta/test_post_competition_scoring_clips.csv";
  const Dataset data = load_dataset("fsdkaggle2018", "", options);
  ASSERT_EQ(data.clips.size(), 2U);
  EXPECT_EQ(data.clips[0].split, "test");
  EXPECT_EQ(tags_of(data, data.clips[0]), Names{"Oboe"});
  EXPECT_TRUE(data.warnings.empty()) << joined(data.warnings);  // recordings are not looked for
}

TEST(FsdKaggle2018, TheRealSubsetReads) {
  EARMARK_NEEDS(root, "EARMARK_DATA");
  const Dataset data = load_dataset("fsdkaggle2018", root / "FSDKaggle2018-subset");
  EXPECT_EQ(data.clips.size(), 200U);
  std::vector<int> per_tag(41, 0);
  for (const Clip& clip : data.clips) {
    for (std::size_t tag = 0; tag < 41; ++tag) per_tag[tag] += clip.targets[tag] == 1.0f;
  }
  EXPECT_EQ(std::count(per_tag.begin(), per_tag.end(), 20), 10);
  EXPECT_EQ(std::count(per_tag.begin(), per_tag.end(), 0), 31);
  // This copy's list has neither verification nor the official spelling of one class.
  expect_parts(joined(data.warnings),
               {"there is no column 'manually_verified'", "20 labels 'Hi_hat' are taken as 'Hi-hat'"});
  EXPECT_EQ(data.warnings.size(), 2U);
}

TEST(FsdKaggle2019, ReadsCuratedNoisyAndTest) {
  const Scratch dir;
  write_files(dir, fsdkaggle2019_files());
  const Dataset data = load_dataset("fsdkaggle2019", dir.path());
  EXPECT_EQ(data.tags.size(), 80U);
  EXPECT_FALSE(data.single_label);
  ASSERT_EQ(data.clips.size(), 6U);
  const Clip& curated = clip_of(data, "0019ef41.wav");
  EXPECT_EQ(tags_of(data, curated), (Names{"Raindrop", "Trickle_and_dribble"}));
  EXPECT_EQ(curated.metadata.at("subset"), "curated");
  EXPECT_TRUE(curated.verified);
  EXPECT_EQ(curated.group, "17742");
  const Clip& noisy = clip_of(data, "noisy/000b6cfb.wav");
  EXPECT_EQ(tags_of(data, noisy), (Names{"Bus", "Motorcycle", "Run"}));
  EXPECT_EQ(noisy.metadata.at("subset"), "noisy");
  EXPECT_FALSE(noisy.verified);
  EXPECT_EQ(noisy.split, "train");
  EXPECT_EQ(noisy.group, "https://www.flickr.com/photos/3/4/");
  EXPECT_EQ(noisy.path.filename(), "000b6cfb.wav");
  const Clip& test = clip_of(data, "426eb1e0.wav");
  EXPECT_EQ(test.split, "test");
  EXPECT_TRUE(test.verified);
  EXPECT_EQ(test.metadata.at("usage"), "Private");
  EXPECT_EQ(test.metadata.count("subset"), 0U);
}

TEST(FsdKaggle2019, KnownBadClipsAreLeftOutUnlessKept) {
  const Scratch dir;
  write_files(dir, fsdkaggle2019_files());
  const Dataset data = load_dataset("fsdkaggle2019", dir.path());
  for (const Clip& clip : data.clips) EXPECT_NE(clip.id, "f76181c4.wav");
  expect_parts(joined(data.warnings),
               {"1 curated clips known to be silent or wrongly labelled", "f76181c4.wav"});
  EXPECT_TRUE(data.unlisted.empty());
  DatasetOptions options;
  options.keep_known_bad = true;
  const Dataset all = load_dataset("fsdkaggle2019", dir.path(), options);
  EXPECT_EQ(all.clips.size(), 7U);
  EXPECT_TRUE(all.warnings.empty()) << joined(all.warnings);
}

TEST(FsdKaggle2019, ASubsetNeedsNothingOfTheOther) {
  const Scratch dir;
  Files files = fsdkaggle2019_files();
  std::erase_if(files, [](const auto& file) { return file.first.find("noisy") != std::string::npos; });
  write_files(dir, files);
  DatasetOptions options;
  options.subset = TrainSubset::kCurated;
  options.keep_known_bad = true;
  const Dataset data = load_dataset("fsdkaggle2019", dir.path(), options);
  EXPECT_EQ(data.clips.size(), 5U);
  EXPECT_TRUE(data.warnings.empty()) << joined(data.warnings);
}

TEST(FsdKaggle2019, ReadsTheCompetitionsLayout) {
  const Scratch dir;
  dir.write("train_curated.csv", "fname,labels\na.wav,\"Bark,Meow\"\n");
  dir.write("train_noisy.csv", "fname,labels\na.wav,Buzz\n");
  dir.write("sample_submission.csv", "fname,Accordion,Bark\nc.wav,0,0\n");
  for (const char* name : {"train_curated/a.wav", "train_noisy/a.wav", "test/c.wav"}) dir.write(name, "x");
  const Dataset data = load_dataset("fsdkaggle2019", dir.path());
  ASSERT_EQ(data.clips.size(), 3U);
  EXPECT_EQ(tags_of(data, data.clips[0]), (Names{"Bark", "Meow"}));
  EXPECT_EQ(data.clips[1].id, "noisy/a.wav");
  EXPECT_EQ(data.clips[2].targets, std::vector<float>(80, kUnknownTarget));
  EXPECT_TRUE(data.warnings.empty()) << joined(data.warnings);
}

TEST(FsdKaggle2019, LabelsAndVocabularyAreChecked) {
  const Scratch dir;
  Files files = fsdkaggle2019_files();
  std::string& curated = files["FSDKaggle2019.meta/train_curated_post_competition.csv"];
  curated = with(curated, "wav,Bark", "wav,\"Bark,Bark,Borg,\"");
  std::string& vocabulary = files["FSDKaggle2019.meta/vocabulary.csv"];
  vocabulary = with(vocabulary, "Buzz", "Bizz");
  write_files(dir, files);
  expect_parts(
      refusal("fsdkaggle2019", dir),
      {"curated_post_competition.csv:2: labels: 'Bark' is named twice",
       "curated_post_competition.csv:2: label: 'Borg' is none of the 80 labels",
       "curated_post_competition.csv:2: label: '' is none of the 80 labels",
       "vocabulary.csv:12: names none of the 80 labels", "vocabulary.csv: label 'Buzz' is not there"});
}

}  // namespace
}  // namespace earmark
