// dense_join_kernels.h: the loops of dense_join.h over rows of windows; no libtorch here.
#pragma once
#include <cstddef>

namespace earmark::kernels {

/// A row of windows of channels-last positions, [frequency, time, channel].
struct JoinRow {
  std::size_t n_channels = 0;
  std::size_t n_windows = 0;
  int n_frequency = 1;         ///< positions of a window, 1 or 2
  int last_time = 2;           ///< positions of the last window along time, 1 or 2; of the others 2
  std::size_t stride_f = 0;    ///< from one frequency to the next in x
  std::size_t out_stride = 0;  ///< from one window to the next in the result, which has other channels too
};

/// out = scale * the largest of each window; scale null: 1. @param scale [n_channels], above 0.
void join_forward(const float* x, const float* scale, const JoinRow& row, float* out);
void join_forward(const double* x, const double* scale, const JoinRow& row, double* out);

/// @param grad as out. @param grad_x every position of the row is set. @param grad_scale [n_channels], added
/// to; null where scale is.
void join_backward(const float* x, const float* scale, const float* grad, const JoinRow& row, float* grad_x,
                   float* grad_scale);
void join_backward(const double* x, const double* scale, const double* grad, const JoinRow& row,
                   double* grad_x, double* grad_scale);

}  // namespace earmark::kernels
