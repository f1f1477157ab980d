#include "augment/time_shift.h"

#include <algorithm>
#include <cmath>

namespace earmark {

void time_shift(std::span<float> samples, const TimeShiftOptions& options, Rng& rng) {
  const auto span = static_cast<std::uint64_t>(std::floor(options.max_share * static_cast<double>(samples.size())));
  if (span == 0) return;
  std::rotate(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(rng.below(span)), samples.end());
}

}  // namespace earmark
