// read_audio.h: a whole recording into memory, as a network wants it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "audio/convert.h"
#include "audio/decode.h"
#include "earmark/error.h"
#include "earmark/options.h"
#include "earmark/waveform.h"

namespace earmark {

struct ReadOptions {
  int sample_rate_hz = 0;  ///< resampled to; 0 keeps the recording's own
  ChannelMode channels = ChannelMode::kMono;
  double max_s = 0.0;  ///< no more than this much from the beginning; 0: all
  ResampleQuality resample_quality = ResampleQuality::kHq;
  DecodeOptions decode;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("sample_rate_hz", self.sample_rate_hz, Range{0, kMaxSampleRateHz},
          "resample to this rate, 0 keeps it");
    visit("channels", self.channels, kAny, "keep, mono (mean of all) or stereo (the first two)");
    visit("max_s", self.max_s, kNotNegative, "read no more than this from the beginning, 0: everything");
    visit("resample_quality", self.resample_quality, kAny, "hq (20 bit) or vhq (28 bit)");
  }
};

struct LoadedAudio {
  Waveform waveform;
  std::vector<std::string> warnings;  ///< see decode.h
  std::string description;            ///< container and codec
  int source_rate_hz = 0;
  int source_channels = 0;
  std::optional<std::uint64_t> n_declared;  ///< samples at the waveform's rate that the header told of
  bool cut = false;                         ///< max_s left the rest out, whose warnings are then unknown
};

/// Safe to call from many threads at once. A failure is one of decode.h's, or "too_short" for what is less
/// than one sample at the rate asked for: the waveform is never empty.
/// @throws Error(kInvalidOption) for options out of range.
Outcome<LoadedAudio> read_audio(const std::filesystem::path& path, const ReadOptions& options = {});

/// The same from an open source.
Outcome<LoadedAudio> read_audio(std::unique_ptr<AudioSource> source, const ReadOptions& options = {});

}  // namespace earmark
