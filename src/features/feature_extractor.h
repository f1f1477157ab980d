// feature_extractor.h: a recording as a network hears it, whichever kind of features that is.
#pragma once
#include <cstddef>
#include <optional>

#include "earmark/feature_map.h"
#include "earmark/log_mel.h"
#include "earmark/waveform.h"
#include "features/feature_options.h"

namespace earmark {

/// Immutable once built: one instance may be used from many threads at once.
class FeatureExtractor {
 public:
  /// @throws Error(kInvalidOption) listing all problems().
  explicit FeatureExtractor(FeatureOptions options);

  const FeatureOptions& options() const noexcept { return options_; }
  /// Frames of a map of so many samples; of waveforms: samples, with the silence around a short clip. The
  /// largest int where that is too many for a map, which compute() refuses.
  int n_frames(std::size_t n_samples) const noexcept;
  /// Channels of the map of a waveform as training and tagging give it: one where channels are averaged, else
  /// two.
  int n_channels() const noexcept;

  /// @return [n_channels, n_mels, n_frames]; of waveforms [n_channels, 1, n_samples].
  /// @throws Error(kBadAudio) as LogMelExtractor does.
  FeatureMap compute(const Waveform& waveform) const;
  /// The same into `features`, whose storage is reused, with the caller's buffers.
  void compute(const Waveform& waveform, LogMelWorkspace& workspace, FeatureMap& features) const;

 private:
  FeatureOptions options_;
  std::optional<LogMelExtractor> log_mel_;  // nothing: the samples themselves
};

}  // namespace earmark
