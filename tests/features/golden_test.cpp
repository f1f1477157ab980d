// Front ends against the arrays that the systems' own programs and libraries computed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "features/delta.h"
#include "features/frame_kernel.h"
#include "features/framing.h"
#include "features/mel.h"
#include "features/normalize.h"
#include "features/npy_fixture.h"
#include "features/published_front_ends.h"
#include "golden_path.h"

namespace earmark {
namespace {

using testing::expect_close;
using testing::largest_difference;
using testing::read_golden;
using testing::read_pcm16;
using testing::transposed;

constexpr double kEverywhere = 1e-3;  // tolerances of the golden sets
constexpr double kAboveFloor = 1e-4;
constexpr double kDbArrays = 5e-3;
const double k20DbInNats = std::log(100.0);

std::span<const float> channel_values(const FeatureMap& map, int first, int count) {
  const auto size = static_cast<std::size_t>(map.n_mels) * static_cast<std::size_t>(map.n_frames);
  return std::span(map.values)
      .subspan(static_cast<std::size_t>(first) * size, static_cast<std::size_t>(count) * size);
}

struct BankCase {
  const char* file;
  LogMelOptions options;
};

TEST(MelBank, MatchesThePublishedBanksWithinOneMillionth) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const BankCase cases[] = {
      {"dsp/mel_mcd_44100.npy", mcdonnell_front_end(44100)},
      {"dsp/mel_mcd_48000.npy", mcdonnell_front_end(48000)},
      {"dsp/mel_upb_44100.npy", upb_front_end()},
      {"dsp/mel_cochlear_16000.npy", cochlear_front_end(16000)},
      {"dsp/mel_cochlear_32000.npy", cochlear_front_end(32000)},
      {"dsp/mel_cochlear_44100.npy", cochlear_front_end(44100)},
      {"dsp/mel_librosa_default_44100.npy", librosa_front_end(44100, 2048, 512)},
      {"multitel/mel_filterbank_64x1412.npy", multitel_front_end()},
      {"microsoft/mel_filterbank_128x1025.npy", microsoft_front_end()},
  };
  for (const BankCase& c : cases) {
    EXPECT_LE(largest_difference(mel_matrix(c.options), read_golden(golden / c.file).values), 1e-6) << c.file;
  }
}

TEST(LogMelExtractor, GivesUpbsLogMels) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Waveform wave = read_pcm16(golden / "dsp/mono_3s_44100.wav");
  const LogMelExtractor extractor(upb_front_end());
  const auto whole = read_golden(golden / "upb/logmel_3s.npy");
  const double threshold = std::log(1e-18) + k20DbInNats;
  expect_close(extractor.compute(wave).values, transposed(whole.values, 151, 128), kEverywhere, kAboveFloor,
               threshold);
}

TEST(LogMelExtractor, CompletesUpbsLastHopWithZeros) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Waveform wave = read_pcm16(golden / "dsp/mono_3s_44100.wav");
  const LogMelExtractor extractor(upb_front_end());
  const auto part = read_golden(golden / "upb/logmel_41000samples.npy");
  const FeatureMap map = extractor.compute(wave.channel(0).first(41000));
  expect_close(map.values, transposed(part.values, 48, 128), kEverywhere, kAboveFloor,
               std::log(1e-18) + k20DbInNats);
}

TEST(FeatureMoments, GiveUpbsStatisticsAndNormalisedFeatures) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Waveform wave = read_pcm16(golden / "dsp/mono_3s_44100.wav");
  const LogMelExtractor extractor(upb_front_end());
  FeatureMoments first, rest;
  first.add(extractor.compute(wave.channel(0).subspan(0, 50000)));
  rest.add(extractor.compute(wave.channel(0).subspan(50000, 60000)));
  rest.add(extractor.compute(wave.channel(0).subspan(20000, 105000)));
  first.merge(rest);
  const Normalizer normalizer = first.normalizer(NormalizeScale::kGlobal);
  EXPECT_LE(largest_difference(normalizer.mean, read_golden(golden / "upb/norm_mean.npy").values),
            kAboveFloor);
  EXPECT_LE(largest_difference(normalizer.scale, read_golden(golden / "upb/norm_scale.npy").values),
            kAboveFloor);
  FeatureMap map = extractor.compute(wave);
  normalizer.apply(map);
  const auto expected = read_golden(golden / "upb/logmel_3s_normalised.npy");
  EXPECT_LE(largest_difference(map.values, transposed(expected.values, 151, 128)), kEverywhere);
}

TEST(LogMelExtractor, GivesMcdonnellsMonoStackOfStaticsAndSlopes) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Waveform wave = read_pcm16(golden / "dsp/mono_3s_44100.wav");
  auto options = mcdonnell_front_end(44100);
  const double threshold = std::log(1e-8) + k20DbInNats;
  expect_close(LogMelExtractor(options).compute(wave).values,
               read_golden(golden / "dsp/mcd_mono44k_logmel.npy").values, kEverywhere, kAboveFloor,
               threshold);
  options.deltas = Deltas::kHtk;
  expect_close(LogMelExtractor(options).compute(wave).values,
               read_golden(golden / "dsp/mcd_mono44k_stacked.npy").values, kAboveFloor, kAboveFloor, -1e9);
  options.delta_order = 1;
  const FeatureMap slopes = LogMelExtractor(options).compute(wave);
  EXPECT_LE(largest_difference(channel_values(slopes, 1, 1),
                               read_golden(golden / "dsp/mcd_mono44k_delta.npy").values),
            kAboveFloor);
}

TEST(LogMelExtractor, GivesMcdonnellsStereoStackInTheOrderOfThePaper) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Waveform wave = read_pcm16(golden / "dsp/stereo_10s_48000.wav");
  auto options = mcdonnell_front_end(48000);
  expect_close(LogMelExtractor(options).compute(wave).values,
               read_golden(golden / "dsp/mcd_stereo48k_logmel.npy").values, kEverywhere, kAboveFloor,
               std::log(1e-8) + k20DbInNats);
  options.deltas = Deltas::kHtk;
  const FeatureMap stacked = LogMelExtractor(options).compute(wave);
  EXPECT_EQ(stacked.n_channels, 6);
  EXPECT_EQ(stacked.n_frames, 461);
  EXPECT_LE(largest_difference(stacked.values, read_golden(golden / "dsp/mcd_stereo48k_stacked.npy").values),
            kAboveFloor);
  EXPECT_LE(largest_difference(channel_values(stacked, 4, 2),
                               read_golden(golden / "dsp/mcd_stereo48k_delta2.npy").values),
            kAboveFloor);
  options.delta_order = 1;
  const FeatureMap slopes = LogMelExtractor(options).compute(wave);
  EXPECT_LE(largest_difference(channel_values(slopes, 2, 2),
                               read_golden(golden / "dsp/mcd_stereo48k_delta.npy").values),
            kAboveFloor);
}

TEST(LogMelExtractor, GivesMultitelsDecibels) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Waveform wave = read_pcm16(golden / "microsoft/signal_44k1.wav");
  const FeatureMap map = LogMelExtractor(multitel_front_end()).compute(wave);
  expect_close(map.values, read_golden(golden / "multitel/logmel_64x400.npy").values, kDbArrays, kDbArrays,
               -1e9);
}

TEST(LogMelExtractor, GivesMicrosoftsDecibelsAndMelPower) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Waveform wave = read_pcm16(golden / "microsoft/signal_44k1.wav");
  auto options = microsoft_front_end();
  expect_close(LogMelExtractor(options).compute(wave).values,
               read_golden(golden / "microsoft/logmel_128x862.npy").values, kDbArrays, kDbArrays, -1e9);
  options.log = LogKind::kNone;
  options.reference = LogReference::kOne;
  options.top_db = 0.0;
  const FeatureMap power = LogMelExtractor(options).compute(wave);
  const auto expected = read_golden(golden / "microsoft/mel_power_128x862.npy");
  const float largest = *std::max_element(expected.values.begin(), expected.values.end());
  EXPECT_LE(largest_difference(power.values, expected.values), 1e-5 * largest);
}

TEST(LogMelExtractor, GivesVggishsExamples) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto samples = read_golden(golden / "microsoft/signal_16k_resampy_kaiser_best.npy");
  const FeatureMap map = LogMelExtractor(vggish_front_end()).compute(samples.values);
  EXPECT_EQ(map.n_frames, 998);
  const auto expected = read_golden(golden / "microsoft/vggish_logmel_10x96x64.npy");
  // 10 examples of 96 frames in a row: frames 0..959, [frame, mel].
  std::vector<float> used;
  for (int mel = 0; mel < map.n_mels; ++mel) {
    const auto row = map.row(0, mel).first(960);
    used.insert(used.end(), row.begin(), row.end());
  }
  expect_close(used, transposed(expected.values, 960, 64), kEverywhere, kAboveFloor,
               std::log(0.01) + k20DbInNats);
}

TEST(LogMelExtractor, GivesCochlearsDecibelsOfMelAmplitude) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Waveform wave = read_pcm16(golden / "dsp/mono_3s_44100.wav");
  for (int rate : {16000, 32000, 44100}) {
    const LogMelExtractor extractor(cochlear_front_end(rate));
    const auto expected = read_golden(golden / ("dsp/cochlear_logmel_as" + std::to_string(rate) + ".npy"));
    expect_close(extractor.compute(wave.channel(0).first(64000)).values, expected.values, kEverywhere,
                 kAboveFloor, -60.0);
  }
  const LogMelExtractor extractor(cochlear_front_end(44100));
  const auto tail = wave.channel(0).last(64000);
  const auto expected = read_golden(golden / "cochlear/tail_segment_dB_clipped.npy");
  expect_close(extractor.compute(tail).values, expected.values, kEverywhere, kAboveFloor, -60.0);
}

TEST(LogMelExtractor, GivesTheDecibelsInsideCochlearsNetwork) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  // The network's first layer, bn_in of golden/cochlear/logmel_weights.npz: one affine map of the samples.
  const double gain = 1.0203191041946411 / std::sqrt(0.04718974977731705 + 1e-3);
  for (const char* size : {"N64000", "N97003"}) {
    auto samples = read_golden(golden / (std::string("cochlear/logmel_input_") + size + ".npy")).values;
    for (float& x : samples) x = static_cast<float>((x - 0.004000000189989805) * gain - 0.10294714570045471);
    const auto expected = read_golden(golden / (std::string("cochlear/logmel_tap_dB_") + size + ".npy"));
    const FeatureMap map = LogMelExtractor(cochlear_front_end(44100)).compute(samples);
    EXPECT_LE(largest_difference(map.values, expected.values), kEverywhere) << size;
  }
}

TEST(LogMelExtractor, GivesLibrosasMelPowerAndDecibels) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Waveform wave = read_pcm16(golden / "dsp/mono_3s_44100.wav");
  auto options = librosa_front_end(44100, 2048, 512);
  options.framing = Framing::kZero;
  options.top_db = 80.0;  // power_to_db's default: the floor lies at -47.3 dB here
  expect_close(LogMelExtractor(options).compute(wave).values,
               read_golden(golden / "dsp/librosa_default_power_to_db.npy").values, kEverywhere, kAboveFloor,
               -27.3);
  options.reference = LogReference::kMax;
  expect_close(LogMelExtractor(options).compute(wave).values,
               read_golden(golden / "dsp/librosa_power_to_db_refmax_top80.npy").values, kEverywhere,
               kAboveFloor, -60.0);
  options.log = LogKind::kNone;
  options.reference = LogReference::kOne;
  options.top_db = 0.0;
  const auto expected = read_golden(golden / "dsp/librosa_default_melpower.npy");
  const float largest = *std::max_element(expected.values.begin(), expected.values.end());
  EXPECT_LE(largest_difference(LogMelExtractor(options).compute(wave).values, expected.values),
            1e-6 * largest);
}

TEST(SpectrumFrames, GiveTheSquaredMagnitudesOfLibrosasStft) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Waveform wave = read_pcm16(golden / "dsp/mono_3s_44100.wav");
  auto options = librosa_front_end(44100, 2048, 1024);
  options.framing = Framing::kZero;
  const FrameProgram program = make_frame_program(options);
  const auto re = read_golden(golden / "dsp/librosa_stft_real.npy").values;
  const auto im = read_golden(golden / "dsp/librosa_stft_imag.npy").values;
  float largest = 0.0f;
  for (std::size_t i = 0; i < re.size(); ++i) largest = std::max(largest, re[i] * re[i] + im[i] * im[i]);

  const std::size_t lanes = frame_lanes(), readable = readable_samples(program);
  std::vector<float> frame(lanes * readable);
  FrameWork work;
  const auto n_bins = static_cast<std::size_t>(program.spectrum.n_bins);
  std::vector<float> bins(n_bins * lanes);
  for (std::size_t t = 0; t < 40; ++t) {
    std::vector<const float*> frames(lanes, frame.data());
    copy_frame(options, wave.channel(0), static_cast<std::ptrdiff_t>(1024 * t) - 1024, {frame.data(), 2048});
    spectrum_frames(program, frames.data(), work, bins.data());
    for (std::size_t k = 0; k < n_bins; ++k) {
      const double expected = static_cast<double>(re[k * 40 + t]) * re[k * 40 + t] +
                              static_cast<double>(im[k * 40 + t]) * im[k * 40 + t];
      ASSERT_NEAR(bins[k * lanes], expected, 1e-6 * largest) << "bin " << k << " frame " << t;
    }
  }
}

TEST(SavgolDelta, MatchesLibrosa) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto input = read_golden(golden / "dsp/librosa_default_power_to_db.npy");
  FeatureMap statics{1, 128, 259, input.values}, stacked;
  LogMelOptions options;
  options.deltas = Deltas::kLibrosa;
  stack_deltas(options, statics, stacked);
  EXPECT_LE(largest_difference(channel_values(stacked, 1, 1),
                               read_golden(golden / "dsp/librosa_delta_w9.npy").values),
            kAboveFloor);
  EXPECT_LE(largest_difference(channel_values(stacked, 2, 1),
                               read_golden(golden / "dsp/librosa_delta2_w9.npy").values),
            kAboveFloor);
  options.delta_width = 5;
  options.delta_edges = DeltaEdges::kNearest;
  stack_deltas(options, statics, stacked);
  EXPECT_LE(largest_difference(channel_values(stacked, 1, 1),
                               read_golden(golden / "dsp/librosa_delta_w5_nearest.npy").values),
            kAboveFloor);
}

}  // namespace
}  // namespace earmark
