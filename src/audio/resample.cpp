#include "audio/resample.h"

#include <fmt/format.h>
#include <soxr.h>

#include <algorithm>

#include "audio/decode.h"
#include "earmark/error.h"

namespace earmark {
namespace {

// libsoxr is always handed blocks of this size: its arithmetic may depend on how much it is given at once.
constexpr std::size_t kResampleBlock = 4096;

void throw_if(soxr_error_t error) {
  if (error != nullptr) throw Error(ErrorCode::kInternal, fmt::format("libsoxr: {}", error));
}

}  // namespace

std::uint64_t resampled_length(std::uint64_t n, int in_hz, int out_hz) noexcept {
  const auto in = static_cast<std::uint64_t>(in_hz), out = static_cast<std::uint64_t>(out_hz);
  return n / in * out + (n % in * out * 2 + in) / (2 * in);
}

struct Resampler::State {
  int in_hz = 0, out_hz = 0;
  std::size_t n_channels = 0;
  soxr_t soxr = nullptr;
  std::vector<float> waiting;  // less than a block of input
  std::vector<float> ready;    // room for what one block becomes
  std::uint64_t n_in = 0, n_out = 0;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { soxr_delete(soxr); }

  // One block in (nullptr: the end), everything that is ready out.
  void process(const float* in, std::size_t n, std::vector<float>& out) {
    std::size_t used = 0;
    for (;;) {
      std::size_t consumed = 0, produced = 0;
      throw_if(soxr_process(soxr, in == nullptr ? nullptr : in + used * n_channels, n - used, &consumed,
                            ready.data(), ready.size() / n_channels, &produced));
      used += consumed;
      out.insert(out.end(), ready.begin(),
                 ready.begin() + static_cast<std::ptrdiff_t>(produced * n_channels));
      n_out += produced;
      if (produced < ready.size() / n_channels && used == n) return;
    }
  }
};

Resampler::Resampler(int in_hz, int out_hz, int n_channels, ResampleQuality quality) {
  std::vector<std::string> problems;
  for (const auto& [name, hz] : {std::pair{"in_hz", in_hz}, std::pair{"out_hz", out_hz}}) {
    if (hz < 1 || hz > kMaxSampleRateHz) {
      problems.push_back(fmt::format("{}: must be 1..{}, got {}", name, kMaxSampleRateHz, hz));
    }
  }
  if (n_channels < 1 || n_channels > kMaxChannels) {
    problems.push_back(fmt::format("n_channels: must be 1..{}, got {}", kMaxChannels, n_channels));
  }
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "resampling is not possible", problems);
  state_ = std::make_unique<State>();
  state_->in_hz = in_hz;
  state_->out_hz = out_hz;
  state_->n_channels = static_cast<std::size_t>(n_channels);
  if (in_hz == out_hz) return;
  soxr_error_t error = nullptr;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t spec =
      soxr_quality_spec(quality == ResampleQuality::kVhq ? SOXR_VHQ : SOXR_HQ, 0);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  state_->soxr = soxr_create(in_hz, out_hz, static_cast<unsigned>(n_channels), &error, &io, &spec, &runtime);
  throw_if(error);
  state_->ready.resize((resampled_length(kResampleBlock, in_hz, out_hz) + 64) * state_->n_channels);
}

Resampler::~Resampler() = default;
Resampler::Resampler(Resampler&&) noexcept = default;
Resampler& Resampler::operator=(Resampler&&) noexcept = default;

void Resampler::push(std::span<const float> interleaved, std::vector<float>& out) {
  State& s = *state_;
  s.n_in += interleaved.size() / s.n_channels;
  if (s.soxr == nullptr) {
    out.insert(out.end(), interleaved.begin(), interleaved.end());
    return;
  }
  const std::size_t block = kResampleBlock * s.n_channels;
  while (!interleaved.empty()) {
    if (s.waiting.empty() && interleaved.size() >= block) {
      s.process(interleaved.data(), kResampleBlock, out);
      interleaved = interleaved.subspan(block);
      continue;
    }
    const std::size_t n = std::min(block - s.waiting.size(), interleaved.size());
    s.waiting.insert(s.waiting.end(), interleaved.begin(),
                     interleaved.begin() + static_cast<std::ptrdiff_t>(n));
    interleaved = interleaved.subspan(n);
    if (s.waiting.size() == block) {
      s.process(s.waiting.data(), kResampleBlock, out);
      s.waiting.clear();
    }
  }
}

void Resampler::flush(std::vector<float>& out) {
  State& s = *state_;
  if (s.soxr != nullptr && s.n_in > 0) {
    if (!s.waiting.empty()) s.process(s.waiting.data(), s.waiting.size() / s.n_channels, out);
    s.process(nullptr, 0, out);
    // libsoxr rounds the total by its own floating-point ratio: at most one sample more or less.
    const std::uint64_t wanted = resampled_length(s.n_in, s.in_hz, s.out_hz);
    const auto missing =
        static_cast<std::int64_t>(wanted - s.n_out) * static_cast<std::int64_t>(s.n_channels);
    const auto size = static_cast<std::int64_t>(out.size()) + missing;
    out.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, size)), 0.0f);
    throw_if(soxr_clear(s.soxr));
  }
  s.waiting.clear();
  s.n_in = s.n_out = 0;
}

std::vector<float> resample(std::span<const float> samples, int in_hz, int out_hz, ResampleQuality quality) {
  std::vector<float> out;
  Resampler resampler(in_hz, out_hz, 1, quality);
  out.reserve(resampled_length(samples.size(), in_hz, out_hz) + kResampleBlock);
  resampler.push(samples, out);
  resampler.flush(out);
  return out;
}

Waveform resampled(const Waveform& waveform, int out_hz, ResampleQuality quality) {
  Waveform made{out_hz, waveform.n_channels, {}};
  for (int c = 0; c < waveform.n_channels; ++c) {
    const std::vector<float> channel =
        resample(waveform.channel(c), waveform.sample_rate_hz, out_hz, quality);
    made.samples.insert(made.samples.end(), channel.begin(), channel.end());
  }
  return made;
}

}  // namespace earmark
