#include "eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/parallel.h"
#include "core/rng.h"

namespace earmark {

ClipResampler::ClipResampler(std::size_t n_clips, std::span<const std::string> groups, std::uint64_t seed)
    : seed_(seed), n_units_(0), unit_of_clip_(n_clips) {
  if (groups.empty()) {
    for (std::size_t i = 0; i < n_clips; ++i) unit_of_clip_[i] = static_cast<std::uint32_t>(i);
    n_units_ = n_clips;
    return;
  }
  std::unordered_map<std::string, std::uint32_t> units;
  for (std::size_t i = 0; i < n_clips; ++i) {
    unit_of_clip_[i] = units.try_emplace(groups[i], static_cast<std::uint32_t>(units.size())).first->second;
  }
  n_units_ = units.size();
}

void ClipResampler::draw(std::uint64_t index, std::span<std::uint32_t> weights) const {
  Rng rng(seed_, "bootstrap", 0, index);
  std::vector<std::uint32_t> drawn(n_units_, 0);
  for (std::size_t i = 0; i < n_units_; ++i) ++drawn[rng.below(n_units_)];
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = drawn[unit_of_clip_[i]];
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

std::vector<std::optional<Interval>> bootstrap_intervals(
    const ClipResampler& resampler, std::size_t n_clips, const BootstrapOptions& options,
    const std::function<std::vector<double>(ClipWeights, int worker)>& statistics) {
  // Of one group every resample is the same: that says nothing about how far a figure might be off.
  const auto n_resamples = static_cast<std::size_t>(resampler.n_units() < 2 ? 1 : options.resamples);
  std::vector<std::vector<double>> results(n_resamples);  // [resample][statistic]
  std::vector<std::vector<std::uint32_t>> weights(
      static_cast<std::size_t>(worker_count(options.threads, n_resamples)),
      std::vector<std::uint32_t>(n_clips));
  parallel_for(n_resamples, options.threads, [&](std::size_t resample, int worker) {
    std::vector<std::uint32_t>& own = weights[static_cast<std::size_t>(worker)];
    resampler.draw(resample, own);
    results[resample] = statistics(own, worker);
  });
  std::vector<std::optional<Interval>> intervals;
  const double tail = (1.0 - options.confidence) / 2.0;
  for (std::size_t i = 0; !results.empty() && i < results.front().size(); ++i) {
    std::vector<double> defined;
    for (const std::vector<double>& values : results) {
      if (!std::isnan(values[i])) defined.push_back(values[i]);
    }
    if (resampler.n_units() < 2 || defined.empty() || 2 * defined.size() < n_resamples) {
      intervals.emplace_back();
    } else {
      intervals.emplace_back(Interval{quantile(defined, tail), quantile(defined, 1.0 - tail)});
    }
  }
  return intervals;
}

}  // namespace earmark
