// resample.h: band-limited change of sample rate (libsoxr). Golden: golden/dsp/soxr_*.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "earmark/waveform.h"

namespace earmark {

enum class ResampleQuality {
  kHq,   ///< 20 bit, librosa's "soxr_hq": pass band to 0.91 of the lower Nyquist frequency
  kVhq,  ///< 28 bit, about twice the time
};

/// What `n` samples become: round(n * out / in), halves up.
std::uint64_t resampled_length(std::uint64_t n, int in_hz, int out_hz) noexcept;

/// Streaming, linear phase, no delay: output sample k stands at the same instant as input sample
/// k * in / out. The output is the same to the bit however the input is cut into pushes. Equal rates copy.
/// Not thread-safe; constant memory.
class Resampler {
 public:
  /// @throws Error(kInvalidOption) for a rate or a channel count out of range.
  Resampler(int in_hz, int out_hz, int n_channels, ResampleQuality quality = ResampleQuality::kHq);
  ~Resampler();
  Resampler(Resampler&&) noexcept;
  Resampler& operator=(Resampler&&) noexcept;

  /// @param interleaved [n, n_channels]. Appends what is ready to `out`, interleaved.
  void push(std::span<const float> interleaved, std::vector<float>& out);
  /// Appends the rest, so that resampled_length(all input) samples have come out, and starts anew.
  void flush(std::vector<float>& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One channel at once: the same bits as a Resampler gives.
std::vector<float> resample(std::span<const float> samples, int in_hz, int out_hz,
                            ResampleQuality quality = ResampleQuality::kHq);

/// Every channel at another rate; equal rates copy.
Waveform resampled(const Waveform& waveform, int out_hz, ResampleQuality quality = ResampleQuality::kHq);

}  // namespace earmark
