#include "audio/convert.h"

#include <algorithm>

namespace earmark {
namespace {

constexpr std::size_t kConvertBlock = 8192;  // samples of one channel asked of the inner source

class ConvertedSource : public AudioSource {
 public:
  ConvertedSource(std::unique_ptr<AudioSource> inner, int sample_rate_hz, ChannelMode mode,
                  ResampleQuality quality)
      : inner_(std::move(inner)),
        mode_(mode),
        sample_rate_hz_(sample_rate_hz),
        n_channels_(n_channels_of(mode, inner_->n_channels())),
        resampler_(inner_->sample_rate_hz(), sample_rate_hz, n_channels_, quality),
        raw_(kConvertBlock * static_cast<std::size_t>(inner_->n_channels())),
        mixed_(kConvertBlock * static_cast<std::size_t>(n_channels_)) {}

  int sample_rate_hz() const override { return sample_rate_hz_; }
  int n_channels() const override { return n_channels_; }
  std::optional<std::uint64_t> n_samples_declared() const override {
    const auto declared = inner_->n_samples_declared();
    if (!declared) return std::nullopt;
    return resampled_length(*declared, inner_->sample_rate_hz(), sample_rate_hz_);
  }
  std::string description() const override { return inner_->description(); }
  std::vector<std::string> warnings() const override { return inner_->warnings(); }

  Outcome<std::size_t> read(std::span<float> interleaved) override {
    const auto n_channels = static_cast<std::size_t>(n_channels_);
    while (position_ == ready_.size()) {
      if (ended_) return std::size_t{0};
      ready_.clear();
      position_ = 0;
      auto n = inner_->read(raw_);
      ended_ = !n || *n == 0;
      if (!n) return n;
      if (*n == 0) {
        resampler_.flush(ready_);
        continue;
      }
      const auto mixed = std::span(mixed_).first(*n * n_channels);
      mix_channels(std::span(raw_).first(*n * static_cast<std::size_t>(inner_->n_channels())),
                   inner_->n_channels(), mode_, mixed);
      resampler_.push(mixed, ready_);
    }
    const std::size_t n = std::min(interleaved.size() / n_channels, (ready_.size() - position_) / n_channels);
    std::copy_n(ready_.begin() + static_cast<std::ptrdiff_t>(position_), n * n_channels, interleaved.begin());
    position_ += n * n_channels;
    return n;
  }

 private:
  std::unique_ptr<AudioSource> inner_;
  ChannelMode mode_;
  int sample_rate_hz_;
  int n_channels_;
  Resampler resampler_;
  std::vector<float> raw_, mixed_, ready_;
  std::size_t position_ = 0;  ///< of what is handed out next in ready_
  bool ended_ = false;
};

}  // namespace

int n_channels_of(ChannelMode mode, int n_in) noexcept {
  if (mode == ChannelMode::kKeep) return n_in;
  return mode == ChannelMode::kMono ? 1 : 2;
}

void mix_channels(std::span<const float> in, int n_in, ChannelMode mode, std::span<float> out) noexcept {
  const auto n_channels = static_cast<std::size_t>(n_in);
  const std::size_t n = in.size() / n_channels;
  if (n_in == n_channels_of(mode, n_in)) {
    std::copy_n(in.begin(), n * n_channels, out.begin());
  } else if (mode == ChannelMode::kMono) {
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0.0;
      for (std::size_t c = 0; c < n_channels; ++c) sum += static_cast<double>(in[i * n_channels + c]);
      out[i] = static_cast<float>(sum / n_in);
    }
  } else {
    const std::size_t right = n_channels > 1 ? 1 : 0;
    for (std::size_t i = 0; i < n; ++i) {
      out[2 * i] = in[i * n_channels];
      out[2 * i + 1] = in[i * n_channels + right];
    }
  }
}

std::unique_ptr<AudioSource> convert(std::unique_ptr<AudioSource> source, int sample_rate_hz,
                                     ChannelMode channels, ResampleQuality quality) {
  const int rate = sample_rate_hz == 0 ? source->sample_rate_hz() : sample_rate_hz;
  if (rate == source->sample_rate_hz() &&
      n_channels_of(channels, source->n_channels()) == source->n_channels()) {
    return source;
  }
  return std::make_unique<ConvertedSource>(std::move(source), rate, channels, quality);
}

}  // namespace earmark
