#include "train/examples.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "data/simulate.h"
#include "train/learner.h"

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

TEST_F(Examples, AClipThatGetsNoSecondOneHasItsGainAllTheSame) {
  const Recipe made = recipe("{kind: superpose_mixup, probability: 0}");
  const ExampleMaker maker(made, *clips_);
  std::set<float> steps;
  for (std::uint64_t epoch = 0; epoch < 8; ++epoch) {
    const FeatureMap plain = maker.plain(0).features, heard = maker.augmented({0, 0}, epoch).features;
    const float step_db = heard.values[0] - plain.values[0];
    EXPECT_LE(std::fabs(step_db), 20.0f * std::log10(2.0f) + 0.01f);
    for (std::size_t i = 0; i < plain.values.size(); ++i)
      ASSERT_NEAR(heard.values[i] - plain.values[i], step_db, 0.01);
    steps.insert(step_db);
  }
  EXPECT_EQ(steps.size(), 8U);
}

TEST_F(Examples, NormIsRefreshedInAnOrderThatIsNotTheListing) {
  const auto shuffled = refresh_order(*clips_, recipe(""));
  EXPECT_TRUE(
      std::is_permutation(shuffled.begin(), shuffled.end(), std::vector<std::size_t>{0, 1, 2, 3}.begin()));
  std::set<std::vector<std::size_t>> orders;
  for (int seed = 0; seed < 8; ++seed) {
    Recipe seeded = recipe("");
    seeded.seed = static_cast<std::uint64_t>(seed);
    EXPECT_EQ(refresh_order(*clips_, seeded), refresh_order(*clips_, seeded));
    orders.insert(refresh_order(*clips_, seeded));
  }
  EXPECT_GE(orders.size(), 4U);
}

constexpr const char* kWaveform =
    "data: {dataset: folder}\nnormalize: none\nloss: {kind: cross_entropy}\n"
    "features: {kind: waveform, sample_rate_hz: 16000, min_samples: 20000}\n"
    "model: {kind: single_block_densenet, input: waveform}\n";

TEST_F(Examples, WaveformsAreHeardWholeAndInSegmentsDividedByTheirPeak) {
  for (const int samples : {6000, 24000}) {
    const Recipe made = parse_recipe(
        fmt::format("{}augment: [{{kind: random_segment, samples: {}}}]", kWaveform, samples), "test");
    const ExampleMaker maker(made, *clips_);
    const auto whole = clips_->get(1);
    const FeatureMap plain = maker.plain(1).features;
    EXPECT_EQ(plain.n_frames, 20000) << "16 000 samples and silence";
    EXPECT_EQ(plain.values[2000], whole->samples[0] / static_cast<float>(peak_of(*whole)));
    int n_places = 0;
    std::vector<float> before;
    for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
      const FeatureMap heard = maker.augmented({1, 0}, epoch).features;
      EXPECT_EQ(heard.n_mels, 1);
      EXPECT_EQ(heard.n_frames, std::max(20000, samples));
      EXPECT_EQ(maker.describe({1, 0}, epoch).length, heard.n_frames);
      EXPECT_EQ(peak_of(Waveform{16000, 1, heard.values}), 1.0);
      n_places += heard.values != before ? 1 : 0;
      before = heard.values;
    }
    EXPECT_EQ(n_places, 4);
  }
}

// A batch of waveforms: each item lambda of itself and the rest of another, then its own loudness; a mixture
// counts as checked where both are.
TEST_F(Examples, ABatchOfWaveformsIsMixedAndScaled) {
  const std::string mixed = "{kind: mixup, each: true, larger_share: true, no_self: true, alpha: 0.4}";
  const auto batch_of = [&](const std::string& augment) {
    const Recipe made = parse_recipe(kWaveform + ("augment: [" + augment + "]"), "test");
    const ExampleMaker maker(made, *clips_);
    std::vector<Example> examples;
    for (std::size_t i = 0; i < 4; ++i) {
      examples.push_back(maker.augmented({i, 0}, 0));
      examples.back().targets = std::vector<float>(4, 0.0f);
      examples.back().targets[i] = 1.0f;
      examples.back().verified = i != 2;
    }
    Batch batch = collate(std::move(examples), {"a", "b", "c", "d"});
    batch.iteration = 5;
    maker.mix(batch);
    return batch;
  };
  const Batch plain = batch_of(""), mix = batch_of(mixed),
              both = batch_of(mixed + ", {kind: random_scale, min: 0.5, max: 0.9}");
  const auto n = static_cast<std::size_t>(plain.n_frames);
  for (std::size_t i = 0; i < 4; ++i) {
    std::size_t partner = 9;
    const float own = mix.targets[4 * i + i];
    EXPECT_GE(own, 0.5f);
    for (std::size_t k = 0; k < 4; ++k) {
      if (k != i && mix.targets[4 * i + k] > 0.0f) partner = k;
    }
    ASSERT_LT(partner, 4U);
    EXPECT_NEAR(own + mix.targets[4 * i + partner], 1.0f, 1e-6);
    EXPECT_EQ(mix.verified[i], i != 2 && partner != 2);
    const float scale = both.features[n * i + 3000] / mix.features[n * i + 3000];
    EXPECT_GE(scale, 0.4999f);
    EXPECT_LE(scale, 0.9001f);
    for (std::size_t t = 0; t < n; t += 97) {
      EXPECT_NEAR(mix.features[n * i + t],
                  own * plain.features[n * i + t] + (1.0f - own) * plain.features[n * partner + t], 1e-6);
      EXPECT_NEAR(both.features[n * i + t], scale * mix.features[n * i + t], 1e-5);
    }
  }
  EXPECT_TRUE(mix.other_targets.empty());
}

TEST_F(Examples, WhatIsUnknownOfOneClipIsUnknownOfTheMean) {
  const Recipe made =
      parse_recipe(std::string(kWaveform) + "augment: [{kind: mixup, each: true, no_self: true}]", "test");
  const ExampleMaker maker(made, *clips_);
  std::vector<Example> examples{maker.plain(0), maker.plain(1)};
  examples[0].targets = {1.0f, 0.0f};
  examples[1].targets = {kUnknownTarget, 1.0f};
  Batch batch = collate(std::move(examples), {"a", "b"});
  batch.iteration = 5;
  maker.mix(batch);
  EXPECT_EQ(batch.targets[0], kUnknownTarget);
  EXPECT_EQ(batch.targets[2], kUnknownTarget);
  EXPECT_GT(batch.targets[1], 0.0f);
  EXPECT_LT(batch.targets[1], 1.0f);
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
  Recipe made = recipe("{kind: time_shift}, {kind: pitch_shift, probability: 1}");
  made.train.wave_variants = 2;
  const ExampleMaker plain(made, *clips_), keeping(made, cached);
  for (const std::uint64_t epoch : {0, 1, 2, 3}) {
    for (const int repetition : {0, 1}) {
      EXPECT_EQ(plain.augmented({2, repetition}, epoch).features.values,
                keeping.augmented({2, repetition}, epoch).features.values);
    }
  }
  const auto heard = [&](int repetition, std::uint64_t epoch) {
    return keeping.augmented({2, repetition}, epoch).features.values;
  };
  EXPECT_TRUE(heard(0, 0) != heard(1, 0) || heard(0, 1) != heard(1, 1)) << "repetitions are drawn apart";
  EXPECT_GE(cache.counts().hits, 2U);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace earmark
