#include "models/layers/dense_join_kernels.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "models/layers/simd_clones.h"

namespace earmark::kernels {
namespace {

template <class T>
using IndexOf = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;  // as wide, for SIMD lanes

// Offsets of a window's N positions: frequency outer, time inner, the order in which ties are won.
template <int N>
struct Window {
  std::size_t at[N];
};

template <bool Scaled, class T, int N>
EARMARK_INLINE void forward_window(const T* __restrict x, const Window<N>& p, const T* __restrict scale,
                                   std::size_t n_channels, T* __restrict out) {
  for (std::size_t c = 0; c < n_channels; ++c) {
    T best = x[c];
    for (int i = 1; i < N; ++i) best = std::max(best, x[p.at[i] + c]);
    out[c] = Scaled ? best * scale[c] : best;
  }
}

template <bool Scaled, class T, int N>
EARMARK_INLINE void backward_window(const T* __restrict x, const Window<N>& p, const T* __restrict scale,
                                    const T* __restrict grad, std::size_t n_channels, T* __restrict grad_x,
                                    T* __restrict grad_scale) {
  for (std::size_t c = 0; c < n_channels; ++c) {
    T best = x[c];
    IndexOf<T> winner = 0;
    for (int i = 1; i < N; ++i) {
      const T value = x[p.at[i] + c];
      winner = value > best ? static_cast<IndexOf<T>>(i) : winner;
      best = std::max(best, value);
    }
    const T g = Scaled ? grad[c] * scale[c] : grad[c];
    for (int i = 0; i < N; ++i) grad_x[p.at[i] + c] = winner == i ? g : T(0);
    if (Scaled) grad_scale[c] += grad[c] * best;
  }
}

template <class Visit>
EARMARK_INLINE void each_window(const JoinRow& row, const Visit& visit) {
  const std::size_t next_t = row.n_channels, next_f = row.stride_f;
  const std::size_t n_whole = row.last_time == 2 ? row.n_windows : row.n_windows - 1;
  if (row.n_frequency == 2) {
    for (std::size_t w = 0; w < n_whole; ++w) visit(w, Window<4>{{0, next_t, next_f, next_f + next_t}});
    if (n_whole < row.n_windows) visit(n_whole, Window<2>{{0, next_f}});
  } else {
    for (std::size_t w = 0; w < n_whole; ++w) visit(w, Window<2>{{0, next_t}});
    if (n_whole < row.n_windows) visit(n_whole, Window<1>{{0}});
  }
}

template <bool Scaled, class T>
EARMARK_INLINE void forward_row(const T* x, const T* scale, const JoinRow& row, T* out) {
  each_window(
      row, [&](std::size_t w, const auto& p) __attribute__((always_inline)) {
        forward_window<Scaled>(x + 2 * w * row.n_channels, p, scale, row.n_channels,
                               out + w * row.out_stride);
      });
}

template <bool Scaled, class T>
EARMARK_INLINE void backward_row(const T* x, const T* scale, const T* grad, const JoinRow& row, T* grad_x,
                                 T* grad_scale) {
  each_window(
      row, [&](std::size_t w, const auto& p) __attribute__((always_inline)) {
        const std::size_t at = 2 * w * row.n_channels;
        backward_window<Scaled>(x + at, p, scale, grad + w * row.out_stride, row.n_channels, grad_x + at,
                                grad_scale);
      });
}

template <class T>
EARMARK_INLINE void forward_any(const T* x, const T* scale, const JoinRow& row, T* out) {
  if (scale != nullptr) {
    forward_row<true>(x, scale, row, out);
  } else {
    forward_row<false>(x, scale, row, out);
  }
}

template <class T>
EARMARK_INLINE void backward_any(const T* x, const T* scale, const T* grad, const JoinRow& row, T* grad_x,
                                 T* grad_scale) {
  if (scale != nullptr) {
    backward_row<true>(x, scale, grad, row, grad_x, grad_scale);
  } else {
    backward_row<false>(x, scale, grad, row, grad_x, grad_scale);
  }
}

}  // namespace

EARMARK_SIMD_CLONES void join_forward(const float* x, const float* scale, const JoinRow& row, float* out) {
  forward_any(x, scale, row, out);
}
EARMARK_SIMD_CLONES void join_backward(const float* x, const float* scale, const float* grad,
                                       const JoinRow& row, float* grad_x, float* grad_scale) {
  backward_any(x, scale, grad, row, grad_x, grad_scale);
}

// Double precision serves the numerical gradient checks only: one portable copy is enough.
void join_forward(const double* x, const double* scale, const JoinRow& row, double* out) {
  forward_any(x, scale, row, out);
}
void join_backward(const double* x, const double* scale, const double* grad, const JoinRow& row,
                   double* grad_x, double* grad_scale) {
  backward_any(x, scale, grad, row, grad_x, grad_scale);
}

}  // namespace earmark::kernels
