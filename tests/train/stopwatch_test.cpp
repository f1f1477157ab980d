#include "train/stopwatch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace earmark {
namespace {

TEST(Stopwatch, GoesOnFromEarlierSittingsAndTellsWorkFromWaiting) {
  Stopwatch watch;
  watch.start({100.0, 50.0});
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const TimeSpent waited = watch.read();
  EXPECT_GE(waited.wall_s, 100.3);
  EXPECT_GE(waited.cpu_s, 50.0);
  EXPECT_LT(waited.cpu_s, 50.2) << "waiting takes no processor time";
  const TimeSpent before = watch.read();
  volatile double sum = 0.0;
  while (watch.read().cpu_s < before.cpu_s + 0.05) sum = sum + 1.0;
  EXPECT_GE(watch.read().wall_s, before.wall_s + 0.049) << "one thread works no longer than the clock runs";
}

}  // namespace
}  // namespace earmark
