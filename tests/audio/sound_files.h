// sound_files.h: files as libsndfile writes and reads them, an opinion that is not earmark's.
#pragma once
#include <gtest/gtest.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "audio/read_audio.h"
#include "core/rng.h"
#include "earmark/waveform.h"

namespace earmark::testing {

/// Sines of 440 Hz and its multiples, one a channel.
inline Waveform tone(int rate = 44100, int n_channels = 1, double duration_s = 1.0, float level = 0.5f) {
  Waveform waveform{rate, n_channels, {}};
  const auto n = static_cast<std::size_t>(duration_s * rate);
  for (int c = 0; c < n_channels; ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      waveform.samples.push_back(level * static_cast<float>(std::sin(2.0 * 3.14159265 * 440.0 * (c + 1) *
                                                                     static_cast<double>(i) / rate)));
    }
  }
  return waveform;
}

/// The same in noise, which no codec makes small.
inline Waveform noisy_tone(int rate = 44100, int n_channels = 1, double duration_s = 1.0) {
  Waveform waveform = tone(rate, n_channels, duration_s);
  Rng rng(1, "noise");
  for (float& x : waveform.samples) x += static_cast<float>(rng.uniform(-0.2, 0.2));
  return waveform;
}

inline void write_sndfile(const std::filesystem::path& path, const Waveform& waveform, int format) {
  SF_INFO info{};
  info.samplerate = waveform.sample_rate_hz;
  info.channels = waveform.n_channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr) << sf_strerror(nullptr);
  std::vector<float> interleaved(waveform.samples.size());
  const auto channels = static_cast<std::size_t>(waveform.n_channels);
  for (std::size_t i = 0; i < interleaved.size(); ++i) {
    interleaved[i] = waveform.samples[(i % channels) * waveform.n_samples() + i / channels];
  }
  // In pieces: libsndfile 1.2.0's Vorbis writer overflows its stack on a long single write.
  for (std::size_t i = 0; i < waveform.n_samples(); i += 4096) {
    sf_writef_float(file, interleaved.data() + i * channels,
                    static_cast<sf_count_t>(std::min<std::size_t>(4096, waveform.n_samples() - i)));
  }
  sf_close(file);
}

/// Interleaved, as libsndfile decodes it alone.
inline std::vector<float> read_sndfile(const std::filesystem::path& path) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  EXPECT_NE(file, nullptr) << sf_strerror(nullptr);
  std::vector<float> samples, block(std::size_t{4096} * static_cast<std::size_t>(info.channels));
  for (sf_count_t n = 1; n > 0;) {
    n = sf_readf_float(file, block.data(), 4096);
    samples.insert(samples.end(), block.begin(), block.begin() + n * info.channels);
  }
  sf_close(file);
  return samples;
}

/// All channels after one another, as Waveform has them; a failed reading fails the test.
inline LoadedAudio loaded(const std::filesystem::path& path) {
  ReadOptions options;
  options.channels = ChannelMode::kKeep;
  options.decode.ffmpeg.clear();
  auto audio = read_audio(path, options);
  EXPECT_TRUE(audio) << path << ": " << audio.failure().reason << ": " << audio.failure().detail;
  return audio ? std::move(*audio) : LoadedAudio{};
}

/// The first warning of that word, else empty.
inline std::string warning(const std::vector<std::string>& warnings, std::string_view word) {
  for (const std::string& text : warnings) {
    if (text.starts_with(std::string(word) + ":")) return text;
  }
  return "";
}

}  // namespace earmark::testing
