#include "data/check.h"

#include <gtest/gtest.h>

#include "data/dataset_fixture.h"

namespace earmark {
namespace {

using namespace testing;

TEST(CheckDataset, NamesClipsOfAnotherRateAndRecordingsInNoList) {
  const Scratch dir;
  std::string list = "fname,label,manually_verified\n";
  for (int i = 0; i < 12; ++i) {
    const std::string name = "clip" + std::to_string(i) + ".wav";
    list += name + ",Cello,1\n";
    dir.write("audio_train/" + name, wav(format_chunk(1, 1, i == 7 ? 48000 : 44100, 16), ramp_16(100 + i)));
  }
  dir.write("train.csv", list);
  dir.write("audio_train/stray.wav", tiny_wav(1));
  const Dataset data = load_dataset("fsdkaggle2018", dir.path());
  const DatasetCheck check = check_dataset(data);
  EXPECT_EQ(check.usual_sample_rate_hz, 44100);
  EXPECT_EQ(check.wrong_sample_rate, std::vector<std::size_t>{7});
  ASSERT_EQ(check.extra.size(), 1U);
  EXPECT_EQ(check.extra[0].filename(), "stray.wav");
  EXPECT_TRUE(check.good());  // odd, not bad
  const Value value = to_value(data, check);
  EXPECT_EQ(value.at("wrong_sample_rate").as_list().at(0).at("problem").as_string(), "48000 Hz");
  EXPECT_EQ(value.at("extra").as_list().size(), 1U);
}

TEST(CheckDataset, ExcerptsOfOneFileAreNoCopiesOfEachOtherAndAsLongAsTheirParts) {
  const Scratch dir;
  std::string list = "fname,label,manually_verified\n";
  for (int i = 0; i < 12; ++i) {
    const std::string name = "clip" + std::to_string(i) + ".wav";
    list += name + ",Cello," + (i < 11 ? "1" : "0") + "\n";
    // The last two are the same bytes.
    dir.write("audio_train/" + name, wav(format_chunk(1, 1, 44100, 16), ramp_16(1000 + (i == 11 ? 10 : i))));
  }
  dir.write("train.csv", list);
  DatasetOptions options;
  options.excerpts.cuts = 2;
  const Dataset data = load_dataset("fsdkaggle2018", dir.path(), options);
  ASSERT_EQ(data.clips.size(), 15U);  // the last one is four
  std::size_t n_told = 0;
  CheckOptions telling;
  telling.on_progress = [&](std::size_t done) { n_told = done; };
  const DatasetCheck check = check_dataset(data, telling);
  EXPECT_EQ(check.duplicates, (std::vector<std::vector<std::size_t>>{{10, 11}}));
  EXPECT_TRUE(check.wrong_length.empty()) << "whoever cut them knows";
  EXPECT_EQ(n_told, 15U);
  for (std::size_t i = 11; i < 15; ++i) {
    EXPECT_DOUBLE_EQ(check.clips[i].duration_s, (data.clips[i].to - data.clips[i].from) * 1010.0 / 44100)
        << i;
  }
  EXPECT_DOUBLE_EQ(check.clips[11].duration_s + check.clips[12].duration_s, 1010.0 / 44100);
}

TEST(CheckDataset, WithoutAUsualRateNoneIsWrong) {
  const Scratch dir;
  std::string list = "fname,label\n";
  for (int i = 0; i < 12; ++i) {
    const std::string name = std::to_string(i) + ".wav";
    list += name + ",Cello\n";
    dir.write("audio_train/" + name,
              wav(format_chunk(1, 1, i % 3 == 0 ? 48000 : 44100, 16), ramp_16(100 + i)));
  }
  dir.write("train.csv", list);
  const DatasetCheck check = check_dataset(load_dataset("fsdkaggle2018", dir.path()));
  EXPECT_EQ(check.usual_sample_rate_hz, 0);
  EXPECT_TRUE(check.wrong_sample_rate.empty());
}

}  // namespace
}  // namespace earmark
