#include "augment/pitch_shift.h"

#include <SoundTouch.h>

#include <algorithm>

namespace earmark {
namespace {

static_assert(std::is_same_v<soundtouch::SAMPLETYPE, float>, "SoundTouch is built for float samples");

// The most that Debian's SoundTouch 2.3 takes is fifteen.
constexpr int kChannelsTogether = 8;
// And the highest rate; beyond it the pieces that it cuts are shorter in time, nothing else.
constexpr int kHighestRate = 192000;

// Channels first..first + n - 1.
void shift_channels(Waveform& waveform, int first, int n, double semitones) {
  const std::size_t n_samples = waveform.n_samples();
  const auto n_channels = static_cast<std::size_t>(n);
  std::vector<float> interleaved(n_samples * n_channels);
  for (std::size_t c = 0; c < n_channels; ++c) {
    const std::span<const float> channel = waveform.channel(first + static_cast<int>(c));
    for (std::size_t i = 0; i < n_samples; ++i) interleaved[i * n_channels + c] = channel[i];
  }
  soundtouch::SoundTouch shifter;
  shifter.setSampleRate(static_cast<unsigned>(std::min(waveform.sample_rate_hz, kHighestRate)));
  shifter.setChannels(static_cast<unsigned>(n));
  shifter.setPitchSemiTones(semitones);
  shifter.putSamples(interleaved.data(), static_cast<unsigned>(n_samples));
  shifter.flush();
  std::ranges::fill(interleaved, 0.0f);
  shifter.receiveSamples(interleaved.data(), static_cast<unsigned>(n_samples));
  for (std::size_t c = 0; c < n_channels; ++c) {
    const std::span<float> channel = waveform.channel(first + static_cast<int>(c));
    for (std::size_t i = 0; i < n_samples; ++i) channel[i] = interleaved[i * n_channels + c];
  }
}

}  // namespace

double draw_semitones(const PitchShiftOptions& options, Rng& rng) {
  if (options.choose == SemitoneChoice::kListed)
    return options.semitones[rng.below(options.semitones.size())];
  const auto [low, high] = std::ranges::minmax_element(options.semitones);
  return rng.uniform(*low, *high);
}

void pitch_shift(Waveform& waveform, double semitones) {
  if (semitones == 0.0 || waveform.n_samples() == 0) return;
  for (int first = 0; first < waveform.n_channels; first += kChannelsTogether)
    shift_channels(waveform, first, std::min(kChannelsTogether, waveform.n_channels - first), semitones);
}

}  // namespace earmark
