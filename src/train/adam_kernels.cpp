#include "train/adam_kernels.h"

#include <cmath>

#include "models/layers/simd_clones.h"

namespace earmark::kernels {

EARMARK_SIMD_CLONES void adam_update(const AdamStep& s, const float* __restrict gradient, std::size_t n,
                                     float* __restrict weight, float* __restrict m, float* __restrict v) {
  for (std::size_t i = 0; i < n; ++i) {
    const float g = gradient[i] * s.gradient_scale + s.weight_decay * weight[i];
    m[i] = s.beta1 * m[i] + s.rest1 * g;
    v[i] = s.beta2 * v[i] + s.rest2 * g * g;
    weight[i] -= s.step_size * m[i] / (std::sqrt(v[i]) * s.inv_root_correction2 + s.eps);
  }
}

EARMARK_SIMD_CLONES double sum_of_squares(const float* values, std::size_t n) {
  // Eight running sums in a fixed order: fast, and the same on every thread count.
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t k = 0; k < 8; ++k)
      sums[k] += static_cast<double>(values[i + k]) * static_cast<double>(values[i + k]);
  }
  for (; i < n; ++i) sums[0] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  double total = 0.0;
  for (const double s : sums) total += s;
  return total;
}

}  // namespace earmark::kernels
