// near_duplicates.h: recordings that hold the same sound, whatever their level, format, rate or the part that
// was cut out (after Haitsma & Kalker, "A highly robust audio fingerprinting system", ISMIR 2002): signs of
// energy differences between neighbouring bands and frames, looked up by whole words, judged by the share of
// equal bits at the offset found.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "earmark/waveform.h"

namespace earmark {

/// Sample rate that fingerprints are taken at.
inline constexpr int kFingerprintRateHz = 8000;
/// From one word to the next, seconds.
inline constexpr double kFingerprintHop_s = 0.016;

/// One 32-bit word a frame; frames without sound have none.
struct Fingerprint {
  std::vector<std::uint32_t> words;
  std::vector<bool> sounds;  ///< [n_words]
};

/// Thread-safety: may be called from many threads at once.
/// @param waveform mono at kFingerprintRateHz.
Fingerprint fingerprint(const Waveform& waveform);

/// Two recordings that share a stretch of sound.
struct NearDuplicate {
  std::size_t first = 0, second = 0;  ///< first < second
  double offset_s = 0.0;              ///< where the second begins in the first; negative: before it
  double shared_s = 0.0;              ///< length of the stretch in which both sound
  double similarity = 0.0;            ///< share of equal bits, 0.5 for unrelated sounds
};

/// Pairs that agree in at least three quarters of the bits over 2 s, or half of the shorter one. The best
/// first. Words that very many recordings have (hum, noise of one recorder) look nothing up.
std::vector<NearDuplicate> near_duplicates(std::span<const Fingerprint> fingerprints);

}  // namespace earmark
