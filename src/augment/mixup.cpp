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

// Uniform over the permutations that leave nothing in its place; three tries are enough on average.
std::vector<std::size_t> derangement(std::size_t n, Rng& rng) {
  for (;;) {
    std::vector<std::size_t> order = permutation(n, rng);
    bool all_moved = true;
    for (std::size_t i = 0; i < n; ++i) all_moved = all_moved && order[i] != i;
    if (all_moved || n < 2) return order;
  }
}

}  // namespace

double draw_beta(double a, double b, Rng& rng) {
  if (a <= 1.0 && b <= 1.0) return draw_beta_johnk(a, b, rng);
  const double x = draw_gamma(a, rng), y = draw_gamma(b, rng);
  return x / (x + y);
}

bool MixupPlan::changes() const {
  return std::any_of(lambda.begin(), lambda.end(), [](double x) { return x != 1.0; });
}

MixupPlan draw_mixup(const MixupOptions& options, std::uint64_t seed, long iteration,
                     std::size_t batch_size) {
  Rng rng(seed, "mixup", static_cast<std::uint64_t>(iteration));
  // An epoch's last batch may hold one clip: it has no second half and stays as it is.
  const bool halves = options.halves && batch_size > 1;
  const std::size_t n = halves ? batch_size / 2 : batch_size;
  const auto share = [&] {
    const double lambda = draw_beta(options.alpha, options.alpha, rng);
    return options.larger_share ? std::max(lambda, 1.0 - lambda) : lambda;
  };
  MixupPlan plan;
  plan.lambda.assign(n, 1.0);
  if (rng.bernoulli(options.probability) && batch_size > 1) {
    const double first = share();
    for (std::size_t i = 0; i < n; ++i) plan.lambda[i] = i == 0 || !options.each ? first : share();
  }
  if (halves) {
    for (std::size_t i = 0; i < n; ++i) plan.partner.push_back(n + i);
  } else {
    plan.partner = options.no_self ? derangement(batch_size, rng) : permutation(batch_size, rng);
  }
  return plan;
}

void mix_items(std::vector<float>& values, std::size_t batch_size, const MixupPlan& plan) {
  const std::size_t n = values.size() / batch_size;
  const std::vector<float> before = values;
  values.resize(plan.partner.size() * n);
  for (std::size_t item = 0; item < plan.partner.size(); ++item) {
    if (plan.lambda[item] == 1.0) continue;
    const auto own_share = static_cast<float>(plan.lambda[item]),
               other_share = static_cast<float>(1.0 - plan.lambda[item]);
    const float* own = before.data() + item * n;
    const float* partner = before.data() + plan.partner[item] * n;
    for (std::size_t i = 0; i < n; ++i) values[item * n + i] = own_share * own[i] + other_share * partner[i];
  }
}

}  // namespace earmark
