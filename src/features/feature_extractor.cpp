#include "features/feature_extractor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "earmark/error.h"
#include "features/framing.h"

namespace earmark {
namespace {

// The channels of `waveform`, or their average.
FeatureMap channels_of(const Waveform& waveform, Channels channels, int n_frames) {
  const std::size_t n = waveform.n_samples(), length = static_cast<std::size_t>(n_frames);
  const std::size_t before = (length - n) / 2;
  const bool mixed = channels == Channels::kMono && waveform.n_channels > 1;
  FeatureMap map{mixed ? 1 : waveform.n_channels, 1, n_frames, {}};
  map.values.assign(static_cast<std::size_t>(map.n_channels) * length, 0.0f);
  for (int c = 0; c < map.n_channels; ++c) {
    const auto out = map.row(c, 0).subspan(before, n);
    std::copy_n(waveform.channel(c).begin(), n, out.begin());
    if (!mixed) continue;
    for (int other = 1; other < waveform.n_channels; ++other) {
      const auto in = waveform.channel(other);
      for (std::size_t i = 0; i < n; ++i) out[i] += in[i];
    }
    for (float& x : out) x /= static_cast<float>(waveform.n_channels);
  }
  return map;
}

void divide_by_peak(std::vector<float>& values) {
  float peak = 0.0f;
  for (const float x : values) peak = std::max(peak, std::fabs(x));
  if (peak == 0.0f) return;
  for (float& x : values) x /= peak;
}

void hear_waveform(const WaveformOptions& options, const Waveform& waveform, int n_frames, FeatureMap& map) {
  if (waveform.n_samples() == 0) throw Error(ErrorCode::kBadAudio, "the clip is empty");
  refuse_too_long(waveform.n_samples(), n_frames);
  if (waveform.sample_rate_hz != options.sample_rate_hz)
    throw Error(ErrorCode::kBadAudio,
                fmt::format("sample_rate_hz: the waveform has {}, the features are of {}",
                            waveform.sample_rate_hz, options.sample_rate_hz));
  map = channels_of(waveform, options.channels, n_frames);
  const auto bad =
      std::find_if(map.values.begin(), map.values.end(), [](float x) { return !std::isfinite(x); });
  if (bad != map.values.end())
    throw Error(ErrorCode::kBadAudio,
                fmt::format("sample {} is {}, not a number", bad - map.values.begin(), *bad));
  if (options.divide_by_peak) divide_by_peak(map.values);
}

}  // namespace

FeatureExtractor::FeatureExtractor(FeatureOptions options) : options_(std::move(options)) {
  if (const auto* log_mel = std::get_if<LogMelFeatures>(&options_)) {
    log_mel_.emplace(*log_mel);
  } else if (const auto problems = problems_of(options_); !problems.empty()) {
    throw Error(ErrorCode::kInvalidOption, "the waveform's options do not fit:", problems);
  }
}

int FeatureExtractor::n_frames(std::size_t n_samples) const noexcept {
  if (log_mel_) return log_mel_->n_frames(n_samples);
  if (n_samples == 0) return 0;
  return std::max(std::get<WaveformOptions>(options_).min_samples, frame_count(n_samples));
}

int FeatureExtractor::n_channels() const noexcept {
  const int heard = is_mono(options_) ? 1 : 2;
  return log_mel_ ? log_mel_->n_channels(heard) : heard;
}

FeatureMap FeatureExtractor::compute(const Waveform& waveform) const {
  LogMelWorkspace workspace;
  FeatureMap map;
  compute(waveform, workspace, map);
  return map;
}

void FeatureExtractor::compute(const Waveform& waveform, LogMelWorkspace& workspace,
                               FeatureMap& features) const {
  if (log_mel_) return log_mel_->compute(waveform, workspace, features);
  hear_waveform(std::get<WaveformOptions>(options_), waveform, n_frames(waveform.n_samples()), features);
}

std::vector<std::string> WaveformOptions::problems() const {
  std::vector<std::string> found;
  if (sample_rate_hz < 1000 || sample_rate_hz > 768000)
    found.push_back(fmt::format("sample_rate_hz: must be 1000..768000, got {}", sample_rate_hz));
  if (min_samples < 1 || min_samples > 100'000'000)
    found.push_back(fmt::format("min_samples: must be 1..100000000, got {}", min_samples));
  return found;
}

int sample_rate_of(const FeatureOptions& options) {
  return std::visit([](const auto& o) { return o.sample_rate_hz; }, options);
}
bool is_mono(const FeatureOptions& options) {
  return std::visit([](const auto& o) { return o.channels == Channels::kMono; }, options);
}
int n_mels_of(const FeatureOptions& options) {
  const auto* log_mel = std::get_if<LogMelFeatures>(&options);
  return log_mel == nullptr ? 1 : log_mel->n_mels;
}
std::string_view kind_of(const FeatureOptions& options) {
  return std::visit([](const auto& o) { return std::decay_t<decltype(o)>::kKind; }, options);
}
std::vector<std::string> problems_of(const FeatureOptions& options) {
  return std::visit([](const auto& o) { return o.problems(); }, options);
}

}  // namespace earmark
