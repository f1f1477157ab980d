#include "audio/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::size_t kReadBlock = 8192;  // samples of one channel read at a time

std::uint64_t to_samples(double seconds, int sample_rate_hz) noexcept {
  return static_cast<std::uint64_t>(std::llround(seconds * sample_rate_hz));
}

std::uint64_t begin_of(std::uint64_t index, int sample_rate_hz, const SegmentOptions& options) noexcept {
  const double hop_s = options.hop_s > 0.0 ? options.hop_s : options.segment_s;
  return to_samples(static_cast<double>(index) * hop_s, sample_rate_hz);
}

// The end of the grid: what becomes of the segment at `begin` that `n_samples` cuts short.
// Nothing when what came before has reached the end already, or when there is nothing left.
std::optional<SegmentSpan> last_span(std::uint64_t begin, std::uint64_t length, std::uint64_t n_samples,
                                     std::uint64_t reached) noexcept {
  if (begin >= n_samples || reached >= n_samples) return std::nullopt;
  const std::uint64_t there = n_samples - begin;
  if (begin == 0 || 2 * there >= length || n_samples < length) return SegmentSpan{begin, n_samples};
  return SegmentSpan{n_samples - length, n_samples};
}

void check(const SegmentOptions& options, int sample_rate_hz) {
  const auto problems = options.problems(sample_rate_hz);
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "segments cannot be cut this way", problems);
}

}  // namespace

std::vector<std::string> SegmentOptions::problems(int sample_rate_hz) const {
  std::vector<std::string> problems;
  constexpr double kLongest_s = 86400.0;
  if (!(segment_s >= 0.0 && segment_s <= kLongest_s)) {
    problems.push_back(fmt::format("segment_s: must be 0..{}, got {}", kLongest_s, segment_s));
  } else if (segment_s > 0.0 && to_samples(segment_s, sample_rate_hz) < 1) {
    problems.push_back(fmt::format("segment_s: must be at least one sample, got {}", segment_s));
  }
  if (!(hop_s >= 0.0 && hop_s <= kLongest_s)) {
    problems.push_back(fmt::format("hop_s: must be 0..{}, got {}", kLongest_s, hop_s));
  } else if (hop_s > 0.0 && to_samples(hop_s, sample_rate_hz) < 1) {
    problems.push_back(fmt::format("hop_s: must be at least one sample, got {}", hop_s));
  } else if (hop_s > 0.0 && segment_s == 0.0) {
    problems.push_back(
        fmt::format("hop_s: must be 0 while segment_s is 0 (the whole recording), got {}", hop_s));
  }
  return problems;
}

std::uint64_t segment_length(int sample_rate_hz, const SegmentOptions& options) noexcept {
  return to_samples(options.segment_s, sample_rate_hz);
}

std::vector<SegmentSpan> segment_grid(std::uint64_t n_samples, int sample_rate_hz,
                                      const SegmentOptions& options) {
  check(options, sample_rate_hz);
  std::vector<SegmentSpan> grid;
  const std::uint64_t length = segment_length(sample_rate_hz, options);
  if (length == 0) {
    if (n_samples > 0) grid.push_back({0, n_samples});
    return grid;
  }
  std::uint64_t reached = 0;
  for (std::uint64_t k = 0; reached < n_samples; ++k) {
    const std::uint64_t begin = begin_of(k, sample_rate_hz, options);
    if (begin + length > n_samples) {
      if (const auto last = last_span(begin, length, n_samples, reached)) grid.push_back(*last);
      break;
    }
    grid.push_back({begin, begin + length});
    reached = begin + length;
  }
  return grid;
}

void pad_channel(std::span<float> channel, std::size_t n_real, PadMode mode) noexcept {
  if (mode == PadMode::kZeros) {
    std::fill(channel.begin() + static_cast<std::ptrdiff_t>(std::min(n_real, channel.size())), channel.end(),
              0.0f);
  } else if (mode == PadMode::kRepeat || n_real == 1) {
    for (std::size_t i = n_real; i < channel.size(); ++i) channel[i] = channel[i - n_real];
  } else {
    const std::size_t period = 2 * (n_real - 1);
    for (std::size_t i = n_real; i < channel.size(); ++i) {
      const std::size_t phase = i % period;
      channel[i] = channel[phase < n_real ? phase : period - phase];
    }
  }
}

Segmenter::Segmenter(std::unique_ptr<AudioSource> source, const SegmentOptions& options)
    : source_(std::move(source)),
      options_(options),
      length_(segment_length(source_->sample_rate_hz(), options)),
      n_channels_(static_cast<std::size_t>(source_->n_channels())),
      block_(kReadBlock * n_channels_) {
  check(options, source_->sample_rate_hz());
}

std::uint64_t Segmenter::grid_begin(std::uint64_t index) const noexcept {
  return begin_of(index, source_->sample_rate_hz(), options_);
}

// Reads until sample `end` is there or the source ends; always keeps a segment's worth of the past, for a
// last segment that is moved back.
std::optional<Failure> Segmenter::fill(std::uint64_t end) {
  while (!source_ended_ && n_read_ < end) {
    auto n = source_->read(block_);
    if (!n) {
      done_ = true;
      return n.failure();
    }
    source_ended_ = *n == 0;
    kept_.insert(kept_.end(), block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(*n * n_channels_));
    n_read_ += *n;
    if (length_ > 0) forget(std::min(grid_begin(index_), n_read_ - std::min(n_read_, length_)));
  }
  return std::nullopt;
}

// Moves memory only when there is much to gain, so that a small hop costs little.
void Segmenter::forget(std::uint64_t before) {
  if (before < kept_from_ + std::max<std::uint64_t>(length_, kReadBlock)) return;
  const auto n = static_cast<std::ptrdiff_t>((before - kept_from_) * n_channels_);
  kept_.erase(kept_.begin(), kept_.begin() + n);
  kept_from_ = before;
}

void Segmenter::deliver(SegmentSpan span, std::uint64_t length, Segment& segment) {
  const int rate = source_->sample_rate_hz();
  segment.index = index_++;
  segment.span = span;
  segment.start_s = static_cast<double>(span.begin) / rate;
  segment.end_s = static_cast<double>(span.end) / rate;
  segment.padded = span.end - span.begin < length;
  segment.waveform.sample_rate_hz = rate;
  segment.waveform.n_channels = source_->n_channels();
  segment.waveform.samples.resize(static_cast<std::size_t>(length) * n_channels_);
  const auto n_real = static_cast<std::size_t>(span.end - span.begin);
  const float* from = kept_.data() + (span.begin - kept_from_) * n_channels_;
  for (std::size_t c = 0; c < n_channels_; ++c) {
    const std::span<float> channel = segment.waveform.channel(static_cast<int>(c));
    for (std::size_t i = 0; i < n_real; ++i) channel[i] = from[i * n_channels_ + c];
    if (segment.padded) pad_channel(channel, n_real, options_.pad);
  }
  reached_ = span.end;
}

Outcome<bool> Segmenter::next(Segment& segment) {
  if (done_) return false;
  const std::uint64_t begin = grid_begin(index_);
  const std::uint64_t end = length_ == 0 ? std::numeric_limits<std::uint64_t>::max() : begin + length_;
  if (auto failure = fill(end)) return *failure;
  segment.shifted = false;
  if (n_read_ >= end) {
    deliver({begin, end}, length_, segment);
    return true;
  }
  done_ = true;
  const auto last = last_span(begin, length_, n_read_, reached_);
  if (!last) return false;
  segment.shifted = last->begin != begin;
  deliver(*last, length_ == 0 ? n_read_ : length_, segment);
  return true;
}

}  // namespace earmark
