#include "train/examples.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "data/simulate.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFeatures =
    "data: {dataset: folder}\nnormalize: none\n"
    "features: {kind: log_mel, sample_rate_hz: 16000, n_fft: 512, win_length: 400, hop_length: 160, "
    "n_mels: 32, f_max_hz: 8000, log: db}\n";

// Four simulated clips of one second, made once.
class Examples : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = fs::path(::testing::TempDir()) / ("earmark_examples_test_" + std::to_string(::getpid()));
    fs::remove_all(root_);
    SimulatedDatasetOptions options;
    options.n_clips = 4;
    options.n_folds = 2;
    options.clip.duration_s = 1.0;
    options.clip.sample_rate_hz = 16000;
    write_simulated_dataset(root_, options);
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  void SetUp() override {
    clips_ = std::make_unique<ClipStore>(load_dataset("folder", root_, {}).clips,
                                         ClipStoreOptions{.sample_rate_hz = 16000}, [](std::size_t) {});
    ASSERT_EQ(clips_->size(), 4U);
  }

  static Recipe recipe(const std::string& augment) {
    return parse_recipe(kFeatures + ("augment: [" + augment + "]\n"), "test");
  }

  static fs::path root_;
  std::unique_ptr<ClipStore> clips_;
};
fs::path Examples::root_;

TEST_F(Examples, EveryAugmentationKeepsTheSizeAndChangesTheFeatures) {
  for (const std::string kind : {"volume", "pitch_shift", "pink_noise", "shift_scale_rotate",
                                 "grid_distortion", "cutout", "time_warp"}) {
    SCOPED_TRACE(kind);
    const std::string always = kind == "pink_noise" ? ", min_ratio: 0, max_ratio: 100, max_peak: 10" : "";
    const Recipe made = recipe("{kind: " + kind + ", probability: 1" + always + "}");
    const ExampleMaker maker(made, *clips_);
    int n_changed = 0;
    for (std::size_t clip = 0; clip < 4; ++clip) {
      const Example plain = maker.plain(clip);
      for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
        const Visit visit{clip, 0};
        const Example example = maker.augmented(visit, epoch);
        EXPECT_EQ(maker.describe(visit, epoch).length, example.features.n_frames);
        ASSERT_EQ(example.features.values.size(), plain.features.values.size());
        EXPECT_EQ(example.targets, plain.targets);
        EXPECT_EQ(maker.augmented(visit, epoch).features.values, example.features.values) << "drawn anew";
        n_changed += example.features.values != plain.features.values ? 1 : 0;
      }
    }
    // No change is one of at least four volumes, and a shift of 0 frames one of seventeen time warps.
    EXPECT_GE(n_changed, kind == "volume" || kind == "time_warp" ? 6 : 16);
  }
}

TEST_F(Examples, AVolumeStepMovesTheWholeLogMelByItsDecibels) {
  const Recipe made = recipe("{kind: volume, step_db: 2, min_peak: 0, max_peak: 100}");
  const ExampleMaker maker(made, *clips_);
  for (std::uint64_t epoch = 0; epoch < 10; ++epoch) {
    const FeatureMap plain = maker.plain(1).features, louder = maker.augmented({1, 0}, epoch).features;
    const float step = louder.values[0] - plain.values[0];
    EXPECT_NEAR(step, 2 * std::round(step / 2), 1e-3);
    EXPECT_LE(std::fabs(step), 6.001f);
    for (std::size_t i = 0; i < plain.values.size(); ++i)
      ASSERT_NEAR(louder.values[i] - plain.values[i], step, 1e-3);
  }
}

TEST_F(Examples, WaveformStepsActInTheOrderOfTheRecipe) {
  // The noise has half the clip's largest sample and fits where it is the louder of the two: not before the
  // clip has been made quiet.
  const double peak = peak_of(*clips_->get(0));
  const std::string quiet = "{kind: volume, step_db: 40, max_steps: 1, min_peak: 0, max_peak: 1e-9}";
  const std::string noise = fmt::format(
      "{{kind: pink_noise, probability: 1, amplitude: {}, min_ratio: 1, max_ratio: 1e9, max_peak: 9}}",
      peak / 2);
  const Recipe noise_last = recipe(quiet + ", " + noise), noise_first = recipe(noise + ", " + quiet);
  const ExampleMaker last(noise_last, *clips_), first(noise_first, *clips_);
  int n_noisy = 0;
  for (std::uint64_t epoch = 0; epoch < 12; ++epoch) {
    const FeatureMap plain = first.plain(0).features;
    const FeatureMap a = first.augmented({0, 0}, epoch).features, b = last.augmented({0, 0}, epoch).features;
    const float step = a.values[0] - plain.values[0];  // 0 or -40 dB, and nothing else
    for (std::size_t i = 0; i < plain.values.size(); ++i)
      ASSERT_NEAR(a.values[i] - plain.values[i], step, 0.01);
    // Where the clip was made quiet first, the noise is all that is heard.
    n_noisy += std::fabs((b.values[1] - b.values[0]) - (plain.values[1] - plain.values[0])) > 0.01f ? 1 : 0;
  }
  EXPECT_GT(n_noisy, 0);
  EXPECT_LT(n_noisy, 12);
}

TEST_F(Examples, HolesAreFilledWithTheValueOfTheRecipe) {
  const Recipe made = recipe("{kind: cutout, probability: 1, n_holes: 1, bands: 1000, frames: 3, fill: -7}");
  const ExampleMaker maker(made, *clips_);
  const FeatureMap map = maker.augmented({2, 0}, 5).features;
  EXPECT_GE(std::ranges::count(map.values, -7.0f), 1);
}

TEST_F(Examples, WaveVariantsComeAgainInLaterEpochs) {
  Recipe made = recipe("{kind: time_shift}");
  made.train.wave_variants = 3;
  const ExampleMaker maker(made, *clips_);
  const auto heard = [&](std::uint64_t epoch) { return maker.augmented({1, 0}, epoch).features.values; };
  EXPECT_EQ(heard(0), heard(3));
  EXPECT_EQ(heard(2), heard(8));
  EXPECT_NE(heard(0), heard(1));
  EXPECT_NE(heard(1), heard(2));
}

TEST_F(Examples, AVariantKeptInACacheIsTheSame) {
  const fs::path folder = root_ / "variants_cache";
  DiskCache cache(folder, 1 << 26);
  const ClipStore cached(load_dataset("folder", root_, {}).clips,
                         ClipStoreOptions{.sample_rate_hz = 16000, .cache = &cache}, [](std::size_t) {});
  Recipe made = recipe("{kind: pitch_shift, probability: 1}");
  made.train.wave_variants = 2;
  const ExampleMaker plain(made, *clips_), keeping(made, cached);
  for (const std::uint64_t epoch : {0, 1, 2, 3}) {
    EXPECT_EQ(plain.augmented({2, 0}, epoch).features.values,
              keeping.augmented({2, 0}, epoch).features.values);
  }
  EXPECT_GE(cache.counts().hits, 2U);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace earmark
