// spectrogram_strip.h: a recording of any length as a picture of bounded width, gathered while it streams by.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "audio/audio_source.h"
#include "earmark/log_mel.h"
#include "earmark/tagger.h"
#include "tagger/bundle.h"

namespace earmark {

/// Log-mel columns; when there are more than kMaxColumns, neighbours are joined in pairs. A cell lies
/// half-way (in dB) between the mean and the maximum of its frames, so that hours keep their short events.
/// Not thread-safe; constant memory.
class SpectrogramStrip {
 public:
  static constexpr std::size_t kMaxColumns = 4096;

  /// @param front_end whose bands are shown; how it takes logarithms and slopes does not matter.
  explicit SpectrogramStrip(const LogMelOptions& front_end);

  /// @param interleaved [n, n_channels], whose mean is shown.
  void push(std::span<const float> interleaved, int n_channels);
  /// The end: shows what is left, completed with silence.
  void finish();

  int n_mels() const noexcept { return options_.n_mels; }
  const LogMelOptions& options() const noexcept { return options_; }
  std::size_t n_columns() const noexcept { return columns_.size(); }
  double seconds_per_column() const noexcept;
  /// @param mel 0: lowest. @return dB.
  float value(std::size_t column, int mel) const;

 private:
  struct Column {
    std::vector<float> sum, maximum;  ///< [n_mels] power
    std::uint32_t n_frames = 0;
  };
  void take_frames(std::size_t n_samples, std::size_t n_frames);
  void halve();

  LogMelOptions options_;
  LogMelExtractor extractor_;
  LogMelWorkspace workspace_;
  FeatureMap frames_;
  std::vector<float> mono_;  ///< samples from the next frame on
  std::vector<Column> columns_;
  std::uint32_t frames_per_column_ = 1;
};

/// The bands that pictures of a bundle's recordings show: those of its network of the highest sample rate,
/// also where it makes them itself of waveforms.
LogMelOptions picture_front_end(const Bundle& bundle);

/// Scores of all segments, neighbours joined by their larger score when there are more than kMaxSegments.
class ScoreStrip {
 public:
  static constexpr std::size_t kMaxSegments = 4096;
  void add(const SegmentScores& segment);
  const std::vector<SegmentScores>& segments() const noexcept { return segments_; }
  double end_s() const noexcept { return segments_.empty() ? 0.0 : segments_.back().end_s; }

 private:
  std::vector<SegmentScores> segments_;
  std::size_t per_entry_ = 1, in_last_ = 0;
};

/// Passes a source through and shows its samples to `strip`, which must outlive it.
std::unique_ptr<AudioSource> show_to(SpectrogramStrip& strip, std::unique_ptr<AudioSource> source);

}  // namespace earmark
