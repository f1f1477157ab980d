// convert.h: another source's sound at the rate and with the channels a network wants, as it streams.
#pragma once
#include <memory>

#include "audio/audio_source.h"
#include "audio/resample.h"
#include "earmark/options.h"

namespace earmark {

enum class ChannelMode {
  kKeep,    ///< as recorded
  kMono,    ///< the mean of all channels
  kStereo,  ///< the first two channels; a single one twice
};

template <>
struct EnumNames<ChannelMode> {
  static constexpr std::array kNames{
      std::pair<ChannelMode, std::string_view>{ChannelMode::kKeep, "keep"},
      std::pair<ChannelMode, std::string_view>{ChannelMode::kMono, "mono"},
      std::pair<ChannelMode, std::string_view>{ChannelMode::kStereo, "stereo"}};
};

template <>
struct EnumNames<ResampleQuality> {
  static constexpr std::array kNames{
      std::pair<ResampleQuality, std::string_view>{ResampleQuality::kHq, "hq"},
      std::pair<ResampleQuality, std::string_view>{ResampleQuality::kVhq, "vhq"}};
};

/// What is handed out does not depend on the size of the reads. Mixed first, then resampled.
/// @param sample_rate_hz 0 keeps the source's.
/// @throws Error(kInvalidOption) for a rate out of range.
std::unique_ptr<AudioSource> convert(std::unique_ptr<AudioSource> source, int sample_rate_hz,
                                     ChannelMode channels, ResampleQuality quality = ResampleQuality::kHq);

/// Interleaved in, interleaved out.
/// @param in [n, n_in]. @param out [n, n_out]; n_out as n_channels_of(mode, n_in).
void mix_channels(std::span<const float> in, int n_in, ChannelMode mode, std::span<float> out) noexcept;
int n_channels_of(ChannelMode mode, int n_in) noexcept;

}  // namespace earmark
