#include "features/spectrum_plan.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <kissfft/kissfft.hh>
#include <limits>
#include <numbers>
#include <set>

namespace earmark {
namespace {

using Complex = std::complex<double>;

/// exp(-2 pi i numerator / denominator), with the angle reduced while it is still an integer.
Complex root(std::int64_t numerator, std::int64_t denominator) {
  const double angle = -2.0 * std::numbers::pi * static_cast<double>(numerator % denominator) /
                       static_cast<double>(denominator);
  return {std::cos(angle), std::sin(angle)};
}

void push(std::vector<float>& table, Complex z) {
  table.push_back(static_cast<float>(z.real()));
  table.push_back(static_cast<float>(z.imag()));
}

/// Time that kissfft spends on each point of a DFT, relative to one pass of radix 4 (measured); infinite
/// where a prime factor is above 5 or there is none.
double cost(int size) {
  if (size < 2) return std::numeric_limits<double>::infinity();
  double total = 0.0;
  for (; size % 4 == 0; size /= 4) total += 1.0;
  for (; size % 2 == 0; size /= 2) total += 1.6;
  for (; size % 3 == 0; size /= 3) total += 1.3;
  for (; size % 5 == 0; size /= 5) total += 1.0;
  return size == 1 ? total : std::numeric_limits<double>::infinity();
}

/// The divisor closest to `wish` (as a ratio) that leaves two sizes kissfft is good at; 0 where there is
/// none.
int choose_rows(int n, double wish) {
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int rows = 2; rows < n; ++rows) {
    if (n % rows != 0 || std::isinf(cost(rows) + cost(n / rows))) continue;
    const double distance = std::abs(std::log(rows / wish));
    if (distance <= least) {
      least = distance;
      best = rows;
    }
  }
  return best;
}

void set_matrix(SpectrumPlan& plan, int n, int rows) {
  plan.rows = rows;
  plan.columns = n / rows;
}

void fill_twiddles(SpectrumPlan& plan, int kept) {
  const std::int64_t n = static_cast<std::int64_t>(plan.rows) * plan.columns;
  for (int column = 0; column < plan.columns; ++column) {
    for (int row = 0; row < kept; ++row)
      push(plan.twiddles, root(static_cast<std::int64_t>(column) * row, n));
  }
}

void fill_four_step(SpectrumPlan& plan, std::span<const double> window) {
  plan.method = SpectrumMethod::kFourStep;
  const int n = plan.n_fft, rows = plan.rows, columns = plan.columns, kept = rows / 2 + 1;
  // Halved: the spectra of the two real columns in one complex DFT are half sums and half differences.
  for (int block = 0; block < columns; block += kColumnBlock) {
    for (int row = 0; row < rows; ++row) {
      for (int column = block; column < block + kColumnBlock; ++column) {
        const int i = row * columns + column;
        const bool inside = column < columns && i < plan.win_length;
        plan.window.push_back(inside ? static_cast<float>(0.5 * window[static_cast<std::size_t>(i)]) : 0.0f);
      }
    }
  }
  fill_twiddles(plan, kept);
  std::set<int> taken;
  for (int row = 0; row < kept; ++row) {
    for (int k = 0; k < columns; ++k) {
      const int folded = row + rows * k, bin = std::min(folded, n - folded);
      const bool wanted = bin < plan.n_bins && taken.insert(bin).second;
      plan.bin_of.push_back(wanted ? bin : plan.n_bins);
    }
  }
}

/// Of the matrices that hold n points, the one whose DFTs take the least time. No more than four times as
/// wide as high, for the tables of a row to stay in the first cache.
void choose_convolution(SpectrumPlan& plan, int n) {
  double least = std::numeric_limits<double>::infinity();
  const int first = std::max(n, 4);
  for (int size = first; size <= first + first / 4; ++size) {
    if (std::isinf(cost(size))) continue;
    for (int rows = 2; rows * rows <= size; ++rows) {
      if (size % rows != 0 || size > 4 * rows * rows) continue;
      const double time = size * (3.0 + cost(rows) + cost(size / rows));
      if (time < least) {
        least = time;
        set_matrix(plan, size, rows);
      }
    }
  }
}

/// exp(-pi i k^2 / n)
Complex chirp(std::int64_t k, std::int64_t n) { return root(k * k % (2 * n), 2 * n); }

/// The DFT of the conjugate chirp, from -(half - 1) - last bin to last bin, in the matrix's order.
void fill_filter(SpectrumPlan& plan) {
  const auto rows = static_cast<std::size_t>(plan.rows), columns = static_cast<std::size_t>(plan.columns);
  const std::size_t size = rows * columns;
  std::vector<Complex> filter(size), spectrum(size);
  for (int k = 0; k < plan.n_bins; ++k) filter[static_cast<std::size_t>(k)] = std::conj(chirp(k, plan.n_fft));
  for (int k = 1; k < plan.half() + plan.n_bins - 1; ++k) {
    filter[size - static_cast<std::size_t>(k)] = std::conj(chirp(k, plan.n_fft));
  }
  kissfft<double>(size, false).transform(filter.data(), spectrum.data());
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t k = 0; k < columns; ++k) {
      push(plan.filter, spectrum[row + rows * k] / static_cast<double>(size));
    }
  }
}

void fill_chirp(SpectrumPlan& plan, std::span<const double> window) {
  plan.method = SpectrumMethod::kChirpZ;
  const int n = plan.n_fft, half = plan.half();
  choose_convolution(plan, half + 2 * (plan.n_bins - 1));
  fill_twiddles(plan, plan.rows);
  const auto factor = [&](int i) { return i < plan.win_length ? window[static_cast<std::size_t>(i)] : 0.0; };
  for (int i = 0; i < half; ++i) {
    push(plan.window, factor(i) * chirp(i, n));
    push(plan.window, Complex(0.0, factor(half + i)) * chirp(i, n));
  }
  plan.window.resize(plan.window.size() + 12, 0.0f);
  fill_filter(plan);
  // With A and B the spectra of the halves, W = exp(-2 pi i half k / n) and Z = A + i B:
  // A + W B = (1 - i W) / 2 * Z[k] + (1 + i W) / 2 * conj(Z[-k]). The convolution gives Z[k] / chirp(k), and
  // gives its conjugate; dividing by the chirp and conjugating the whole leaves the magnitude as it is.
  for (int k = 0; k < plan.n_bins; ++k) {
    const Complex turned = Complex(0.0, 1.0) * root(static_cast<std::int64_t>(half) * k, n);
    const Complex both_chirps = root(static_cast<std::int64_t>(k) * k, n);
    push(plan.merge, std::conj(0.5 * (1.0 - turned)));
    push(plan.merge, std::conj(0.5 * (1.0 + turned)) * both_chirps);
  }
}

}  // namespace

SpectrumPlan plan_spectrum(int n_fft, std::span<const double> window, int n_bins, SpectrumMethod method) {
  SpectrumPlan plan;
  plan.n_fft = n_fft;
  plan.win_length = static_cast<int>(window.size());
  plan.n_bins = n_bins;
  // Few rows: a column still holds the energy of all bins, so that rounding in its DFT is large beside a
  // quiet bin; once the rows are apart it no longer is. Of 2048 points 8 x 256 errs less than 32 x 64 (the
  // worst log-mel by half) in a tenth more time.
  const int rows = choose_rows(n_fft, std::sqrt(n_fft / 2.0) / 4.0);
  if (method == SpectrumMethod::kChirpZ || (method == SpectrumMethod::kAutomatic && rows == 0)) {
    fill_chirp(plan, window);
  } else {
    set_matrix(plan, n_fft, rows);
    fill_four_step(plan, window);
  }
  return plan;
}

}  // namespace earmark
