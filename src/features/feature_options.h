// feature_options.h: what a network hears of a recording: log-mel frames, or the samples themselves.
#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "earmark/log_mel.h"
#include "earmark/options.h"

namespace earmark {

struct LogMelFeatures : LogMelOptions {
  static constexpr std::string_view kKind = "log_mel";
};

/// The samples themselves, for networks that make their own picture of them (Cochlear.ai, DCASE 2018 Task 2).
struct WaveformOptions {
  static constexpr std::string_view kKind = "waveform";
  int sample_rate_hz = 44100;
  Channels channels = Channels::kMono;
  bool divide_by_peak = true;
  int min_samples = 64000;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("sample_rate_hz", self.sample_rate_hz, Range{1000, 768000},
          "rate of the clip; nothing resamples here");
    visit("channels", self.channels, kAny, "mono: average of the channels; keep: each for itself");
    visit("divide_by_peak", self.divide_by_peak, kAny,
          "the largest sample of what is heard becomes 1; silence stays silent");
    visit("min_samples", self.min_samples, Range{1, 1e8},
          "a shorter clip stands in the middle of so much silence");
  }

  /// Each broken rule as "field: rule, got value"; empty when valid.
  std::vector<std::string> problems() const;
};

using FeatureOptions = std::variant<LogMelFeatures, WaveformOptions>;

int sample_rate_of(const FeatureOptions& options);
/// Whether channels are averaged before anything else.
bool is_mono(const FeatureOptions& options);
/// Bands of a map of them; 1 for waveforms.
int n_mels_of(const FeatureOptions& options);
/// "log_mel", "waveform".
std::string_view kind_of(const FeatureOptions& options);
std::vector<std::string> problems_of(const FeatureOptions& options);

}  // namespace earmark
