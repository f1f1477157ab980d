#include "audio/read_audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace earmark {
namespace {

void check(const ReadOptions& options) {
  std::vector<std::string> problems;
  if (options.sample_rate_hz != 0 &&
      (options.sample_rate_hz < kMinSampleRateHz || options.sample_rate_hz > kMaxSampleRateHz)) {
    problems.push_back(fmt::format("sample_rate_hz: must be 0 or {}..{}, got {}", kMinSampleRateHz,
                                   kMaxSampleRateHz, options.sample_rate_hz));
  }
  if (!(options.max_s >= 0.0))
    problems.push_back(fmt::format("max_s: must not be negative, got {}", options.max_s));
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "the recording cannot be read this way", problems);
}

std::vector<float> planar(const std::vector<float>& interleaved, int n_channels) {
  const auto channels = static_cast<std::size_t>(n_channels);
  const std::size_t n = interleaved.size() / channels;
  std::vector<float> samples(interleaved.size());
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < n; ++i) samples[c * n + i] = interleaved[i * channels + c];
  }
  return samples;
}

}  // namespace

Outcome<LoadedAudio> read_audio(std::unique_ptr<AudioSource> source, const ReadOptions& options) {
  check(options);
  LoadedAudio loaded;
  loaded.description = source->description();
  loaded.source_rate_hz = source->sample_rate_hz();
  loaded.source_channels = source->n_channels();
  source = convert(std::move(source), options.sample_rate_hz, options.channels, options.resample_quality);
  loaded.n_declared = source->n_samples_declared();
  const int rate = source->sample_rate_hz(), n_channels = source->n_channels();
  const auto channels = static_cast<std::size_t>(n_channels);
  const std::uint64_t limit =
      options.max_s > 0.0
          ? static_cast<std::uint64_t>(std::max(1.0, std::min(1e15, std::round(options.max_s * rate))))
          : std::numeric_limits<std::uint64_t>::max();
  // What a header promises is not to be believed beyond a minute's worth of memory.
  std::vector<float> interleaved;
  const std::uint64_t expected =
      std::min({loaded.n_declared.value_or(0), limit, std::uint64_t{60} * static_cast<std::uint64_t>(rate)});
  interleaved.reserve(static_cast<std::size_t>(expected) * channels);
  std::vector<float> block(8192 * channels);
  std::uint64_t n_read = 0;
  for (;;) {
    auto n = source->read(block);
    if (!n) return n.failure();
    if (*n == 0) break;
    const std::uint64_t taken = std::min<std::uint64_t>(*n, limit - n_read);
    interleaved.insert(interleaved.end(), block.begin(),
                       block.begin() + static_cast<std::ptrdiff_t>(taken * channels));
    n_read += taken;
    loaded.cut = taken < *n;
    if (loaded.cut) break;
  }
  if (n_read == 0)  // an empty recording fails at its first read; this one came to nothing in resampling
    return Failure{"too_short", fmt::format("the sound is shorter than one sample at {} Hz", rate)};
  loaded.warnings = source->warnings();
  loaded.waveform =
      Waveform{rate, n_channels, n_channels == 1 ? std::move(interleaved) : planar(interleaved, n_channels)};
  return loaded;
}

Outcome<LoadedAudio> read_audio(const std::filesystem::path& path, const ReadOptions& options) {
  check(options);
  auto source = open_audio(path, options.decode);
  if (!source) return source.failure();
  return read_audio(std::move(*source), options);
}

}  // namespace earmark
