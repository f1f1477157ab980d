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
