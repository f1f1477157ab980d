// mel.h: mel scales and triangular filter banks.
#pragma once
#include <vector>

#include "earmark/log_mel.h"

namespace earmark {

double hz_to_mel(double hz, MelScale scale);
double mel_to_hz(double mel, MelScale scale);

/// One filter: weights of the DFT bins [first_bin, first_bin + weights.size()). Empty where a band is
/// narrower than a bin and falls between two.
struct MelBand {
  int first_bin = 0;
  std::vector<double> weights;
};

/// The bank that the options ask for, band by band, without the zeros.
std::vector<MelBand> mel_bands(const LogMelOptions& options);

/// Row-major [n_mels, n_fft / 2 + 1], zeros included.
std::vector<float> mel_matrix(const LogMelOptions& options);

}  // namespace earmark
