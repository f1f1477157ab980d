#include "models/layers/norm_relu_pool_kernels.h"

#include <algorithm>

#include "models/layers/simd_clones.h"

namespace earmark::kernels {
namespace {

constexpr std::size_t kBlock = 16;  // channels kept in registers at a time

template <class T>
EARMARK_INLINE void moments_block(const T* x, const T* pivot, std::size_t n_rows, std::size_t stride, T* sum,
                                  T* square) {
  T s[kBlock] = {}, q[kBlock] = {};
  for (std::size_t r = 0; r < n_rows; ++r) {
    for (std::size_t c = 0; c < kBlock; ++c) {
      const T d = x[r * stride + c] - pivot[c];
      s[c] += d;
      q[c] += d * d;
    }
  }
  for (std::size_t c = 0; c < kBlock; ++c) {
    sum[c] += s[c];
    square[c] += q[c];
  }
}

template <class T>
EARMARK_INLINE void moments(const T* x, const T* pivot, std::size_t n_rows, std::size_t n_channels, T* sum,
                            T* square) {
  std::size_t c = 0;
  for (; c + kBlock <= n_channels; c += kBlock)
    moments_block(x + c, pivot + c, n_rows, n_channels, sum + c, square + c);
  for (; c < n_channels; ++c) {
    for (std::size_t r = 0; r < n_rows; ++r) {
      const T d = x[r * n_channels + c] - pivot[c];
      sum[c] += d;
      square[c] += d * d;
    }
  }
}

// Offsets of a window's N positions: frequency outer, time inner, the order in which ties are won.
template <int N>
struct Positions {
  std::size_t at[N];
};

template <int N>
EARMARK_INLINE Positions<N> positions(int window_t, std::size_t stride_f, std::size_t n_channels) {
  Positions<N> p;
  for (int i = 0; i < N; ++i) {
    p.at[i] = static_cast<std::size_t>(i / window_t) * stride_f +
              static_cast<std::size_t>(i % window_t) * n_channels;
  }
  return p;
}

template <class T, int N>
EARMARK_INLINE void forward_window(const T* __restrict x, const Positions<N>& p, const NormRow<T>& norm,
                                   std::size_t n_channels, T* __restrict y) {
  for (std::size_t c = 0; c < n_channels; ++c) {
    const T scale = norm.scale[c], shift = norm.shift[c];
    T best = 0;
    for (int i = 0; i < N; ++i) best = std::max(best, x[p.at[i] + c] * scale + shift);
    y[c] = best;
  }
}

template <class T, int N>
EARMARK_INLINE void sums_window(const T* __restrict x, const T* __restrict grad, const Positions<N>& p,
                                const NormRow<T>& norm, std::size_t n_channels, T* __restrict grad_gamma,
                                T* __restrict grad_beta) {
  for (std::size_t c = 0; c < n_channels; ++c) {
    const T scale = norm.scale[c], shift = norm.shift[c];
    T best = x[p.at[0] + c] * scale + shift, winner = x[p.at[0] + c];
    for (int i = 1; i < N; ++i) {
      const T candidate = x[p.at[i] + c], value = candidate * scale + shift;
      winner = value > best ? candidate : winner;
      best = std::max(best, value);
    }
    const T g = best > 0 ? grad[c] : T(0);
    grad_beta[c] += g;
    grad_gamma[c] += g * ((winner - norm.mean[c]) * norm.inv_std[c]);
  }
}

template <class T, int N>
EARMARK_INLINE void backward_window(const T* __restrict x, const T* __restrict grad, const Positions<N>& p,
                                    const NormRow<T>& norm, const T* __restrict mean_gamma,
                                    const T* __restrict mean_beta, std::size_t n_channels,
                                    T* __restrict grad_x) {
  for (std::size_t c = 0; c < n_channels; ++c) {
    const T scale = norm.scale[c], shift = norm.shift[c];
    T value[N], best = 0;
    for (int i = 0; i < N; ++i) {
      value[i] = x[p.at[i] + c] * scale + shift;
      best = std::max(best, value[i]);
    }
    T g = best > 0 ? grad[c] : T(0);  // given to the first position that reaches the maximum
    for (int i = 0; i < N; ++i) {
      const T x_hat = (x[p.at[i] + c] - norm.mean[c]) * norm.inv_std[c];
      const T own = value[i] == best ? g : T(0);
      g = value[i] == best ? T(0) : g;
      grad_x[p.at[i] + c] = scale * (own - mean_beta[c] - x_hat * mean_gamma[c]);
    }
  }
}

// Calls visit(x offset of the window, index of the window, positions) for each window of the row.
template <class Visit>
EARMARK_INLINE void each_window(const WindowRow& row, const Visit& visit) {
  const std::size_t step = static_cast<std::size_t>(row.window_t) * row.n_channels;
  const bool cut = row.last_t < row.window_t;
  const std::size_t n_whole = row.n_windows - (cut ? 1 : 0);
  const int n = row.window_f * row.window_t;
  if (n == 4) {
    const auto p = positions<4>(row.window_t, row.stride_f, row.n_channels);
    for (std::size_t w = 0; w < n_whole; ++w) visit(w * step, w, p);
  } else if (n == 2) {
    const auto p = positions<2>(row.window_t, row.stride_f, row.n_channels);
    for (std::size_t w = 0; w < n_whole; ++w) visit(w * step, w, p);
  } else {
    const auto p = positions<1>(row.window_t, row.stride_f, row.n_channels);
    for (std::size_t w = 0; w < n_whole; ++w) visit(w * step, w, p);
  }
  if (!cut) return;
  if (row.window_f == 2) {
    visit(n_whole * step, n_whole, positions<2>(1, row.stride_f, row.n_channels));
  } else {
    visit(n_whole * step, n_whole, positions<1>(1, row.stride_f, row.n_channels));
  }
}

template <class T>
EARMARK_INLINE void forward_row(const T* x, const NormRow<T>& norm, const WindowRow& row, T* y) {
  each_window(
      row, [&](std::size_t at, std::size_t w, const auto& p) __attribute__((always_inline)) {
        forward_window(x + at, p, norm, row.n_channels, y + w * row.n_channels);
      });
}

template <class T>
EARMARK_INLINE void sums_row(const T* x, const T* grad, const NormRow<T>& norm, const WindowRow& row,
                             T* grad_gamma, T* grad_beta) {
  each_window(
      row, [&](std::size_t at, std::size_t w, const auto& p) __attribute__((always_inline)) {
        sums_window(x + at, grad + w * row.n_channels, p, norm, row.n_channels, grad_gamma, grad_beta);
      });
}

template <class T>
EARMARK_INLINE void backward_row(const T* x, const T* grad, const NormRow<T>& norm, const T* mean_gamma,
                                 const T* mean_beta, const WindowRow& row, T* grad_x) {
  each_window(
      row, [&](std::size_t at, std::size_t w, const auto& p) __attribute__((always_inline)) {
        backward_window(x + at, grad + w * row.n_channels, p, norm, mean_gamma, mean_beta, row.n_channels,
                        grad_x + at);
      });
}

}  // namespace

EARMARK_SIMD_CLONES void add_moments(const float* x, const float* pivot, std::size_t n_rows,
                                     std::size_t n_channels, float* sum, float* square) {
  moments(x, pivot, n_rows, n_channels, sum, square);
}
EARMARK_SIMD_CLONES void pool_forward(const float* x, const NormRow<float>& norm, const WindowRow& row,
                                      float* y) {
  forward_row(x, norm, row, y);
}
EARMARK_SIMD_CLONES void pool_sums(const float* x, const float* grad, const NormRow<float>& norm,
                                   const WindowRow& row, float* grad_gamma, float* grad_beta) {
  sums_row(x, grad, norm, row, grad_gamma, grad_beta);
}
EARMARK_SIMD_CLONES void pool_backward(const float* x, const float* grad, const NormRow<float>& norm,
                                       const float* mean_gamma, const float* mean_beta, const WindowRow& row,
                                       float* grad_x) {
  backward_row(x, grad, norm, mean_gamma, mean_beta, row, grad_x);
}

// Double precision serves the numerical gradient checks only: one portable copy is enough.
void add_moments(const double* x, const double* pivot, std::size_t n_rows, std::size_t n_channels,
                 double* sum, double* square) {
  moments(x, pivot, n_rows, n_channels, sum, square);
}
void pool_forward(const double* x, const NormRow<double>& norm, const WindowRow& row, double* y) {
  forward_row(x, norm, row, y);
}
void pool_sums(const double* x, const double* grad, const NormRow<double>& norm, const WindowRow& row,
               double* grad_gamma, double* grad_beta) {
  sums_row(x, grad, norm, row, grad_gamma, grad_beta);
}
void pool_backward(const double* x, const double* grad, const NormRow<double>& norm, const double* mean_gamma,
                   const double* mean_beta, const WindowRow& row, double* grad_x) {
  backward_row(x, grad, norm, mean_gamma, mean_beta, row, grad_x);
}

}  // namespace earmark::kernels
