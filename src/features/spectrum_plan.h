// spectrum_plan.h: sizes and tables by which the power spectrum of a frame comes out of small
// complex DFTs; those are kissfft's (lane_dft-inl.h). Two ways, both computing just the bins asked for:
//
// Four steps, n_fft = rows * columns: the frame is read as a matrix; each pair of its real columns is one
// complex DFT of `rows` points; its output times twiddles is kept for rows 0..rows/2 (the rest are
// conjugates) and each kept row is a complex DFT of `columns` points. The DFTs are small enough for the first
// caches, and no bin above the last mel edge is squared.
//
// Chirp-z (Bluestein), where n_fft has a prime factor above 5: a convolution of a friendly size, again as a
// matrix: DFTs of its columns, of its rows, the filter, DFTs of the rows, of the columns. The window's second
// half rides along as the imaginary part of its first, for which bins are needed on both sides of 0.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace earmark {

/// Columns of the frame's matrix that are read together, a multiple of 4: the more, the fewer times a
/// cache line of samples is fetched; the fewer, the more of the work stays in the first cache.
inline constexpr int kColumnBlock = 16;

enum class SpectrumMethod { kAutomatic, kFourStep, kChirpZ };

struct SpectrumPlan {
  SpectrumMethod method = SpectrumMethod::kFourStep;
  int n_fft = 0;
  int win_length = 0;
  int n_bins = 0;  ///< bins 0..n_bins-1 are computed

  /// Of the frame's matrix or the convolution's: both at least 2, without prime factors above 5.
  int rows = 0, columns = 0;
  /// Four steps: in reading order, [blocks of columns][rows][kColumnBlock]. Chirp-z: [half()][2] (re, im),
  /// what sample i and sample half() + i are multiplied by; completed with zeros so that four may be read
  /// wherever one is.
  std::vector<float> window;
  /// (re, im): [columns][rows / 2 + 1] in four steps, [columns][rows] for chirp-z.
  std::vector<float> twiddles;
  std::vector<std::int32_t> bin_of;  ///< four steps: [rows / 2 + 1][columns]; n_bins where nobody asked
  std::vector<float> filter;         ///< chirp-z: [rows][columns] (re, im)
  /// Chirp-z: [n_bins][2] (re, im). Bin k is the first times the convolution's output k plus the second times
  /// the conjugate of its output -k.
  std::vector<float> merge;

  int half() const { return (win_length + 1) / 2; }
};

/// @param window [win_length] factors of the samples, all scaling included.
/// @param method kFourStep only for products of 2, 3 and 5 that are no primes; kChirpZ for any n_fft.
SpectrumPlan plan_spectrum(int n_fft, std::span<const double> window, int n_bins,
                           SpectrumMethod method = SpectrumMethod::kAutomatic);

}  // namespace earmark
