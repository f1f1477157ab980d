#include "augment/time_shift.h"

#include <algorithm>
#include <cmath>

namespace earmark {

std::size_t draw_time_shift(const TimeShiftOptions& options, std::size_t n_samples, Rng& rng) {
  const auto span =
      static_cast<std::uint64_t>(std::floor(options.max_share * static_cast<double>(n_samples)));
  return span == 0 ? 0 : rng.below(span);
}

void time_shift(std::span<float> samples, std::size_t by) {
  std::rotate(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(by), samples.end());
}

}  // namespace earmark
