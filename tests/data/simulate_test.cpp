#include "data/simulate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "audio/read_audio.h"
#include "audio/scratch.h"
#include "core/file.h"
#include "data/folder.h"
#include "data/splits.h"
#include "earmark/error.h"

namespace earmark {
namespace {

using testing::Scratch;

constexpr int kRate = 16000;

std::vector<float> sound(std::string_view tag, std::uint64_t seed = 1) {
  Rng rng(seed, "simulate test");
  return simulate_sound(tag, 4.0, kRate, rng);
}

/// Power of one frequency (Goertzel) relative to all.
double share(std::span<const float> x, double hz) {
  const double twice_cos = 2.0 * std::cos(2.0 * std::numbers::pi * hz / kRate);
  double last = 0.0, before = 0.0, power = 0.0;
  for (const float v : x) {
    before = std::exchange(last, v + twice_cos * last - before);
    power += static_cast<double>(v) * v;
  }
  const double line = last * last + before * before - twice_cos * last * before;
  return 2.0 * line / static_cast<double>(x.size()) / power;
}

double highest_share(std::span<const float> x, double low_hz, double high_hz, double step_hz) {
  double highest = 0.0;
  for (double hz = low_hz; hz < high_hz; hz += step_hz) highest = std::max(highest, share(x, hz));
  return highest;
}

/// Root mean square of each 20 ms.
std::vector<double> envelope(std::span<const float> x) {
  std::vector<double> levels;
  for (std::size_t at = 0; at + 320 <= x.size(); at += 320) {
    double sum = 0.0;
    for (const float v : x.subspan(at, 320)) sum += static_cast<double>(v) * v;
    levels.push_back(std::sqrt(sum / 320.0));
  }
  return levels;
}

double crest(std::span<const float> x) {
  float peak = 0.0f;
  double sum = 0.0;
  for (const float v : x) {
    peak = std::max(peak, std::fabs(v));
    sum += static_cast<double>(v) * v;
  }
  return peak / std::sqrt(sum / static_cast<double>(x.size()));
}

TEST(SimulateSound, EachHasItsCharacter) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    // One steady tone near 1 kHz, off for a good part of the time.
    const auto beeper = sound("reverse_beeper", seed);
    EXPECT_GT(highest_share(beeper, 900, 1400, 0.25), 0.15) << seed;
    auto levels = envelope(beeper);
    const auto off = std::count_if(levels.begin(), levels.end(), [](double level) { return level < 0.001; });
    EXPECT_GT(off * 4, static_cast<std::ptrdiff_t>(levels.size()));
    // A sweep leaves no frequency much.
    EXPECT_LT(highest_share(sound("siren", seed), 300, 2000, 0.5), 0.1) << seed;
    // Two tones between 300 and 600 Hz.
    EXPECT_GT(highest_share(sound("horn", seed), 290, 460, 0.5), 0.01) << seed;
    // Impacts stick out; noise does not.
    EXPECT_GT(crest(sound("hammering", seed)), 5.0) << seed;
    EXPECT_LT(crest(sound("siren", seed)), 4.0) << seed;
    // Rain and engine at opposite ends: differences of neighbours against the samples themselves.
    const auto slope = [](const std::vector<float>& x) {
      double change = 0.0, power = 0.0;
      for (std::size_t i = 1; i < x.size(); ++i) {
        change += std::pow(static_cast<double>(x[i]) - x[i - 1], 2.0);
        power += static_cast<double>(x[i]) * x[i];
      }
      return change / power;
    };
    EXPECT_GT(slope(sound("rain", seed)), 0.4) << seed;
    EXPECT_LT(slope(sound("engine", seed)), 0.2) << seed;
  }
}

TEST(SimulateSound, IsAPureFunctionOfItsDraws) {
  for (const std::string_view tag : simulated_tags()) {
    EXPECT_EQ(sound(tag, 5), sound(tag, 5));
    EXPECT_NE(sound(tag, 5), sound(tag, 6));
    EXPECT_EQ(sound(tag, 5).size(), 64000U);
    for (const float x : sound(tag, 5)) ASSERT_TRUE(std::isfinite(x));
  }
  Rng rng(1, "x");
  EXPECT_THROW(simulate_sound("cat", 1.0, kRate, rng), Error);
  EXPECT_THROW(simulate_sound("siren", 0.0, kRate, rng), Error);
  EXPECT_THROW(simulate_sound("siren", 1.0, 100, rng), Error);
}

TEST(SimulateClip, LengthPeakAndSeed) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto clip = simulate_clip({"siren", "rain"}, seed);
    EXPECT_EQ(clip.n_samples(), 160000U);
    float peak = 0.0f;
    for (const float x : clip.samples) peak = std::max(peak, std::fabs(x));
    EXPECT_LE(peak, 0.9001f);
    EXPECT_GE(peak, 0.19f);
  }
  EXPECT_EQ(simulate_clip({"horn"}, 7).samples, simulate_clip({"horn"}, 7).samples);
  EXPECT_NE(simulate_clip({"horn"}, 7).samples, simulate_clip({"horn"}, 8).samples);
  EXPECT_EQ(simulate_clip({}, 1).n_samples(), 160000U);
  SimulateOptions wrong;
  wrong.min_snr_db = 50.0;
  wrong.duration_s = 0.0;
  EXPECT_EQ(wrong.problems().size(), 2U);
  EXPECT_THROW(simulate_clip({}, 1, wrong), Error);
}

TEST(SimulateScene, EventsAreWhereTheyAreSaidToBe) {
  SimulateOptions options;
  options.sample_rate_hz = kRate;
  options.min_snr_db = options.max_snr_db = 60.0;
  const Scene scene = simulate_scene(60.0, 6, 3, options);
  EXPECT_EQ(scene.waveform.n_samples(), 960000U);
  EXPECT_GE(scene.events.size(), 3U);
  EXPECT_TRUE(std::is_sorted(scene.events.begin(), scene.events.end(),
                             [](const auto& a, const auto& b) { return a.start_s < b.start_s; }));
  const auto inside = [&](double t, double margin) {
    return std::any_of(scene.events.begin(), scene.events.end(),
                       [&](const SceneEvent& e) { return t > e.start_s - margin && t < e.end_s + margin; });
  };
  double quiet = 0.0, loud = 0.0;
  const auto levels = envelope(scene.waveform.samples);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double t = (static_cast<double>(i) + 0.5) * 0.02;
    if (!inside(t, 0.05)) quiet = std::max(quiet, levels[i]);
    if (inside(t, 0.0)) loud = std::max(loud, levels[i]);
  }
  EXPECT_LT(quiet * 50.0, loud);
}

TEST(WriteSimulatedDataset, ReadsBackAsADataset) {
  const Scratch dir;
  SimulatedDatasetOptions options;
  options.n_clips = 60;
  options.multi_label = 0.5;
  options.clip.duration_s = 0.5;
  options.clip.sample_rate_hz = 8000;
  write_simulated_dataset(dir.path(), options);
  const Dataset data = load_dataset("folder", dir.path());
  ASSERT_EQ(data.clips.size(), 60U);
  EXPECT_EQ(data.tags.size(), 6U);
  EXPECT_EQ(data.n_folds(), 5);
  EXPECT_EQ(split_for_training(data, "train", 5).held_out, clips_of_split(data, "test"));
  EXPECT_EQ(clips_of_split(data, "train").size(), 36U);
  int n_pairs = 0;
  for (const Clip& clip : data.clips) {
    const auto audio = read_audio(clip.path);
    ASSERT_TRUE(audio);
    EXPECT_EQ(audio->waveform.n_samples(), 4000U);
    n_pairs += std::count(clip.targets.begin(), clip.targets.end(), 1.0f) == 2;
  }
  EXPECT_NEAR(n_pairs, 30, 16);  // four standard deviations of 60 draws at one half

  const Scratch again;
  write_simulated_dataset(again.path(), options);
  EXPECT_EQ(read_text(dir / "manifest.csv"), read_text(again / "manifest.csv"));
  EXPECT_EQ(read_text(dir / "audio/00007.wav"), read_text(again / "audio/00007.wav"));
}

}  // namespace
}  // namespace earmark
