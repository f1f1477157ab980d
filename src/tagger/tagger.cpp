#include "earmark/tagger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "audio/audio_monitor.h"
#include "audio/convert.h"
#include "audio/decode.h"
#include "audio/segment.h"
#include "tagger/engine.h"
#include "tagger/recording.h"
#include "tagger/scorer.h"
#include "tagger/timeline.h"

namespace earmark {
namespace {

// Samples that were pushed, as the source of a Segmenter that is only asked for what is there.
class PushedSource : public AudioSource {
 public:
  PushedSource(int sample_rate_hz, int n_channels)
      : sample_rate_hz_(sample_rate_hz), n_channels_(n_channels) {}

  int sample_rate_hz() const override { return sample_rate_hz_; }
  int n_channels() const override { return n_channels_; }
  std::optional<std::uint64_t> n_samples_declared() const override { return std::nullopt; }
  std::string description() const override { return ""; }
  std::vector<std::string> warnings() const override { return {}; }

  Outcome<std::size_t> read(std::span<float> interleaved) override {
    const auto channels = static_cast<std::size_t>(n_channels_);
    const std::size_t n =
        std::min(interleaved.size() / channels, (ready.size() - position_) / channels) * channels;
    std::copy_n(ready.begin() + static_cast<std::ptrdiff_t>(position_), n, interleaved.begin());
    position_ += n;
    if (position_ == ready.size()) {
      ready.clear();
      position_ = 0;
    }
    return n / channels;
  }

  std::size_t n_waiting() const { return (ready.size() - position_) / static_cast<std::size_t>(n_channels_); }

  std::vector<float> ready;  ///< interleaved; appended to by the owner

 private:
  int sample_rate_hz_, n_channels_;
  std::size_t position_ = 0;
};

void check_stream(int sample_rate_hz, int n_channels) {
  std::vector<std::string> problems;
  if (sample_rate_hz < kMinSampleRateHz || sample_rate_hz > kMaxSampleRateHz) {
    problems.push_back(fmt::format("sample_rate_hz: must be {}..{}, got {}", kMinSampleRateHz,
                                   kMaxSampleRateHz, sample_rate_hz));
  }
  if (n_channels < 1 || n_channels > kMaxChannels) {
    problems.push_back(fmt::format("n_channels: must be 1..{}, got {}", kMaxChannels, n_channels));
  }
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "sound of this kind cannot be tagged:", problems);
}

}  // namespace

struct TagStream::Impl {
  Impl(std::shared_ptr<const Scorer> the_scorer, int rate, int n_channels, const TagOptions& options)
      : scorer(std::move(the_scorer)),
        scoring(scoring_options(*scorer, options)),
        cut(scoring.cut),
        source_rate_hz(rate),
        n_in(n_channels),
        mode(scorer->mono() ? ChannelMode::kMono : ChannelMode::kStereo),
        n_out(n_channels_of(mode, n_channels)),
        monitor(rate, n_channels),
        resampler(rate, scorer->sample_rate_hz(), n_out) {
    auto pushed = std::make_unique<PushedSource>(scorer->sample_rate_hz(), n_out);
    source = pushed.get();
    segmenter = std::make_unique<Segmenter>(std::move(pushed), cut);
  }

  std::uint64_t end_of_next() const {
    const double hop_s = cut.hop_s > 0.0 ? cut.hop_s : cut.segment_s;
    const int rate = scorer->sample_rate_hz();
    return static_cast<std::uint64_t>(std::llround(static_cast<double>(n_segments) * hop_s * rate)) +
           segment_length(rate, cut);
  }

  Outcome<bool> next(std::vector<SegmentScores>& out) {
    const auto more = segmenter->next(segment);
    if (!more || !*more) return more;
    try {
      out.push_back(
          {segment.start_s, segment.end_s, scorer->scores(segment.waveform, workspace, scoring.metadata)});
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kBadAudio) throw;
      return unfit_samples(e, segment.waveform);
    }
    ++n_segments;
    return true;
  }

  std::shared_ptr<const Scorer> scorer;
  ScoringOptions scoring;
  const SegmentOptions& cut;
  int source_rate_hz, n_in;
  ChannelMode mode;
  int n_out;
  AudioMonitor monitor;
  Resampler resampler;
  PushedSource* source = nullptr;  ///< the segmenter's
  std::unique_ptr<Segmenter> segmenter;
  Scorer::Workspace workspace;
  Segment segment;
  std::vector<float> mixed;
  std::uint64_t n_segments = 0;
  bool ended = false;
};

TagStream::TagStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TagStream::~TagStream() = default;
TagStream::TagStream(TagStream&&) noexcept = default;
TagStream& TagStream::operator=(TagStream&&) noexcept = default;

Outcome<std::vector<SegmentScores>> TagStream::push(std::span<const float> interleaved) {
  Impl& s = *impl_;
  const auto n_in = static_cast<std::size_t>(s.n_in);
  if (s.ended) throw Error(ErrorCode::kInvalidOption, "push: the stream has ended");
  if (interleaved.size() % n_in != 0) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("push: must hold all {} channels of each instant, got {} samples", s.n_in,
                            interleaved.size()));
  }
  if (const auto bad = s.monitor.push(interleaved)) {
    s.ended = true;
    return Failure{"non_finite", fmt::format("sample {} ({:.3f} s) of channel {} is {}", bad->position,
                                             static_cast<double>(bad->position) / s.source_rate_hz,
                                             bad->channel + 1, bad->is_nan ? "not a number" : "infinite")};
  }
  std::vector<SegmentScores> out;
  // In blocks, so that a caller who pushes an hour at once does not make the queue an hour long.
  const std::size_t block = static_cast<std::size_t>(s.source_rate_hz) * n_in;
  while (!interleaved.empty()) {
    const auto part = interleaved.first(std::min(block, interleaved.size()));
    interleaved = interleaved.subspan(part.size());
    s.mixed.resize(part.size() / n_in * static_cast<std::size_t>(s.n_out));
    mix_channels(part, s.n_in, s.mode, s.mixed);
    s.resampler.push(s.mixed, s.source->ready);
    if (s.cut.segment_s == 0.0) continue;
    while (s.segmenter->n_samples_read() + s.source->n_waiting() >= s.end_of_next()) {
      const auto more = s.next(out);
      if (!more) return more.failure();
    }
  }
  return out;
}

Outcome<std::vector<SegmentScores>> TagStream::finish() {
  Impl& s = *impl_;
  if (s.ended) throw Error(ErrorCode::kInvalidOption, "finish: the stream has ended");
  s.ended = true;
  if (s.monitor.stats().n_samples == 0) return Failure{"no_samples", "there is no sound"};
  s.resampler.flush(s.source->ready);
  std::vector<SegmentScores> out;
  for (;;) {
    const auto more = s.next(out);
    if (!more) return more.failure();
    if (!*more) return out;
  }
}

double TagStream::duration_s() const noexcept {
  return static_cast<double>(impl_->monitor.stats().n_samples) / impl_->source_rate_hz;
}
std::vector<std::string> TagStream::warnings() const { return impl_->monitor.warnings(); }

Tagger::Tagger(const std::filesystem::path& bundle)
    : scorer_(std::make_shared<Scorer>(read_tagging_bundle(bundle), make_network_by(Engine::kAuto))) {}
Tagger::Tagger(std::shared_ptr<const Scorer> scorer) : scorer_(std::move(scorer)) {}

const std::vector<std::string>& Tagger::tags() const noexcept { return scorer_->bundle().tags; }
const std::vector<double>& Tagger::thresholds() const noexcept { return scorer_->bundle().thresholds; }
const EventOptions& Tagger::event_options() const noexcept {
  static const EventOptions defaults;
  return scorer_->bundle().events ? *scorer_->bundle().events : defaults;
}
double Tagger::segment_s() const noexcept { return scorer_->bundle().segment_s; }
int Tagger::sample_rate_hz() const noexcept { return scorer_->sample_rate_hz(); }

Outcome<TaggedRecording> Tagger::tag_file(const std::filesystem::path& path,
                                          const TagOptions& options) const {
  const ScoringOptions scoring = scoring_options(*scorer_, options);
  auto source = open_audio(path);
  if (!source) return source.failure();
  TaggedRecording recording;
  Scorer::Workspace workspace;
  RecordingSummary summary =
      score_recording(convert_for(*scorer_, std::move(*source)), *scorer_, scoring, nullptr, workspace,
                      [&](SegmentScores&& segment) { recording.segments.push_back(std::move(segment)); });
  if (summary.failure) return *summary.failure;
  recording.duration_s = summary.duration_s;
  recording.warnings = std::move(summary.warnings);
  recording.description = std::move(summary.description);
  return recording;
}

Outcome<TaggedRecording> Tagger::tag(const Waveform& waveform, const TagOptions& options) const {
  TagStream pushed = stream(waveform.sample_rate_hz, waveform.n_channels, options);
  TaggedRecording recording;
  const auto channels = static_cast<std::size_t>(waveform.n_channels);
  const std::size_t n = waveform.n_samples(), block = static_cast<std::size_t>(waveform.sample_rate_hz);
  const auto take = [&](Outcome<std::vector<SegmentScores>> segments) -> std::optional<Failure> {
    if (!segments) return segments.failure();
    for (SegmentScores& segment : *segments) recording.segments.push_back(std::move(segment));
    return std::nullopt;
  };
  std::vector<float> interleaved;
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t size = std::min(block, n - begin);
    interleaved.resize(size * channels);
    for (std::size_t c = 0; c < channels; ++c) {
      const auto channel = waveform.channel(static_cast<int>(c)).subspan(begin, size);
      for (std::size_t i = 0; i < size; ++i) interleaved[i * channels + c] = channel[i];
    }
    if (const auto failure = take(pushed.push(interleaved))) return *failure;
  }
  if (const auto failure = take(pushed.finish())) return *failure;
  recording.duration_s = waveform.duration_s();
  recording.warnings = pushed.warnings();
  return recording;
}

TagStream Tagger::stream(int sample_rate_hz, int n_channels, const TagOptions& options) const {
  check_stream(sample_rate_hz, n_channels);
  return TagStream(std::make_unique<TagStream::Impl>(scorer_, sample_rate_hz, n_channels, options));
}

std::vector<TagScore> Tagger::top(const SegmentScores& segment, int k) const {
  std::vector<TagScore> best;
  if (k <= 0) return best;
  for (const std::size_t tag : select_tags(segment.scores, {{}, k}))
    best.push_back({tags()[tag], segment.scores[tag]});
  return best;
}

struct EventStream::Impl {
  EventMerger merger;
  std::size_t n_tags;
};

EventStream::EventStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventStream::~EventStream() = default;
EventStream::EventStream(EventStream&&) noexcept = default;
EventStream& EventStream::operator=(EventStream&&) noexcept = default;

std::vector<TagEvent> EventStream::push(const SegmentScores& segment) {
  if (segment.scores.size() != impl_->n_tags) {
    throw Error(ErrorCode::kInvalidOption, fmt::format("segment: must have {} scores, one a tag, got {}",
                                                       impl_->n_tags, segment.scores.size()));
  }
  std::vector<TagEvent> out;
  impl_->merger.add(segment, out);
  return out;
}

std::vector<TagEvent> EventStream::finish() {
  std::vector<TagEvent> out;
  impl_->merger.finish(out);
  return out;
}

EventStream Tagger::event_stream(std::optional<double> threshold,
                                 const std::optional<EventOptions>& options) const {
  Selection selection;
  selection.thresholds = threshold ? std::vector<double>(tags().size(), *threshold) : thresholds();
  return EventStream(std::make_unique<EventStream::Impl>(EventStream::Impl{
      EventMerger(std::move(selection), options ? *options : event_options()), tags().size()}));
}

std::vector<TagEvent> Tagger::events(std::span<const SegmentScores> segments, std::optional<double> threshold,
                                     const std::optional<EventOptions>& options) const {
  EventStream stream = event_stream(threshold, options);
  std::vector<TagEvent> all;
  const auto take = [&](const std::vector<TagEvent>& events) {
    all.insert(all.end(), events.begin(), events.end());
  };
  for (const SegmentScores& segment : segments) take(stream.push(segment));
  take(stream.finish());
  return all;
}

}  // namespace earmark
