#include "augment/superpose_mixup.h"

#include <algorithm>
#include <cmath>

namespace earmark {
namespace {

double peak(std::span<const float> samples) {
  float largest = 0;
  for (const float x : samples) largest = std::max(largest, std::fabs(x));
  return std::max(static_cast<double>(largest), 1e-3);
}

}  // namespace

double draw_gain(Rng& rng) {
  const double a = rng.uniform(1.0, 2.0);
  return rng.bernoulli(0.5) ? a : 1.0 / a;
}

bool draw_plan(std::size_t n_base, std::size_t n_other, std::size_t max_samples, Rng& rng,
               SuperposePlan& plan) {
  const long base = static_cast<long>(n_base), other = static_cast<long>(n_other),
             longest = static_cast<long>(max_samples);
  const long low = std::max(-other, base - longest), high = std::min(base, longest - other);
  plan.base_gain = draw_gain(rng);
  plan.other_gain = draw_gain(rng);
  if (low > high) return false;
  plan.offset = low + static_cast<long>(rng.below(static_cast<std::uint64_t>(high - low) + 1));
  return true;
}

std::size_t superposed_length(std::size_t n_base, std::size_t n_other, const SuperposePlan& plan) {
  const long begin = std::min(0L, plan.offset);
  const long end = std::max(static_cast<long>(n_base), plan.offset + static_cast<long>(n_other));
  return static_cast<std::size_t>(end - begin);
}

std::vector<float> superpose(std::span<const float> base, std::span<const float> other,
                             const SuperposePlan& plan) {
  const long n_base = static_cast<long>(base.size()), n_other = static_cast<long>(other.size());
  const long begin = std::min(0L, plan.offset);
  std::vector<float> mixed(superposed_length(base.size(), other.size(), plan), 0.0f);
  const auto base_gain = static_cast<float>(plan.base_gain);
  const auto other_gain = static_cast<float>(plan.other_gain * peak(base) / peak(other));
  float* at = mixed.data() - begin;
  for (long i = 0; i < n_base; ++i) at[i] = base_gain * base[static_cast<std::size_t>(i)];
  for (long i = 0; i < n_other; ++i) at[plan.offset + i] += other_gain * other[static_cast<std::size_t>(i)];
  return mixed;
}

}  // namespace earmark
