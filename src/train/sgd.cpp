#include "train/sgd.h"

namespace earmark {

// v <- momentum v + (g + decay w); w <- w - lr v. With `keras` the rate of each step stays in the velocity:
// v <- momentum v - lr (g + decay w); w <- w + v.
void Sgd::update(Slot& slot, std::int64_t, double rate_factor, float gradient_scale) {
  const auto rate = static_cast<float>(options_.lr * rate_factor);
  const auto momentum = static_cast<float>(options_.momentum);
  const bool decays = !options_.decay_matrices_only || slot.parameter.dim() >= 2;
  const float decay = decays ? static_cast<float>(options_.weight_decay) : 0.0f;
  const bool keras = options_.velocity == SgdVelocity::kKeras;
  float* w = slot.weights();
  const float* g = slot.gradient();
  float* v = slot.m.data();
  for (std::size_t i = 0; i < slot.size(); ++i) {
    const float gradient = g[i] * gradient_scale + decay * w[i];
    v[i] = momentum * v[i] + (keras ? -rate * gradient : gradient);
    w[i] += keras ? v[i] : -rate * v[i];
  }
}

}  // namespace earmark
