#include "train/ralamb.h"

#include <algorithm>
#include <cmath>

#include "train/adam_kernels.h"
#include "train/ralamb_kernels.h"

namespace earmark {
namespace {

constexpr double kLargestWeightNorm = 10.0;
constexpr double kLeastFreedom = 5.0;  // rho_t from which the square's mean is trusted

kernels::RalambStep step_of(const RalambOptions& options, double t, float gradient_scale) {
  kernels::RalambStep s{};
  s.beta1 = static_cast<float>(options.beta1);
  s.beta2 = static_cast<float>(options.beta2);
  s.rest1 = static_cast<float>(1.0 - options.beta1);
  s.rest2 = static_cast<float>(1.0 - options.beta2);
  s.eps = static_cast<float>(options.eps);
  s.gradient_scale = gradient_scale;
  const double decayed = std::pow(options.beta2, t);
  const double rho_inf = 2.0 / (1.0 - options.beta2) - 1.0;
  const double rho = rho_inf - 2.0 * t * decayed / (1.0 - decayed);
  s.adaptive = rho >= kLeastFreedom;
  double scale = 1.0 / (1.0 - std::pow(options.beta1, t));
  if (s.adaptive) {
    scale *= std::sqrt((1.0 - decayed) * (rho - 4.0) / (rho_inf - 4.0) * (rho - 2.0) / rho * rho_inf /
                       (rho_inf - 2.0));
  }
  s.scale = static_cast<float>(scale);
  return s;
}

}  // namespace

void Ralamb::update(Slot& slot, std::int64_t t, double rate_factor, float gradient_scale) {
  const std::size_t n = slot.size();
  const double rate = options_.lr * rate_factor;
  direction_.resize(std::max(direction_.size(), n));
  kernels::ralamb_direction(step_of(options_, static_cast<double>(t), gradient_scale), slot.gradient(), n,
                            slot.m.data(), slot.v.data(), direction_.data());
  if (options_.weight_decay > 0.0)
    kernels::decay_weights(static_cast<float>(options_.weight_decay * rate), n, slot.weights());
  const double weight_norm =
      std::min(std::sqrt(kernels::sum_of_squares(slot.weights(), n)), kLargestWeightNorm);
  const double against = std::sqrt(
      options_.trust == RalambTrust::kPaper
          ? kernels::sum_of_squares(direction_.data(), n)
          : kernels::sum_of_squares_after(slot.weights(), direction_.data(), static_cast<float>(rate), n));
  const double trust = weight_norm > 0.0 && against > 0.0 ? weight_norm / against : 1.0;
  kernels::take_step(direction_.data(), static_cast<float>(rate * trust), n, slot.weights());
}

}  // namespace earmark
