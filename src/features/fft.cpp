#include "features/fft.h"

#include <algorithm>
#include <cmath>
#include <complex>
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

std::vector<int> prime_factors(int n) {
  std::vector<int> factors;
  for (int p = 2; p * p <= n; ++p) {
    for (; n % p == 0; n /= p) factors.push_back(p);
  }
  if (n > 1) factors.push_back(n);
  return factors;
}

/// Twos gathered into eights and fours, as few passes as possible.
std::vector<int> radices(int size) {
  const auto factors = prime_factors(size);
  auto twos = static_cast<int>(std::count(factors.begin(), factors.end(), 2));
  std::vector<int> result;
  if (twos == 1) result.push_back(2);
  for (; twos >= 2 && twos % 3 != 0; twos -= 2) result.push_back(4);
  for (; twos >= 3; twos -= 3) result.push_back(8);
  for (int p : factors) {
    if (p != 2) result.push_back(p);
  }
  if (result.empty()) result.push_back(1);
  return result;
}

void fill_dense_prime(FftStage& stage) {
  const int p = stage.radix, half = (p - 1) / 2;
  for (int k = 1; k <= half; ++k) {
    stage.outputs.push_back(k);
    for (int j = 1; j <= half; ++j) {
      const Complex w = root(static_cast<std::int64_t>(k) * j, p);
      stage.cosines.push_back(static_cast<float>(w.real()));
      stage.sines.push_back(static_cast<float>(-w.imag()));
    }
  }
}

int choose_rows(int n) {
  // Work is least where the two halves of the job, `rows` points for n / 2 and `columns` points for
  // n / 2, are of about equal length: rows close to sqrt(n / 2).
  const double wish = std::log(std::sqrt(n / 2.0));
  int best = 1;
  for (int rows = 1; rows < n; ++rows) {
    if (n % rows == 0 && std::abs(std::log(rows) - wish) <= std::abs(std::log(best) - wish)) best = rows;
  }
  return best;
}

/// A row whose DFT is one dense prime computes only the output pairs of which a bin is asked for.
void prune(FftPlan& plan, std::span<const std::int32_t> bin_of, int n_bins) {
  FftStage& stage = plan.stages.front();
  const auto wanted = [&](int k) { return bin_of[static_cast<std::size_t>(k)] < n_bins; };
  std::erase_if(stage.outputs, [&](int k) { return !wanted(k) && !wanted(stage.radix - k); });
}

void fill_four_step(SpectrumPlan& plan, std::span<const double> window) {
  plan.method = SpectrumMethod::kFourStep;
  const int n = plan.n_fft, rows = choose_rows(n), columns = n / rows, kept = rows / 2 + 1;
  plan.rows = rows;
  plan.columns = columns;
  plan.column_fft = plan_fft(rows);

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
  for (int column = 0; column < columns; ++column) {
    for (int row = 0; row < kept; ++row)
      push(plan.twiddles, root(static_cast<std::int64_t>(column) * row, n));
  }
  std::set<int> taken;
  for (int row = 0; row < kept; ++row) {
    for (int k = 0; k < columns; ++k) {
      const int folded = row + rows * k, bin = std::min(folded, n - folded);
      const bool wanted = bin < plan.n_bins && taken.insert(bin).second;
      plan.bin_of.push_back(wanted ? bin : plan.n_bins);
    }
  }
  const FftPlan whole_row = plan_fft(columns);
  plan.row_fft.assign(1, whole_row);
  if (whole_row.stages.size() == 1 && !whole_row.stages.front().outputs.empty()) {
    plan.row_fft.assign(static_cast<std::size_t>(kept), whole_row);
    for (int row = 0; row < kept; ++row) {
      const auto first = static_cast<std::size_t>(row) * static_cast<std::size_t>(columns);
      prune(plan.row_fft[static_cast<std::size_t>(row)],
            std::span(plan.bin_of).subspan(first, static_cast<std::size_t>(columns)), plan.n_bins);
    }
  }
}

/// Plain O(n * primes) DFT in double precision, for tables.
std::vector<Complex> transform(const std::vector<Complex>& x) {
  const std::size_t n = x.size();
  const auto factors = prime_factors(static_cast<int>(n));
  if (factors.empty()) return x;
  const auto p = static_cast<std::size_t>(factors.front()), m = n / p;
  std::vector<std::vector<Complex>> parts(p);
  for (std::size_t r = 0; r < p; ++r) {
    std::vector<Complex> part(m);
    for (std::size_t i = 0; i < m; ++i) part[i] = x[i * p + r];
    parts[r] = transform(part);
  }
  std::vector<Complex> y(n);
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t r = 0; r < p; ++r) {
      y[k] += parts[r][k % m] * root(static_cast<std::int64_t>(r * k), static_cast<std::int64_t>(n));
    }
  }
  return y;
}

void fill_chirp(SpectrumPlan& plan, std::span<const double> window) {
  plan.method = SpectrumMethod::kChirpZ;
  const std::int64_t n = plan.n_fft;
  const auto chirp = [n](std::int64_t i) { return root(i * i % (2 * n), 2 * n); };  // exp(-pi i k^2 / n)
  const int size = friendly_size(plan.win_length + plan.n_bins - 1);
  plan.chirp_fft = plan_fft(size);
  for (int i = 0; i < plan.win_length; ++i) {
    push(plan.chirp_window, window[static_cast<std::size_t>(i)] * chirp(i));
  }
  plan.chirp_window.resize((static_cast<std::size_t>(plan.win_length) + 3) / 4 * 8, 0.0f);
  std::vector<Complex> filter(static_cast<std::size_t>(size));
  for (int k = 0; k < plan.n_bins; ++k) filter[static_cast<std::size_t>(k)] = std::conj(chirp(k));
  for (int i = 1; i < plan.win_length; ++i) filter[static_cast<std::size_t>(size - i)] = std::conj(chirp(i));
  for (const Complex& z : transform(filter)) push(plan.chirp_filter, z / static_cast<double>(size));
}

}  // namespace

FftPlan plan_fft(int size) {
  FftPlan plan;
  plan.size = size;
  int remaining = size, stride = 1;
  for (int radix : radices(size)) {
    FftStage stage;
    stage.radix = radix;
    stage.groups = remaining / radix;
    stage.stride = stride;
    for (int p = 1; p < stage.groups; ++p) {
      for (int i = 1; i < radix; ++i) push(stage.twiddles, root(static_cast<std::int64_t>(p) * i, remaining));
    }
    if (radix > 5 && radix != 8) fill_dense_prime(stage);
    remaining = stage.groups;
    stride *= radix;
    plan.stages.push_back(std::move(stage));
  }
  return plan;
}

int friendly_size(int n) {
  for (;; ++n) {
    const auto factors = prime_factors(n);
    if (factors.empty() || factors.back() <= 5) return n;
  }
}

SpectrumPlan plan_spectrum(int n_fft, std::span<const double> window, int n_bins, SpectrumMethod method) {
  SpectrumPlan plan;
  plan.n_fft = n_fft;
  plan.win_length = static_cast<int>(window.size());
  plan.n_bins = n_bins;
  const auto factors = prime_factors(n_fft);
  const bool dense = factors.back() <= kLargestDensePrime;
  if (method == SpectrumMethod::kChirpZ || (method == SpectrumMethod::kAutomatic && !dense)) {
    fill_chirp(plan, window);
  } else {
    fill_four_step(plan, window);
  }
  return plan;
}

}  // namespace earmark
