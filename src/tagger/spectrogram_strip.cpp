#include "tagger/spectrogram_strip.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/options_io.h"
#include "features/published_front_ends.h"

namespace earmark {
namespace {

constexpr std::size_t kFramesAtOnce = 64;
constexpr float kFloorPower = 1e-12f, kCeilingPower = 1e30f;  // a float's square may overflow

LogMelOptions plain(LogMelOptions options) {
  options.framing = Framing::kNone;
  options.spectrum = Spectrum::kPower;
  options.mel_root = false;
  options.log = LogKind::kNone;
  options.log_offset = 0.0;
  options.reference = LogReference::kOne;
  options.top_db = 0.0;
  options.channels = Channels::kMono;
  options.deltas = Deltas::kNone;
  return options;
}

class ShownSource : public ForwardingSource {
 public:
  ShownSource(SpectrogramStrip& strip, std::unique_ptr<AudioSource> inner)
      : ForwardingSource(std::move(inner)), strip_(strip) {}
  Outcome<std::size_t> read(std::span<float> interleaved) override {
    auto n = inner().read(interleaved);
    if (n && *n > 0)
      strip_.push(interleaved.first(*n * static_cast<std::size_t>(n_channels())), n_channels());
    if (n && *n == 0) strip_.finish();
    return n;
  }

 private:
  SpectrogramStrip& strip_;
};

// What a network hears, as log-mel bands; of one that hears waveforms the picture that it makes, or one as
// good.
LogMelOptions bands_of(const BundledNetwork& network) {
  if (network.front_end.log_mel) return *network.front_end.log_mel;
  LogMelOptions bands = cochlear_front_end(sample_rate_of(network.front_end.features()));
  std::vector<std::string> problems;
  if (const Value* inside = network.options.find("log_mel"))
    read_options(*inside, bands, "options.log_mel", problems);
  return bands;
}

}  // namespace

LogMelOptions picture_front_end(const Bundle& bundle) {
  const auto by_rate = [](const BundledNetwork& a, const BundledNetwork& b) {
    return sample_rate_of(a.front_end.features()) < sample_rate_of(b.front_end.features());
  };
  // The recording is decoded at the highest rate of all.
  return bands_of(*std::max_element(bundle.networks.begin(), bundle.networks.end(), by_rate));
}

SpectrogramStrip::SpectrogramStrip(const LogMelOptions& front_end)
    : options_(plain(front_end)), extractor_(options_) {}

double SpectrogramStrip::seconds_per_column() const noexcept {
  return static_cast<double>(frames_per_column_) * options_.hop_length / options_.sample_rate_hz;
}

void SpectrogramStrip::push(std::span<const float> interleaved, int n_channels) {
  const auto channels = static_cast<std::size_t>(n_channels);
  for (std::size_t i = 0; i + channels <= interleaved.size(); i += channels) {
    float sum = 0.0f;
    for (std::size_t c = 0; c < channels; ++c) sum += interleaved[i + c];
    mono_.push_back(sum / static_cast<float>(n_channels));
  }
  const auto hop = static_cast<std::size_t>(options_.hop_length);
  const std::size_t needed = (kFramesAtOnce - 1) * hop + static_cast<std::size_t>(options_.n_fft);
  while (mono_.size() >= std::max(needed, kFramesAtOnce * hop)) {
    take_frames(needed, kFramesAtOnce);
    mono_.erase(mono_.begin(), mono_.begin() + static_cast<std::ptrdiff_t>(kFramesAtOnce * hop));
  }
}

void SpectrogramStrip::finish() {
  if (mono_.empty()) return;
  const auto hop = static_cast<std::size_t>(options_.hop_length);
  const std::size_t n_frames = (mono_.size() + hop - 1) / hop;
  mono_.resize(mono_.size() + static_cast<std::size_t>(options_.n_fft) + hop, 0.0f);
  take_frames(mono_.size(), n_frames);
  mono_.clear();
}

void SpectrogramStrip::take_frames(std::size_t n_samples, std::size_t n_frames) {
  extractor_.compute(std::span<const float>(mono_).first(n_samples), workspace_, frames_);
  const auto n_mels = static_cast<std::size_t>(options_.n_mels);
  const std::size_t n_taken = std::min(n_frames, static_cast<std::size_t>(frames_.n_frames));
  for (std::size_t t = 0; t < n_taken; ++t) {
    if (columns_.empty() || columns_.back().n_frames == frames_per_column_) {
      if (columns_.size() == kMaxColumns) halve();
      columns_.push_back({std::vector<float>(n_mels, 0.0f), std::vector<float>(n_mels, 0.0f), 0});
    }
    Column& column = columns_.back();
    for (std::size_t m = 0; m < n_mels; ++m) {
      const float power = frames_.row(0, static_cast<int>(m))[t];
      column.sum[m] += power;
      column.maximum[m] = std::max(column.maximum[m], power);
    }
    ++column.n_frames;
  }
}

void SpectrogramStrip::halve() {
  for (std::size_t i = 0; i < columns_.size() / 2; ++i) {
    Column joined = std::move(columns_[2 * i]);
    const Column& other = columns_[2 * i + 1];
    for (std::size_t m = 0; m < joined.sum.size(); ++m) {
      joined.sum[m] += other.sum[m];
      joined.maximum[m] = std::max(joined.maximum[m], other.maximum[m]);
    }
    joined.n_frames += other.n_frames;
    columns_[i] = std::move(joined);
  }
  columns_.resize(columns_.size() / 2);
  frames_per_column_ *= 2;
}

float SpectrogramStrip::value(std::size_t column, int mel) const {
  const Column& c = columns_[column];
  const auto m = static_cast<std::size_t>(mel);
  const float mean = c.sum[m] / static_cast<float>(c.n_frames);
  // Where it did, a sum may be no number: loud as well.
  const auto decades = [](float power) {
    return std::log10(power < kCeilingPower ? std::max(power, kFloorPower) : kCeilingPower);
  };
  return 5.0f * (decades(mean) + decades(c.maximum[m]));
}

void ScoreStrip::add(const SegmentScores& segment) {
  if (!segments_.empty() && in_last_ < per_entry_) {
    SegmentScores& last = segments_.back();
    last.end_s = std::max(last.end_s, segment.end_s);
    for (std::size_t k = 0; k < last.scores.size(); ++k)
      last.scores[k] = std::max(last.scores[k], segment.scores[k]);
    ++in_last_;
    return;
  }
  if (segments_.size() == kMaxSegments) {
    for (std::size_t i = 0; i < kMaxSegments / 2; ++i) {
      SegmentScores joined = std::move(segments_[2 * i]);
      const SegmentScores& other = segments_[2 * i + 1];
      joined.end_s = std::max(joined.end_s, other.end_s);
      for (std::size_t k = 0; k < joined.scores.size(); ++k)
        joined.scores[k] = std::max(joined.scores[k], other.scores[k]);
      segments_[i] = std::move(joined);
    }
    segments_.resize(kMaxSegments / 2);
    per_entry_ *= 2;
  }
  segments_.push_back(segment);
  in_last_ = 1;
}

std::unique_ptr<AudioSource> show_to(SpectrogramStrip& strip, std::unique_ptr<AudioSource> source) {
  return std::make_unique<ShownSource>(strip, std::move(source));
}

}  // namespace earmark
