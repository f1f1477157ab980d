#include "data/sound_sources.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "data/sound_tools.h"
#include "data/taxonomies.h"
#include "data/tone_power.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr double kSourceRate = 16000.0;

std::vector<float> sound_of(std::string_view tag, std::uint64_t seed, double duration_s = 4.0,
                            double rate = kSourceRate) {
  const SoundSource* source = find_sound_source(tag);
  EXPECT_NE(source, nullptr) << tag;
  Rng rng(seed, "sound sources test", 0, fnv1a(tag));
  return make_sound(*source, static_cast<std::size_t>(duration_s * rate), rate, rng);
}

float peak_of(std::span<const float> x) {
  float peak = 0.0f;
  for (const float v : x) peak = std::max(peak, std::fabs(v));
  return peak;
}

double source_crest(std::span<const float> x) {
  return static_cast<double>(peak_of(x)) / root_mean_square(x);
}

/// Share of the power above `hz`.
double share_above(std::vector<float> x, double hz) {
  const double all = root_mean_square(x);
  Biquad::high_pass(hz, 0.54, kSourceRate).apply(x);
  Biquad::high_pass(hz, 1.31, kSourceRate).apply(x);  // fourth order Butterworth
  return std::pow(root_mean_square(x) / all, 2.0);
}

/// Averages over ten sounds of a tag.
template <class Measure>
double average(std::string_view tag, Measure&& measure) {
  double sum = 0.0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) sum += measure(sound_of(tag, seed));
  return sum / 10.0;
}

TEST(SoundSources, ThereIsOneForEveryFineTagInTheOrderOfTheTaxonomy) {
  const Taxonomy taxonomy = known_taxonomy("sonyc_ust");
  std::vector<std::string> fine, tags;
  std::set<MakeSound> makers;
  for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
    if (taxonomy.parents[tag] >= 0) fine.push_back(taxonomy.tags[tag]);
  }
  for (const SoundSource& source : sound_sources()) {
    tags.emplace_back(source.tag);
    makers.insert(source.make);
    EXPECT_GT(source.weight, 0.0);
    EXPECT_GT(source.min_s, 0.05);
    EXPECT_GE(source.max_s, source.min_s);
  }
  EXPECT_EQ(tags, fine);
  EXPECT_EQ(makers.size(), 29U);  // nobody speaks for two
  EXPECT_EQ(find_sound_source("1_engine"), nullptr);
}

TEST(SoundSources, AreFiniteNeverSilentBelowFullScaleAndAsLongAsAskedFor) {
  for (const SoundSource& source : sound_sources()) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      for (const auto& [duration_s, rate] : {std::pair{0.25, 44100.0}, {3.0, kSourceRate}, {1.0, 48000.0}}) {
        const auto x = sound_of(source.tag, seed, duration_s, rate);
        EXPECT_EQ(x.size(), static_cast<std::size_t>(duration_s * rate));
        EXPECT_TRUE(std::all_of(x.begin(), x.end(), [](float v) { return std::isfinite(v); })) << source.tag;
        EXPECT_GT(root_mean_square(x), 0.005) << source.tag << " " << seed << " " << duration_s;
        EXPECT_LT(root_mean_square(x), 0.101) << source.tag;
        EXPECT_LE(peak_of(x), 0.951f) << source.tag;
      }
    }
  }
}

TEST(SoundSources, ArePureFunctionsOfTheirDraws) {
  for (const SoundSource& source : sound_sources()) {
    EXPECT_EQ(sound_of(source.tag, 5, 1.0), sound_of(source.tag, 5, 1.0)) << source.tag;
    EXPECT_NE(sound_of(source.tag, 5, 1.0), sound_of(source.tag, 6, 1.0)) << source.tag;
  }
}

TEST(SoundSources, WhatCannotBeMadeIsRefusedWithEveryReason) {
  Rng rng(1, "x");
  try {
    make_sound(sound_sources()[0], 10, 8000.0, rng);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
    ASSERT_EQ(error.problems().size(), 2U);
    EXPECT_NE(error.problems()[0].find("16000..192000, got 8000"), std::string::npos) << error.what();
    EXPECT_NE(error.problems()[1].find("got 10 samples"), std::string::npos) << error.what();
  }
}

TEST(SoundSources, EachHasTheCharacterThatItsNameSays) {
  // Strikes stick out; crowds and engines do not.
  EXPECT_GT(average("2-4_pile-driver", source_crest), 7.0);
  EXPECT_GT(average("3-1_non-machinery-impact", source_crest), 7.0);
  EXPECT_LT(average("7-3_large-crowd", source_crest), 6.5);
  // The larger the engine, the lower it sounds.
  const auto above_500 = [](const std::vector<float>& x) { return share_above(x, 500.0); };
  EXPECT_GT(average("1-1_small-sounding-engine", above_500),
            1.3 * average("1-2_medium-sounding-engine", above_500));
  EXPECT_GT(average("1-2_medium-sounding-engine", above_500),
            1.1 * average("1-3_large-sounding-engine", above_500));
  // Loudspeakers give no lows, and passing cars' music little else.
  const auto above_200 = [](const std::vector<float>& x) { return share_above(x, 200.0); };
  EXPECT_GT(average("7-4_amplified-speech", above_200), 0.9);
  EXPECT_GT(average("6-3_ice-cream-truck", above_200), 0.9);
  EXPECT_LT(average("6-2_mobile-music", above_200), 0.5);
  // An effort lifts the voice.
  const auto above_1000 = [](const std::vector<float>& x) { return share_above(x, 1000.0); };
  EXPECT_GT(average("7-2_person-or-small-group-shouting", above_1000),
            2.0 * average("7-1_person-or-small-group-talking", above_1000));
  // The beeper is off a good part of the time.
  const auto off = [](const std::vector<float>& x) {
    int n = 0;
    for (std::size_t at = 0; at + 160 <= x.size(); at += 160)
      n += root_mean_square(std::span(x).subspan(at, 160)) < 0.002;
    return static_cast<double>(n) * 160.0 / static_cast<double>(x.size());
  };
  EXPECT_GT(average("5-4_reverse-beeper", off), 0.3);
  EXPECT_LT(average("5-3_siren", off), 0.02);
}

TEST(SoundSources, MobileMusicComesAndGoes) {
  // Loudest against faintest of ten parts, on average of ten sounds.
  const auto swell = [](const std::vector<float>& x) {
    double low = 1.0, high = 0.0;
    for (std::size_t part = 0; part < 10; ++part) {
      const double level = root_mean_square(std::span(x).subspan(part * x.size() / 10, x.size() / 10));
      low = std::min(low, level);
      high = std::max(high, level);
    }
    return high / low;
  };
  EXPECT_GT(average("6-2_mobile-music", swell), 1.7 * average("6-1_stationary-music", swell));
}

constexpr std::size_t kBands = 14;
using Spectrum = std::array<double, 2 * kBands>;

/// Level of each third band, dB, and how much it changes from 50 ms to 50 ms.
Spectrum spectrum_of(const std::vector<float>& x) {
  Spectrum spectrum{};
  for (std::size_t band = 0; band < kBands; ++band) {
    Biquad filter = Biquad::band_pass(80.0 * std::exp2(static_cast<double>(band) / 2.2), 3.0, kSourceRate);
    std::vector<double> levels;
    for (std::size_t at = 0; at + 800 <= x.size(); at += 800) {
      double power = 1e-9;
      for (std::size_t i = at; i < at + 800; ++i) {
        const double y = filter(static_cast<double>(x[i]));
        power += y * y / 800.0;
      }
      levels.push_back(10.0 * std::log10(power));
    }
    double mean = 0.0, variance = 0.0;
    for (const double level : levels) mean += level / static_cast<double>(levels.size());
    for (const double level : levels)
      variance += (level - mean) * (level - mean) / static_cast<double>(levels.size());
    spectrum[band] = mean;
    spectrum[kBands + band] = 2.0 * std::sqrt(variance);
  }
  return spectrum;
}

// Share of the sounds whose nearest neighbour among the others is of the same tag: chance is 1 in 29. Above a
// half, a learner has something to find; at 1 there would be nothing left to learn.
TEST(SoundSources, AreToldApartByTheirSpectraButNotAllOfThem) {
  constexpr std::uint64_t kEach = 12;
  std::vector<Spectrum> spectra;
  for (const SoundSource& source : sound_sources()) {
    for (std::uint64_t seed = 0; seed < kEach; ++seed)
      spectra.push_back(spectrum_of(sound_of(source.tag, seed)));
  }
  std::size_t n_right = 0;
  for (std::size_t i = 0; i < spectra.size(); ++i) {
    double nearest = 1e30;
    std::size_t neighbour = i;
    for (std::size_t j = 0; j < spectra.size(); ++j) {
      if (j == i) continue;
      double distance = 0.0;
      for (std::size_t k = 0; k < spectra[i].size(); ++k)
        distance += (spectra[i][k] - spectra[j][k]) * (spectra[i][k] - spectra[j][k]);
      if (distance < nearest) {
        nearest = distance;
        neighbour = j;
      }
    }
    n_right += neighbour / kEach == i / kEach;
  }
  const double share = static_cast<double>(n_right) / static_cast<double>(spectra.size());
  RecordProperty("share", std::to_string(share));
  EXPECT_GT(share, 0.35);
  EXPECT_LT(share, 0.95);
}

}  // namespace
}  // namespace earmark
