// `earmark predict`: whole clips and clips in segments.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "app/program.h"
#include "audio/wav_bytes.h"
#include "audio/write_wav.h"
#include "core/csv.h"
#include "core/file.h"
#include "core/rng.h"
#include "data/clip_part.h"

namespace earmark {
namespace {

using testing::Ran;
using testing::run_program;
using testing::Scratch;

constexpr const char* kShippedBundle = EARMARK_SOURCE_DIR "/models/esc10.earmark";
constexpr std::size_t kSecond = 44100;

// A clip of 3.5 s whose seconds sound unlike each other, and the stretches that segments of 1 s are: the last
// ends with it.
class PredictVerb : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!EARMARK_WITH_TORCH && !EARMARK_WITH_DNNL) GTEST_SKIP() << "built without an engine";
    Waveform whole{44100, 1, {}};
    Rng rng(1, "test_predict");
    for (std::size_t k = 0; k < 7 * kSecond / 2; ++k) {
      const double tone =
          std::sin(6.28 * 300.0 * static_cast<double>(1 + k / kSecond) * static_cast<double>(k) / 44100.0);
      whole.samples.push_back(static_cast<float>(k / kSecond % 2 == 0 ? 0.3 * tone : 0.05 * rng.normal()));
    }
    clips_ = {{"whole.wav", whole}};
    for (std::size_t i = 0; i < 3; ++i)
      clips_["part" + std::to_string(i) + ".wav"] = stretch_of(whole, i * kSecond, (i + 1) * kSecond);
    clips_["part3.wav"] = stretch_of(whole, 5 * kSecond / 2, 7 * kSecond / 2);
    std::string manifest = "file,tags\n";
    const char* tags[] = {"chainsaw",   "clock_tick", "crackling_fire", "crying_baby", "dog",
                          "helicopter", "rain",       "rooster",        "sea_waves",   "sneezing"};
    for (int i = 0; i < 10; ++i)
      clips_["tag" + std::to_string(i) + ".wav"] = stretch_of(whole, 0, kSecond / 2);
    for (const auto& [name, wave] : clips_) {
      write_wav(scratch_ / name, wave);
      manifest += name + "," + (name.starts_with("tag") ? tags[name[3] - '0'] : "dog") + "\n";
    }
    scratch_.write("manifest.csv", manifest);
  }
  Ran predict(const std::string& output, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"predict",
                                       "--model",
                                       kShippedBundle,
                                       "--dataset",
                                       "folder",
                                       "--data-root",
                                       scratch_.path().string(),
                                       "--split",
                                       "all",
                                       "--output",
                                       (scratch_ / output).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }
  std::map<std::string, std::vector<double>> scores(const std::string& output) const {
    std::map<std::string, std::vector<double>> all;
    const CsvTable table = CsvTable::read(scratch_ / output);
    for (const CsvRow& row : table.rows()) {
      for (std::size_t k = 1; k < row.fields.size(); ++k)
        all[row.fields[0]].push_back(std::stod(row.fields[k]));
    }
    return all;
  }
  Scratch scratch_;
  std::map<std::string, Waveform> clips_;
};

TEST_F(PredictVerb, SegmentsGiveTheMeanOfWhatEachIsAloneAndTheLastEndsWithTheClip) {
  Ran ran = predict("whole.csv");
  ASSERT_EQ(ran.status, 0) << ran.err;
  ran = predict("segments.csv", {"--segment-s", "1"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const auto whole = scores("whole.csv"), segments = scores("segments.csv");
  ASSERT_EQ(whole.size(), clips_.size());
  double furthest = 0.0;
  for (std::size_t k = 0; k < 10; ++k) {
    double mean = 0.0;
    for (int i = 0; i < 4; ++i) mean += whole.at("part" + std::to_string(i) + ".wav")[k] / 4.0;
    EXPECT_NEAR(segments.at("whole.wav")[k], mean, 2e-6) << k;  // as many digits as the table has
    furthest = std::max(furthest, std::abs(whole.at("whole.wav")[k] - mean));
  }
  EXPECT_GT(furthest, 0.01);  // the whole clip in one pass is something else
  // A clip of one segment, or shorter than one, is heard whole.
  EXPECT_EQ(segments.at("part2.wav"), whole.at("part2.wav"));
  EXPECT_EQ(segments.at("tag4.wav"), whole.at("tag4.wav"));
}

TEST_F(PredictVerb, WhereEachClipHasOneTagOneWithoutSoundGetsAllOfThemAlike) {
  scratch_.write("void.wav", testing::wav(testing::format_chunk(1, 1, 44100, 16), ""));
  const std::string manifest = read_text(scratch_ / "manifest.csv");
  scratch_.write("manifest.csv", manifest + "void.wav,dog\n");
  const Ran one_tag = predict("void.csv");
  EXPECT_EQ(one_tag.status, 0) << one_tag.err;
  EXPECT_NE(one_tag.err.find("void.wav: a header and no sound; every tag has the same score"),
            std::string::npos)
      << one_tag.err;
  EXPECT_EQ(scores("void.csv").at("void.wav"), std::vector<double>(10, 0.1));
  scratch_.write("manifest.csv", manifest + "void.wav,dog;rain\n");
  const Ran several = predict("several.csv");
  EXPECT_EQ(several.status, 1) << several.err;
  EXPECT_EQ(scores("several.csv").count("void.wav"), 0U);
}

TEST_F(PredictVerb, AWeightForTheUnknownWantsATagForIt) {
  const Ran ran = predict("never.csv", {"--unknown-weight", "5"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("--unknown-weight: data set folder has no tag for what is unknown, got 5"),
            std::string::npos)
      << ran.err;
}

TEST_F(PredictVerb, ANegativeSegmentIsBadUsage) {
  const Ran ran = predict("never.csv", {"--segment-s", "-1"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("--segment-s"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace earmark
