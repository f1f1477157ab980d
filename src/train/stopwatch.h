// stopwatch.h: how long a run has taken over all its sittings, by the clock and in processor time.
#pragma once
#include <chrono>
#include <ctime>

namespace earmark {

struct TimeSpent {
  double wall_s = 0.0;
  double cpu_s = 0.0;  ///< of all threads; unlike the clock it does not count what other programs were given
};

/// Not thread-safe.
class Stopwatch {
 public:
  /// Begins a sitting. @param earlier what earlier ones have taken
  void start(const TimeSpent& earlier) {
    earlier_ = earlier;
    wall_ = std::chrono::steady_clock::now();
    cpu_s_ = processor_s();
  }
  TimeSpent read() const {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - wall_;
    return {earlier_.wall_s + wall.count(), earlier_.cpu_s + processor_s() - cpu_s_};
  }

 private:
  static double processor_s() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }

  TimeSpent earlier_;
  std::chrono::steady_clock::time_point wall_;
  double cpu_s_ = 0.0;
};

}  // namespace earmark
