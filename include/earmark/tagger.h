// tagger.h: recordings in, tags out. A Tagger is a bundle ready to score; what it gives for a segment depends
// on that segment's samples alone, bit for bit, whatever the threads, the blocks or the file around it.
//
//   earmark::Tagger tagger("esc10.earmark");
//   auto tagged = tagger.tag_file("street.wav");
//   if (!tagged) return report(tagged.failure().reason);
//   for (const auto& segment : tagged->segments) use(tagger.top(segment, 3));
#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "earmark/error.h"
#include "earmark/event_options.h"
#include "earmark/waveform.h"

namespace earmark {

class Scorer;

struct TagScore {
  std::string tag;
  float score = 0.0f;  ///< 0..1
};

/// What a network says about one piece of a recording.
struct SegmentScores {
  double start_s = 0.0;
  double end_s = 0.0;         ///< the recording's end where the segment was completed beyond it
  std::vector<float> scores;  ///< [n_tags], 0..1, in the order of Tagger::tags()
  std::vector<float>
      embedding{};  ///< what the networks' last layers saw, one behind the other; empty unless asked for
};

/// A tag that was present from start_s to end_s: neighbouring segments above the threshold, merged.
struct TagEvent {
  std::size_t tag = 0;  ///< index into Tagger::tags()
  double start_s = 0.0;
  double end_s = 0.0;
  float score = 0.0f;  ///< largest of the segments that it is made of, smoothed where scores were
  bool operator==(const TagEvent&) const = default;
};

/// How recordings are cut: segment k covers [k * hop_s, k * hop_s + segment_s). A last, shorter piece is
/// completed when at least half of it is there or it is the only one, and otherwise moved back until it ends
/// with the recording.
struct TagOptions {
  std::optional<double> segment_s;  ///< unset: the bundle's own; 0: the whole recording is one segment
  double hop_s = 0.0;               ///< 0: segment_s, so no overlap
  /// What is known of the recording besides its sound (place, time), for bundles that take it; what is not
  /// named has the value that the bundle holds for it.
  std::map<std::string, double> metadata{};
};

struct TaggedRecording {
  double duration_s = 0.0;
  std::vector<std::string> warnings;  ///< "word: sentence": truncated, clipped, over_full_scale, silent ...
  std::string description;            ///< container and codec; empty for samples from memory
  std::vector<SegmentScores> segments;
};

/// Samples pushed as they come, segments out as they complete: memory does not grow with the stream's length.
/// Not thread-safe; keeps its Tagger's network alive.
class TagStream {
 public:
  ~TagStream();
  TagStream(TagStream&&) noexcept;
  TagStream& operator=(TagStream&&) noexcept;

  /// @param interleaved [n, n_channels], nominal -1..1, any n; n_channels and rate as given to stream().
  /// @return the segments that these samples completed, often none.
  ///   Failure "non_finite" names the first NaN or infinity; the stream is then at its end.
  /// @throws Error(kInvalidOption) when the span does not hold whole sample positions, or after finish().
  Outcome<std::vector<SegmentScores>> push(std::span<const float> interleaved);

  /// The end of the sound: what is left. Failure "no_samples" when nothing was ever pushed.
  Outcome<std::vector<SegmentScores>> finish();

  double duration_s() const noexcept;         ///< pushed so far
  std::vector<std::string> warnings() const;  ///< about the sound so far, as in TaggedRecording

 private:
  friend class Tagger;
  struct Impl;
  explicit TagStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Segments in as they come, events out as they are over: what Tagger::events() gives, without waiting for
/// the recording's end. That an event is over is known half a median window and min_gap_s behind its end; it
/// is told after those that began before it. Not thread-safe.
class EventStream {
 public:
  ~EventStream();
  EventStream(EventStream&&) noexcept;
  EventStream& operator=(EventStream&&) noexcept;

  /// @param segment with the Tagger's tags, in order of time.
  /// @return events that are certain now, in order of start, then of tags(); often none.
  /// @throws Error(kInvalidOption) for another number of scores than there are tags.
  std::vector<TagEvent> push(const SegmentScores& segment);
  /// The end of the recording: the rest. What is pushed then belongs to another recording.
  std::vector<TagEvent> finish();

 private:
  friend class Tagger;
  struct Impl;
  explicit EventStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Immutable once built: one instance may be used from many threads at once, each call runs on its caller's.
class Tagger {
 public:
  /// Reads the bundle, builds its networks and runs its self-test.
  /// @throws Error(kBadBundle) when it is damaged, too new or no longer gives its own answer;
  ///   Error(kUnsupported) when this build cannot run its networks.
  explicit Tagger(const std::filesystem::path& bundle);
  /// For programs that bring their own networks (and for tests).
  explicit Tagger(std::shared_ptr<const Scorer> scorer);

  const std::vector<std::string>& tags() const noexcept;
  const std::vector<double>& thresholds() const noexcept;  ///< [n_tags], from which score a tag is present
  /// Of the bundle; the defaults where it holds none.
  const EventOptions& event_options() const noexcept;
  double segment_s() const noexcept;    ///< of the bundle
  int sample_rate_hz() const noexcept;  ///< that the network works at; input is resampled

  /// Decodes, mixes, resamples and scores. Memory does not grow with the recording's length, except for the
  /// scores themselves (4 bytes a tag and segment) and with segment_s = 0.
  /// @return Failure for a recording that cannot be tagged: reason is a stable word (not_found, not_audio,
  ///   empty_file, damaged_header, non_finite, needs_ffmpeg ...), detail the sentence for a person.
  /// @throws Error(kInvalidOption) for options out of range.
  Outcome<TaggedRecording> tag_file(const std::filesystem::path& path, const TagOptions& options = {}) const;

  /// @param waveform any rate of 1000..768000 Hz, 1..64 channels.
  Outcome<TaggedRecording> tag(const Waveform& waveform, const TagOptions& options = {}) const;

  /// @throws Error(kInvalidOption) for a rate, channel count or options out of range.
  TagStream stream(int sample_rate_hz, int n_channels, const TagOptions& options = {}) const;

  /// The `k` largest scores, largest first; of equal ones, the first in tags().
  std::vector<TagScore> top(const SegmentScores& segment, int k) const;

  /// @param segments in order of time. @param threshold for every tag; unset: the bundle's own.
  /// @param options unset: event_options().
  /// @return events in order of start, then of tags().
  /// @throws Error(kInvalidOption) for options out of range, or for segments with another number of scores
  /// than there are tags.
  std::vector<TagEvent> events(std::span<const SegmentScores> segments,
                               std::optional<double> threshold = std::nullopt,
                               const std::optional<EventOptions>& options = std::nullopt) const;
  /// The same of segments that are still to come. @throws Error(kInvalidOption) for options out of range.
  EventStream event_stream(std::optional<double> threshold = std::nullopt,
                           const std::optional<EventOptions>& options = std::nullopt) const;

 private:
  std::shared_ptr<const Scorer> scorer_;
};

}  // namespace earmark
