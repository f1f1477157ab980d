// tone_power.h: how much of a sound is one tone.
#pragma once
#include <cmath>
#include <numbers>
#include <span>
#include <utility>

namespace earmark::testing {

/// Power of one frequency (Goertzel) as a share of all: 1 for a sine of it.
inline double tone_power(std::span<const float> x, double hz, double rate) {
  const double twice_cos = 2.0 * std::cos(2.0 * std::numbers::pi * hz / rate);
  double last = 0.0, before = 0.0, power = 0.0;
  for (const float v : x) {
    before = std::exchange(last, static_cast<double>(v) + twice_cos * last - before);
    power += static_cast<double>(v) * static_cast<double>(v);
  }
  const double line = last * last + before * before - twice_cos * last * before;
  return 2.0 * line / static_cast<double>(x.size()) / power;
}

}  // namespace earmark::testing
