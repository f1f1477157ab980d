// adam_kernels.h: the loops of adam.h, without torch.
#pragma once
#include <cstddef>

namespace earmark::kernels {

struct AdamStep {
  float step_size;             ///< learning rate / (1 - beta1^t)
  float inv_root_correction2;  ///< 1 / sqrt(1 - beta2^t)
  float beta1, beta2;
  float rest1, rest2;  ///< 1 - beta, taken in double: 1.0f - 0.999f is 5e-5 off
  float eps, weight_decay;
  float gradient_scale;  ///< of the clipping
};

void adam_update(const AdamStep& step, const float* gradient, std::size_t n, float* weight, float* m,
                 float* v);
double sum_of_squares(const float* values, std::size_t n);

}  // namespace earmark::kernels
