// timing.h: what every benchmark measures by.
#pragma once
#include <time.h>

#include <algorithm>
#include <vector>

namespace earmark {

/// The upper one of the two in the middle. @param values at least one.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Processor time of the calling thread.
inline double processor_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

}  // namespace earmark
