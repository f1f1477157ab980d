#include "train/ralamb_kernels.h"

#include <cmath>

#include "models/layers/simd_clones.h"

namespace earmark::kernels {

EARMARK_SIMD_CLONES void ralamb_direction(const RalambStep& s, const float* __restrict gradient,
                                          std::size_t n, float* __restrict m, float* __restrict v,
                                          float* __restrict direction) {
  for (std::size_t i = 0; i < n; ++i) {
    const float g = gradient[i] * s.gradient_scale;
    m[i] = s.beta1 * m[i] + s.rest1 * g;
    v[i] = s.beta2 * v[i] + s.rest2 * g * g;
    direction[i] = s.adaptive ? s.scale * m[i] / (std::sqrt(v[i]) + s.eps) : s.scale * m[i];
  }
}

EARMARK_SIMD_CLONES double sum_of_squares_after(const float* weight, const float* direction, float rate,
                                                std::size_t n) {
  double sums[8] = {};  // in a fixed order, as sum_of_squares
  std::size_t i = 0;
  const auto square_at = [&](std::size_t at) {
    const double moved = static_cast<double>(weight[at]) - static_cast<double>(rate) * direction[at];
    return moved * moved;
  };
  for (; i + 8 <= n; i += 8) {
    for (std::size_t k = 0; k < 8; ++k) sums[k] += square_at(i + k);
  }
  for (; i < n; ++i) sums[0] += square_at(i);
  double total = 0.0;
  for (const double s : sums) total += s;
  return total;
}

EARMARK_SIMD_CLONES void decay_weights(float share, std::size_t n, float* weight) {
  for (std::size_t i = 0; i < n; ++i) weight[i] -= share * weight[i];
}

EARMARK_SIMD_CLONES void take_step(const float* __restrict direction, float rate, std::size_t n,
                                   float* __restrict weight) {
  for (std::size_t i = 0; i < n; ++i) weight[i] -= rate * direction[i];
}

}  // namespace earmark::kernels
