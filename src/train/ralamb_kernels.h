// ralamb_kernels.h: the loops of ralamb.h, without torch.
#pragma once
#include <cstddef>

namespace earmark::kernels {

struct RalambStep {
  float beta1, beta2;
  float rest1, rest2;  ///< 1 - beta, taken in double
  float eps;
  float scale;           ///< of the direction: the rectification over 1 - beta1^t
  float gradient_scale;  ///< of the clipping
  bool adaptive;         ///< divide by the root of the square; not in the first steps
};

/// Moves both moments on and writes the direction u: scale * m, over sqrt(v) + eps where adaptive.
void ralamb_direction(const RalambStep& step, const float* gradient, std::size_t n, float* m, float* v,
                      float* direction);

/// Sum of (weight - rate * direction)^2.
double sum_of_squares_after(const float* weight, const float* direction, float rate, std::size_t n);

/// weight <- weight - share * weight. Not (1 - share) * weight, because 1 - share loses the share's last
/// bits, the same way in every step.
void decay_weights(float share, std::size_t n, float* weight);

/// weight <- weight - rate * direction.
void take_step(const float* direction, float rate, std::size_t n, float* weight);

}  // namespace earmark::kernels
