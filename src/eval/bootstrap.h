// bootstrap.h: how far a figure might have come out otherwise. Clips, or whole groups of clips (all of one
// sensor, one city), are drawn with replacement; the interval is that of the percentiles.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace earmark {

/// Ends of a confidence interval.
struct Interval {
  double low = 0;
  double high = 0;
};

struct BootstrapOptions {
  int resamples = 1000;
  std::uint64_t seed = 0;
  double confidence = 0.95;
  int threads = 1;  ///< resamples side by side; 0: all cores. The intervals do not depend on it.
};

/// How often each clip was drawn in one resample, [n_clips].
using ClipWeights = std::span<const std::uint32_t>;

/// Draws resamples. Immutable once built: one instance may be used from many threads at once.
class ClipResampler {
 public:
  /// @param groups [n_clips] or empty (each clip by itself). Clips of one group are drawn together.
  ClipResampler(std::size_t n_clips, std::span<const std::string> groups, std::uint64_t seed);

  std::size_t n_units() const noexcept { return n_units_; }
  /// The weights of resample `index`: a pure function of (seed, index).
  void draw(std::uint64_t index, std::span<std::uint32_t> weights) const;

 private:
  std::uint64_t seed_;
  std::size_t n_units_;
  std::vector<std::uint32_t> unit_of_clip_;
};

/// Several statistics of the same resamples.
/// @param statistics computes all of them from the weights, always in the same number and order; NaN:
/// undefined. Called from several threads; no two calls of one `worker` (below options.threads) overlap.
/// @return one interval a statistic; none where fewer than half of the resamples define it, and
/// where there is but one clip or group to draw from.
std::vector<std::optional<Interval>> bootstrap_intervals(
    const ClipResampler& resampler, std::size_t n_clips, const BootstrapOptions& options,
    const std::function<std::vector<double>(ClipWeights, int worker)>& statistics);

/// The q-quantile of unsorted values with linear interpolation between neighbours (NumPy's default).
/// @param values not empty. @param q in 0..1.
double quantile(std::vector<double> values, double q);

}  // namespace earmark
