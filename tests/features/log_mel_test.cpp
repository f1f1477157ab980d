// Laws of the log-mel front end that hold without any reference array.
#include "earmark/log_mel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

#include "earmark/error.h"
#include "features/framing.h"
#include "features/mel.h"
#include "features/published_front_ends.h"

namespace earmark {
namespace {

constexpr Framing kFramings[] = {Framing::kHalfWindow, Framing::kReflect, Framing::kZero, Framing::kSame,
                                 Framing::kNone};

std::vector<float> noise(std::size_t n, unsigned seed = 1) {
  std::vector<float> x(n);
  for (float& v : x) {
    seed = seed * 1664525u + 1013904223u;
    v = 0.1f * static_cast<float>(static_cast<int>(seed >> 8) - 8388608) / 8388608.0f;
  }
  return x;
}

std::vector<float> sine(std::size_t n, double hz, double rate) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = static_cast<float>(0.5 * std::sin(2.0 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  }
  return x;
}

std::vector<float> frame_of(const FeatureMap& map, int frame) {
  std::vector<float> values;
  for (int mel = 0; mel < map.n_mels; ++mel)
    values.push_back(map.row(0, mel)[static_cast<std::size_t>(frame)]);
  return values;
}

std::string message_of(const LogMelExtractor& extractor, const Waveform& wave) {
  try {
    extractor.compute(wave);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadAudio);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(LogMelExtractor, SinePeaksInTheBandHoldingItsFrequency) {
  for (const auto& options : {upb_front_end(), multitel_front_end(), mcdonnell_front_end(44100)}) {
    const LogMelExtractor extractor(options);
    for (double hz : {300.0, 1000.0, 4321.0, 7000.0}) {
      const auto values = frame_of(extractor.compute(sine(44100, hz, 44100.0)), 20);
      const auto loudest = std::max_element(values.begin(), values.end()) - values.begin();
      const double step =
          (hz_to_mel(options.f_max_hz, options.mel_scale) - hz_to_mel(options.f_min_hz, options.mel_scale)) /
          (options.n_mels + 1);
      const double at =
          (hz_to_mel(hz, options.mel_scale) - hz_to_mel(options.f_min_hz, options.mel_scale)) / step;
      EXPECT_NEAR(static_cast<double>(loudest) + 1.0, at, 1.0) << hz << " Hz";  // band m peaks at edge m + 1
    }
  }
}

TEST(LogMelExtractor, TwiceTheAmplitudeIsLnFourMore) {
  const LogMelExtractor extractor(upb_front_end());
  auto samples = noise(20000);
  const FeatureMap quiet = extractor.compute(samples);
  for (float& x : samples) x *= 2.0f;
  const FeatureMap loud = extractor.compute(samples);
  for (std::size_t i = 0; i < loud.values.size(); ++i) {
    EXPECT_NEAR(loud.values[i] - quiet.values[i], std::log(4.0), 1e-5);
  }
}

TEST(LogMelExtractor, ClickMovesByAsManyFramesAsItsDelayHasHops) {
  const LogMelExtractor extractor(upb_front_end());
  std::vector<float> early(60000, 0.0f), late(60000, 0.0f);
  early[10000] = 1.0f;
  late[10000 + 21 * 882] = 1.0f;
  const FeatureMap a = extractor.compute(early), b = extractor.compute(late);
  for (int t = 0; t + 21 < b.n_frames; ++t) EXPECT_EQ(frame_of(b, t + 21), frame_of(a, t)) << "frame " << t;
}

TEST(LogMelExtractor, SilenceIsTheLogarithmOfTheFloorNextToTheLoudestFrame) {
  const LogMelExtractor extractor(upb_front_end());
  auto samples = sine(44100, 997.0, 44100.0);
  std::fill(samples.begin() + 22050, samples.end(), 0.0f);
  const FeatureMap map = extractor.compute(samples);
  // Frame 26 covers samples 22050..23813, the first of silence alone.
  for (float x : frame_of(map, 26)) EXPECT_FLOAT_EQ(x, static_cast<float>(std::log(1e-18)));
  EXPECT_GT(frame_of(map, 25)[30], -38.0f);
}

TEST(LogMelExtractor, AFramesBitsDependOnItsOwnSamplesAlone) {
  // Frames of the whole clip against each frame cut out as a clip of its own: another batch, another lane.
  for (auto options : {upb_front_end(), multitel_front_end(), vggish_front_end()}) {
    options.framing = Framing::kNone;
    options.top_db = 0.0;
    const LogMelExtractor extractor(options);
    const auto samples = noise(static_cast<std::size_t>(options.win_length + 37 * options.hop_length));
    const FeatureMap whole = extractor.compute(samples);
    ASSERT_EQ(whole.n_frames, 38);
    for (int t = 0; t < whole.n_frames; ++t) {
      const auto begin = static_cast<std::size_t>(t) * static_cast<std::size_t>(options.hop_length);
      const auto cut = std::span(samples).subspan(begin, static_cast<std::size_t>(options.win_length));
      EXPECT_EQ(frame_of(extractor.compute(cut), 0), frame_of(whole, t)) << "frame " << t;
    }
  }
}

TEST(LogMelExtractor, CountsFramesAsTheFramingSays) {
  struct Case {
    Framing framing;
    std::size_t n_samples;
    int n_frames;
  };
  auto options = upb_front_end();
  options.n_fft = options.win_length = 1000;
  options.hop_length = 400;
  const Case cases[] = {
      // half_window: 1 + ceil(n / 400)
      {Framing::kHalfWindow, 1, 2},
      {Framing::kHalfWindow, 400, 2},
      {Framing::kHalfWindow, 401, 3},
      // centred: 1 + floor(n / 400)
      {Framing::kReflect, 1, 1},
      {Framing::kReflect, 399, 1},
      {Framing::kReflect, 400, 2},
      {Framing::kZero, 4000, 11},
      // same: ceil(n / 400)
      {Framing::kSame, 1, 1},
      {Framing::kSame, 400, 1},
      {Framing::kSame, 401, 2},
      {Framing::kSame, 4000, 10},
      // none: 1 + floor((n - 1000) / 400), one when shorter
      {Framing::kNone, 1, 1},
      {Framing::kNone, 1000, 1},
      {Framing::kNone, 1399, 1},
      {Framing::kNone, 1400, 2},
  };
  for (const Case& c : cases) {
    options.framing = c.framing;
    const LogMelExtractor extractor(options);
    EXPECT_EQ(extractor.n_frames(c.n_samples), c.n_frames)
        << static_cast<int>(c.framing) << " " << c.n_samples;
    EXPECT_EQ(extractor.compute(noise(c.n_samples)).n_frames, c.n_frames);
    EXPECT_EQ(extractor.n_frames(0), 0);
  }
  EXPECT_EQ(LogMelExtractor(multitel_front_end()).n_frames(441000), 400);
  EXPECT_EQ(LogMelExtractor(cochlear_front_end(16000)).n_frames(64000), 500);
  EXPECT_EQ(LogMelExtractor(upb_front_end()).n_frames(30 * 44100), 1501);
}

TEST(LogMelExtractor, TakesClipsOfAnyLengthWithEveryFraming) {
  auto options = upb_front_end();
  for (Framing framing : kFramings) {
    options.framing = framing;
    const LogMelExtractor extractor(options);
    for (std::size_t n : {1, 2, 3, 881, 882, 1023, 1024, 1025, 1764, 1765, 2047, 2048, 2049, 14112}) {
      const FeatureMap map = extractor.compute(noise(n));
      EXPECT_GE(map.n_frames, 1);
      EXPECT_TRUE(
          std::all_of(map.values.begin(), map.values.end(), [](float x) { return std::isfinite(x); }));
    }
  }
}

TEST(Framing, ReflectMirrorsAtTheEdgeSamplesAndAgainWhereTheClipIsShort) {
  auto options = librosa_front_end(44100, 2048, 512);
  const std::vector<float> clip{1.0f, 2.0f, 3.0f};
  std::vector<float> frame(9);
  copy_frame(options, clip, -3, frame);
  EXPECT_EQ(frame, (std::vector<float>{2, 3, 2, 1, 2, 3, 2, 1, 2}));  // numpy.pad(clip, ..., "reflect")
  options.framing = Framing::kZero;
  copy_frame(options, clip, -3, frame);
  EXPECT_EQ(frame, (std::vector<float>{0, 0, 0, 1, 2, 3, 0, 0, 0}));
}

TEST(LogMelExtractor, NamesTheFirstSampleThatIsNoNumber) {
  const LogMelExtractor extractor(upb_front_end());
  Waveform wave{44100, 1, noise(5000)};
  wave.samples[1234] = std::nanf("");
  wave.samples[2000] = INFINITY;
  EXPECT_NE(message_of(extractor, wave).find("sample 1234 is nan"), std::string::npos);
  Waveform stereo{44100, 2, noise(10000)};
  stereo.samples[5000 + 77] = -INFINITY;
  EXPECT_NE(message_of(extractor, stereo).find("sample 77 of channel 1 is -inf"), std::string::npos);
}

TEST(LogMelExtractor, RefusesEmptyClipsAndOtherSampleRates) {
  const LogMelExtractor extractor(upb_front_end());
  EXPECT_NE(message_of(extractor, {44100, 1, {}}).find("no samples"), std::string::npos);
  EXPECT_NE(message_of(extractor, {48000, 1, noise(100)}).find("48000 Hz"), std::string::npos);
}

TEST(LogMelExtractor, RefusesClipsTooShortForTheirDeltas) {
  auto options = mcdonnell_front_end(48000);
  options.deltas = Deltas::kHtk;
  const LogMelExtractor extractor(options);
  EXPECT_EQ(extractor.n_frames(8 * 1024 - 1), 0);  // 8 frames, all of which the two slopes take
  EXPECT_NE(message_of(extractor, {48000, 1, noise(8 * 1024 - 1)}).find("too short for its deltas"),
            std::string::npos);
  EXPECT_EQ(extractor.compute(noise(8 * 1024)).n_frames, 1);
}

TEST(LogMelExtractor, MonoIsTheAverageOfTheChannels) {
  const LogMelExtractor extractor(upb_front_end());
  const auto left = noise(9000, 1), right = noise(9000, 2);
  Waveform stereo{44100, 2, left};
  stereo.samples.insert(stereo.samples.end(), right.begin(), right.end());
  std::vector<float> average(9000);
  for (std::size_t i = 0; i < 9000; ++i) average[i] = 0.5f * left[i] + 0.5f * right[i];
  EXPECT_EQ(extractor.compute(stereo).values, extractor.compute(average).values);
}

TEST(LogMelExtractor, MaximumReferenceLooksAtAllChannels) {
  auto options = microsoft_front_end();
  options.channels = Channels::kKeep;
  Waveform stereo{44100, 2, noise(9000, 1)};
  for (float x : noise(9000, 2)) stereo.samples.push_back(0.01f * x);
  const FeatureMap map = LogMelExtractor(options).compute(stereo);
  const auto loud = std::span(map.values).first(map.values.size() / 2),
             quiet = std::span(map.values).last(loud.size());
  EXPECT_EQ(*std::max_element(loud.begin(), loud.end()), 0.0f);
  EXPECT_LT(*std::max_element(quiet.begin(), quiet.end()), -30.0f);  // 0.01 in amplitude is -40 dB
}

TEST(LogMelExtractor, ReusedWorkspaceAndMapGiveTheSameBits) {
  LogMelWorkspace workspace;
  FeatureMap reused;
  for (const auto& options : {upb_front_end(), multitel_front_end(), vggish_front_end()}) {
    const LogMelExtractor extractor(options);
    for (std::size_t n : {30000, 500, 20000}) {
      extractor.compute(noise(n), workspace, reused);
      EXPECT_EQ(reused.values, extractor.compute(noise(n)).values);
      EXPECT_EQ(reused.n_frames, extractor.n_frames(n));
    }
  }
}

TEST(LogMelExtractor, ThreadsSharingOneInstanceGetTheBitsOfOneThread) {
  const LogMelExtractor extractor(upb_front_end());
  std::vector<std::vector<float>> expected(8), actual(8);
  for (unsigned i = 0; i < 8; ++i) expected[i] = extractor.compute(noise(20000 + 777 * i, i)).values;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round)
        actual[i] = extractor.compute(noise(20000 + 777 * i, i)).values;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(actual, expected);
}

struct BrokenCase {
  std::string message;
  LogMelOptions options;
};

template <class Change>
BrokenCase broken(std::string message, Change change) {
  BrokenCase result{std::move(message), {}};
  change(result.options);
  return result;
}

TEST(LogMelOptions, EachBrokenRuleIsNamedWithItsValue) {
  const BrokenCase cases[] = {
      broken("sample_rate_hz: must be 1000..768000, got 10", [](auto& o) { o.sample_rate_hz = 10; }),
      broken("n_fft: must be 2..65536, got 0", [](auto& o) { o.n_fft = 0; }),
      broken("win_length: must be at most n_fft (2048), got 4096", [](auto& o) { o.win_length = 4096; }),
      broken("win_length: too short: its window is zero everywhere, got 1",
             [](auto& o) { o.win_length = 1; }),
      broken("hop_length: must be 1..65536, got 0", [](auto& o) { o.hop_length = 0; }),
      broken("hop_length: must be at most win_length (1764), got 1765", [](auto& o) { o.hop_length = 1765; }),
      broken("n_mels: must be 1..4096, got 0", [](auto& o) { o.n_mels = 0; }),
      broken("f_min_hz: must be at least 0, got -1", [](auto& o) { o.f_min_hz = -1; }),
      broken("f_min_hz: must be below f_max_hz (16000), got 16000", [](auto& o) { o.f_min_hz = 16000; }),
      broken("f_max_hz: must be at most sample_rate_hz / 2 (22050), got 22051",
             [](auto& o) { o.f_max_hz = 22051; }),
      broken(
          "log_floor: must be at least 1.18e-38 where log_offset is not, or silence has no logarithm, got 0",
          [](auto& o) { o.log_floor = 0; }),
      broken("reference: needs log: db, got max", [](auto& o) { o.reference = LogReference::kMax; }),
      broken("top_db: needs log: db, got 80", [](auto& o) { o.top_db = 80; }),
      broken("top_db: must be at least 0, got -80", [](auto& o) { o.top_db = -80; }),
      broken("delta_order: must be 1..2, got 3", [](auto& o) { o.delta_order = 3; }),
      broken("delta_width: must be odd, got 8", [](auto& o) { o.delta_width = 8; }),
  };
  for (const BrokenCase& c : cases) {
    const auto problems = c.options.problems();
    EXPECT_NE(std::find(problems.begin(), problems.end(), c.message), problems.end()) << c.message;
  }
}

TEST(LogMelOptions, PublishedFrontEndsHaveNoProblems) {
  for (const auto& options : {upb_front_end(), multitel_front_end(), microsoft_front_end(),
                              vggish_front_end(), cochlear_front_end(16000), mcdonnell_front_end(48000)}) {
    EXPECT_EQ(options.problems(), std::vector<std::string>());
  }
}

TEST(LogMelExtractor, RefusesAllProblemsAtOnce) {
  LogMelOptions options;
  options.n_mels = 0;
  options.hop_length = 0;
  try {
    LogMelExtractor extractor(options);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
    EXPECT_EQ(error.problems(), options.problems());
    EXPECT_EQ(error.problems().size(), 2u);
  }
}

}  // namespace
}  // namespace earmark
