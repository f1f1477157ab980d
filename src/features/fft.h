// fft.h: plans (sizes and tables) of the real DFT that lane_fft-inl.h works through, several frames side
// by side. Two ways, both computing just the bins asked for:
//
// Four steps, n_fft = rows * columns: the frame is read as a matrix; each pair of its real columns is one
// complex DFT of `rows` points; its output times twiddles is kept for rows 0..rows/2 (the rest are
// conjugates) and each kept row is a complex DFT of `columns` points. Everything but the matrix itself
// stays in the first cache, and no bin above the last mel edge is squared.
//
// Chirp-z (Bluestein), where n_fft has a large prime factor: a convolution of a friendly size.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace earmark {

/// Primes up to this one are worked out as dense sums over mirrored pairs; beyond it chirp-z takes over.
inline constexpr int kLargestDensePrime = 127;

/// Columns of the frame's matrix that are read together, a multiple of 4: the more, the fewer times a
/// cache line of samples is fetched; the fewer, the more of the work stays in the first cache.
inline constexpr int kColumnBlock = 16;

/// One Stockham pass: `groups` * `stride` butterflies of `radix` points.
struct FftStage {
  int radix = 1;
  int groups = 1;
  int stride = 1;
  std::vector<float> twiddles;  ///< [groups - 1][radix - 1] (re, im), of groups 1 and up
  std::vector<float> cosines;   ///< dense primes only: [h][h], entry (k, j) = cos(2 pi (k+1)(j+1) / radix)
  std::vector<float> sines;
  std::vector<int> outputs;  ///< dense primes only: the k in 1..h to work out, with radix - k
};

/// A complex DFT of up to a few thousand points.
struct FftPlan {
  int size = 1;
  std::vector<FftStage> stages;  ///< at least one
};

/// @param size with prime factors of at most kLargestDensePrime.
FftPlan plan_fft(int size);

/// Smallest size >= n with no prime factor above 5.
int friendly_size(int n);

enum class SpectrumMethod { kAutomatic, kFourStep, kChirpZ };

struct SpectrumPlan {
  SpectrumMethod method = SpectrumMethod::kFourStep;
  int n_fft = 0;
  int win_length = 0;
  int n_bins = 0;  ///< bins 0..n_bins-1 are computed

  int rows = 0, columns = 0;
  FftPlan column_fft;                ///< of `rows` points
  std::vector<FftPlan> row_fft;      ///< [1 or rows / 2 + 1] of `columns` points; several where pruned
  std::vector<float> window;         ///< in reading order: [blocks of columns][rows][kColumnBlock]
  std::vector<float> twiddles;       ///< [columns][rows / 2 + 1] (re, im)
  std::vector<std::int32_t> bin_of;  ///< [rows / 2 + 1][columns]; n_bins where nobody asked

  FftPlan chirp_fft;
  std::vector<float> chirp_window;  ///< window times chirp (re, im), completed with zeros to whole fours
  std::vector<float> chirp_filter;  ///< [chirp_fft.size] (re, im)

  const FftPlan& row_plan(int row) const {
    return row_fft[row_fft.size() == 1 ? 0 : static_cast<std::size_t>(row)];
  }
};

/// @param window [win_length] factors of the samples, all scaling included.
SpectrumPlan plan_spectrum(int n_fft, std::span<const double> window, int n_bins,
                           SpectrumMethod method = SpectrumMethod::kAutomatic);

}  // namespace earmark
