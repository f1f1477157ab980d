#include "train/adam.h"

#include <cmath>

#include "train/adam_kernels.h"

namespace earmark {

void Adam::update(Slot& slot, std::int64_t step, double rate_factor, float gradient_scale) {
  const auto t = static_cast<double>(step);
  kernels::AdamStep s{};
  s.step_size = static_cast<float>(options_.lr * rate_factor / (1.0 - std::pow(options_.beta1, t)));
  s.inv_root_correction2 = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options_.beta2, t)));
  s.beta1 = static_cast<float>(options_.beta1);
  s.beta2 = static_cast<float>(options_.beta2);
  s.rest1 = static_cast<float>(1.0 - options_.beta1);
  s.rest2 = static_cast<float>(1.0 - options_.beta2);
  s.eps = static_cast<float>(options_.eps);
  s.weight_decay = static_cast<float>(options_.weight_decay);
  s.gradient_scale = gradient_scale;
  kernels::adam_update(s, slot.gradient(), slot.size(), slot.weights(), slot.m.data(), slot.v.data());
}

}  // namespace earmark
