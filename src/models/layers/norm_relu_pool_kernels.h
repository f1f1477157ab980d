// norm_relu_pool_kernels.h: the loops of norm_relu_pool, without torch. Rows are [n_channels] contiguous
// values of one (frequency, time) position.
#pragma once
#include <cstddef>

namespace earmark::kernels {

/// Per channel: affine part y = x * scale + shift of the normalisation, and what its gradient needs.
template <class T>
struct NormRow {
  const T* scale;
  const T* shift;
  const T* mean;
  const T* inv_std;
};

/// One row of windows: `n_windows` windows of `window_f` x `window_t` positions, side by side in time. A
/// window's positions are `stride_f` values apart in frequency and n_channels apart in time. The last
/// window has `last_t` positions in time.
struct WindowRow {
  std::size_t n_channels;
  std::size_t n_windows;
  int window_f, window_t, last_t;
  std::size_t stride_f;
};

/// sum += x - pivot and square += (x - pivot)^2 over `n_rows` rows.
void add_moments(const float* x, const float* pivot, std::size_t n_rows, std::size_t n_channels, float* sum,
                 float* square);
void add_moments(const double* x, const double* pivot, std::size_t n_rows, std::size_t n_channels,
                 double* sum, double* square);

/// y = max over the window of relu(x * scale + shift).
void pool_forward(const float* x, const NormRow<float>& norm, const WindowRow& row, float* y);
void pool_forward(const double* x, const NormRow<double>& norm, const WindowRow& row, double* y);

/// grad_beta += g and grad_gamma += g * x_hat, at the position that won its window with a positive value.
void pool_sums(const float* x, const float* grad, const NormRow<float>& norm, const WindowRow& row,
               float* grad_gamma, float* grad_beta);
void pool_sums(const double* x, const double* grad, const NormRow<double>& norm, const WindowRow& row,
               double* grad_gamma, double* grad_beta);

/// grad_x = scale * (g at the winner - mean_beta - x_hat * mean_gamma).
void pool_backward(const float* x, const float* grad, const NormRow<float>& norm, const float* mean_gamma,
                   const float* mean_beta, const WindowRow& row, float* grad_x);
void pool_backward(const double* x, const double* grad, const NormRow<double>& norm, const double* mean_gamma,
                   const double* mean_beta, const WindowRow& row, double* grad_x);

}  // namespace earmark::kernels
