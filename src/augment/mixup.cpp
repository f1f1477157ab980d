#include "augment/mixup.h"

#include <algorithm>
#include <cmath>

namespace earmark {
namespace {

// X = U^(1/a), Y = V^(1/b), accepted when X + Y <= 1: X / (X + Y). In logarithms, because for small shapes
// both underflow.
double draw_beta_johnk(double a, double b, Rng& rng) {
  for (;;) {
    const double log_x = std::log1p(-rng.uniform()) / a, log_y = std::log1p(-rng.uniform()) / b;
    if (std::exp(log_x) + std::exp(log_y) <= 1.0) return 1.0 / (1.0 + std::exp(log_y - log_x));
  }
}

double draw_gamma(double shape, Rng& rng) {
  if (shape < 1.0) {  // gamma(shape) = gamma(shape + 1) U^(1 / shape)
    const double larger = draw_gamma(shape + 1.0, rng);
    return larger * std::exp(std::log1p(-rng.uniform()) / shape);
  }
  const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = rng.normal(), root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    if (std::log1p(-rng.uniform()) < 0.5 * x * x + d * (1.0 - v + std::log(v))) return d * v;
  }
}

}  // namespace

double draw_beta(double a, double b, Rng& rng) {
  if (a <= 1.0 && b <= 1.0) return draw_beta_johnk(a, b, rng);
  const double x = draw_gamma(a, rng), y = draw_gamma(b, rng);
  return x / (x + y);
}

MixupPlan draw_mixup(const MixupOptions& options, std::uint64_t seed, long iteration,
                     std::size_t batch_size) {
  Rng rng(seed, "mixup", static_cast<std::uint64_t>(iteration));
  MixupPlan plan;
  if (rng.bernoulli(options.probability)) plan.lambda = draw_beta(options.alpha, options.alpha, rng);
  plan.partner = permutation(batch_size, rng);
  return plan;
}

void mix_items(std::span<float> values, const MixupPlan& plan) {
  if (plan.lambda == 1.0 || plan.partner.empty()) return;
  const auto own_share = static_cast<float>(plan.lambda), other_share = static_cast<float>(1.0 - plan.lambda);
  const std::vector<float> before(values.begin(), values.end());
  const std::size_t n = values.size() / plan.partner.size();
  for (std::size_t item = 0; item < plan.partner.size(); ++item) {
    const float* own = before.data() + item * n;
    const float* partner = before.data() + plan.partner[item] * n;
    for (std::size_t i = 0; i < n; ++i) values[item * n + i] = own_share * own[i] + other_share * partner[i];
  }
}

}  // namespace earmark
