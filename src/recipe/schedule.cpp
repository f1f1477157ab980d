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

std::vector<StepCount*> lengths_of(ConstantScheduleOptions&) { return {}; }
std::vector<StepCount*> lengths_of(StepsScheduleOptions& steps) {
  std::vector<StepCount*> lengths;
  for (StepCount& at : steps.at) lengths.push_back(&at);
  return lengths;
}
std::vector<StepCount*> lengths_of(CosineScheduleOptions& cosine) { return {&cosine.warmup}; }
std::vector<StepCount*> lengths_of(CosineRestartsScheduleOptions& restarts) { return {&restarts.period}; }
std::vector<StepCount*> lengths_of(PlateauRestartsOptions&) { return {}; }

std::vector<StepCount*> lengths_of(TrainOptions& train, ScheduleOptions& schedule) {
  std::vector<StepCount*> lengths = std::visit([](auto& chosen) { return lengths_of(chosen); }, schedule);
  for (StepCount* own : {&train.iterations, &train.validate_every, &train.swa.start, &train.swa.every})
    lengths.push_back(own);
  return lengths;
}

}  // namespace

double schedule_factor(const ScheduleOptions& schedule, long iteration, long n_iterations) {
  return std::visit([&](const auto& chosen) { return factor_of(chosen, iteration, n_iterations); }, schedule);
}

bool counts_epochs(const TrainOptions& train, const ScheduleOptions& schedule) {
  TrainOptions own = train;
  ScheduleOptions its = schedule;
  const std::vector<StepCount*> lengths = lengths_of(own, its);
  return std::any_of(lengths.begin(), lengths.end(), [](const StepCount* count) { return count->in_epochs; });
}

void count_in_steps(TrainOptions& train, ScheduleOptions& schedule, long per_epoch) {
  for (StepCount* count : lengths_of(train, schedule)) {
    if (count->in_epochs) *count = StepCount(count->n * per_epoch);
  }
}

}  // namespace earmark
