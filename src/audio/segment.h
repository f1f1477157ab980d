// segment.h: cuts a recording or an endless stream on a fixed grid.
//
// Segment k covers [k * hop_s, k * hop_s + segment_s), to the nearest sample. The grid ends with the first
// segment that reaches the recording's end. When that segment is shorter than the others, it is padded if at
// least half of it is there or if it is the only one; otherwise it is moved back until it ends with the
// recording. So a segment's samples depend on the recording alone, not on how it was read.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audio/audio_source.h"
#include "earmark/options.h"
#include "earmark/waveform.h"

namespace earmark {

enum class PadMode {
  kZeros,    ///< silence
  kRepeat,   ///< from the beginning again and again
  kReflect,  ///< backwards, forwards, ...; the samples at the turns are not doubled
};

template <>
struct EnumNames<PadMode> {
  static constexpr std::array kNames{std::pair<PadMode, std::string_view>{PadMode::kZeros, "zeros"},
                                     std::pair<PadMode, std::string_view>{PadMode::kRepeat, "repeat"},
                                     std::pair<PadMode, std::string_view>{PadMode::kReflect, "reflect"}};
};

struct SegmentOptions {
  double segment_s = 0.0;  ///< 0: the whole recording is one segment
  double hop_s = 0.0;      ///< 0: segment_s, so no overlap
  PadMode pad = PadMode::kZeros;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("segment_s", self.segment_s, Range{0.0, 86400.0}, "length of a segment, 0: the whole recording");
    visit("hop_s", self.hop_s, Range{0.0, 86400.0}, "distance of the segments' beginnings, 0: segment_s");
    visit("pad", self.pad, kAny, "what follows the end in a padded segment");
  }
  /// Each broken rule as "field: rule, got value"; empty when valid.
  std::vector<std::string> problems(int sample_rate_hz) const;
};

/// Where a segment lies, in samples of the recording. Where it is padded, `end` is the recording's end.
struct SegmentSpan {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const SegmentSpan&) const = default;
};

/// The grid of a recording of known length; empty for an empty recording.
/// @throws Error(kInvalidOption) listing options.problems().
std::vector<SegmentSpan> segment_grid(std::uint64_t n_samples, int sample_rate_hz,
                                      const SegmentOptions& options);

/// Samples in a full segment: segment_s to the nearest sample.
std::uint64_t segment_length(int sample_rate_hz, const SegmentOptions& options) noexcept;

/// Fills `channel` beyond its first `n_real` samples (n_real >= 1).
void pad_channel(std::span<float> channel, std::size_t n_real, PadMode mode) noexcept;

struct Segment {
  std::uint64_t index = 0;  ///< 0, 1, 2 ...
  SegmentSpan span;
  double start_s = 0.0, end_s = 0.0;  ///< of `span`
  bool padded = false, shifted = false;
  Waveform waveform;  ///< [n_channels, segment_length]; the whole recording when segment_s is 0
};

/// Pulls segments out of a source. Memory: about one segment and one hop, whatever the stream's length; with
/// segment_s 0 the whole recording. A segment is handed out as soon as its last sample is there.
/// Not thread-safe.
class Segmenter {
 public:
  /// @throws Error(kInvalidOption) listing options.problems().
  Segmenter(std::unique_ptr<AudioSource> source, const SegmentOptions& options);

  /// @return whether there was one more. Failures are the source's.
  Outcome<bool> next(Segment& segment);

  const AudioSource& source() const noexcept { return *source_; }
  /// Samples of one channel read so far: after the last segment, the recording's length.
  std::uint64_t n_samples_read() const noexcept { return n_read_; }

 private:
  std::optional<Failure> fill(std::uint64_t end);
  std::uint64_t grid_begin(std::uint64_t index) const noexcept;
  void deliver(SegmentSpan span, std::uint64_t length, Segment& segment);
  void forget(std::uint64_t before);

  std::unique_ptr<AudioSource> source_;
  SegmentOptions options_;
  std::uint64_t length_;
  std::size_t n_channels_;
  std::vector<float> block_;
  std::vector<float> kept_;  ///< interleaved, from kept_from_ to n_read_
  std::uint64_t kept_from_ = 0, n_read_ = 0;
  std::uint64_t index_ = 0;    ///< of the next segment
  std::uint64_t reached_ = 0;  ///< end of the segment before it
  bool source_ended_ = false, done_ = false;
};

}  // namespace earmark
