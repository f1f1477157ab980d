#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/options.h"

namespace earmark {
namespace {

double factor_of(const ConstantScheduleOptions&, long, long) { return 1.0; }

double factor_of(const StepsScheduleOptions& steps, long iteration, long) {
  double factor = 1.0;
  for (const long at : steps.at) {
    if (iteration >= at) factor *= steps.factor;
  }
  return factor;
}

double factor_of(const CosineScheduleOptions& cosine, long iteration, long n_iterations) {
  if (iteration < cosine.warmup)
    return static_cast<double>(iteration + 1) / static_cast<double>(cosine.warmup);
  const auto span = static_cast<double>(std::max(1L, n_iterations - 1 - cosine.warmup));
  const double progress = std::min(1.0, static_cast<double>(iteration - cosine.warmup) / span);
  return cosine.last + (1.0 - cosine.last) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
}

double factor_of(const CosineRestartsScheduleOptions& restarts, long iteration, long) {
  auto since = static_cast<double>(iteration), period = static_cast<double>(restarts.period);
  while (since >= period) {
    since -= period;
    period *= restarts.period_factor;
  }
  return restarts.last + (1.0 - restarts.last) * 0.5 * (1.0 + std::cos(std::numbers::pi * since / period));
}

double factor_of(const PlateauRestartsOptions&, long, long) { return 1.0; }

}  // namespace

double schedule_factor(const ScheduleOptions& schedule, long iteration, long n_iterations) {
  return std::visit([&](const auto& chosen) { return factor_of(chosen, iteration, n_iterations); }, schedule);
}

}  // namespace earmark
