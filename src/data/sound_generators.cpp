#include "data/sound_generators.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "data/sound_tools.h"

namespace earmark {
namespace {

/// Sum of harmonics 1..n at amplitudes [n], for one phase in turns; those beyond the band stay out.
double harmonics(double phase, std::span<const double> amplitudes, double hz, double rate) {
  double sum = 0.0;
  for (std::size_t k = 0; k < amplitudes.size(); ++k) {
    const double order = static_cast<double>(k + 1);
    if (order * hz >= 0.45 * rate) break;
    sum += amplitudes[k] * std::sin(kTurn * phase * order);
  }
  return sum;
}

}  // namespace

std::vector<float> make_siren(std::size_t n, double rate, Rng& rng) {
  const bool yelp = rng.bernoulli(0.4);
  const double period_s = yelp ? rng.uniform(0.25, 0.5) : rng.uniform(2.0, 5.0);
  const double low_hz = rng.uniform(450.0, 750.0), high_hz = low_hz * rng.uniform(1.8, 2.4);
  const double start = rng.uniform();
  std::array<double, 5> amplitudes{};
  for (std::size_t k = 0; k < amplitudes.size(); ++k) {
    amplitudes[k] = rng.uniform(0.5, 1.0) / std::pow(static_cast<double>(k + 1), 1.3);
  }
  std::vector<float> out(n);
  double phase = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double sweep = 0.5 - 0.5 * std::cos(kTurn * (start + static_cast<double>(i) / rate / period_s));
    const double hz = low_hz * std::pow(high_hz / low_hz, sweep);
    phase += hz / rate;
    phase -= std::floor(phase);
    out[i] = static_cast<float>(harmonics(phase, amplitudes, hz, rate));
  }
  return out;
}

std::vector<float> make_engine(std::size_t n, double rate, Rng& rng) {
  const double base_hz = rng.uniform(24.0, 60.0), wander = rng.uniform(0.02, 0.15);
  const double wander_hz = rng.uniform(0.1, 0.6), start = rng.uniform();
  const double depth = rng.uniform(0.3, 0.7), hiss = rng.uniform(0.2, 0.6);
  std::array<double, 24> amplitudes{};
  for (std::size_t k = 0; k < amplitudes.size(); ++k) {
    amplitudes[k] = rng.uniform(0.3, 1.0) / std::pow(static_cast<double>(k + 1), 0.7);
  }
  std::vector<float> out(n);
  double phase = 0.0, noise = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double hz =
        base_hz * (1.0 + wander * std::sin(kTurn * (start + wander_hz * static_cast<double>(i) / rate)));
    phase += hz / rate;
    if (phase >= 64.0) phase -= 64.0;
    // One cylinder of a pair fires weaker: modulation at half the firing rate.
    const double firing = 1.0 + depth * std::sin(kTurn * 0.5 * phase);
    noise = 0.9 * noise + 0.1 * rng.normal() * 3.0;
    out[i] = static_cast<float>(firing * (harmonics(phase, amplitudes, hz, rate) + hiss * noise));
  }
  return out;
}

std::vector<float> make_horn(std::size_t n, double rate, Rng& rng) {
  const double low_hz = rng.uniform(300.0, 450.0), high_hz = low_hz * rng.uniform(1.18, 1.27);
  std::array<double, 10> amplitudes{};
  for (std::size_t k = 0; k < amplitudes.size(); ++k)
    amplitudes[k] = rng.uniform(0.4, 1.0) / std::sqrt(static_cast<double>(k + 1));
  std::vector<float> out(n, 0.0f);
  auto at = static_cast<std::size_t>(rng.uniform(0.0, 0.2) * rate);
  while (at < n) {
    const auto length =
        std::max<std::size_t>(1, std::min(static_cast<std::size_t>(rng.uniform(0.25, 1.5) * rate), n - at));
    for (std::size_t i = 0; i < length; ++i) {
      const double t = static_cast<double>(i) / rate, left = static_cast<double>(length - i) / rate;
      const double envelope = std::min({1.0, t / 0.012, left / 0.03});
      const double tones =
          harmonics(low_hz * t, amplitudes, low_hz, rate) + harmonics(high_hz * t, amplitudes, high_hz, rate);
      out[at + i] = static_cast<float>(envelope * tones);
    }
    at += length + static_cast<std::size_t>(rng.uniform(0.1, 0.7) * rate);
  }
  return out;
}

std::vector<float> make_hammering(std::size_t n, double rate, Rng& rng) {
  const double period_s = rng.uniform(0.25, 0.6), jitter = rng.uniform(0.02, 0.15);
  std::array<double, 5> partials_hz{}, decays_s{}, levels{};
  const double body_hz = rng.uniform(350.0, 1100.0);
  for (std::size_t k = 0; k < partials_hz.size(); ++k) {
    partials_hz[k] =
        body_hz * std::pow(static_cast<double>(k + 1), rng.uniform(1.1, 1.6));  // a bar, not a string
    decays_s[k] = rng.uniform(0.02, 0.09);
    levels[k] = rng.uniform(0.3, 1.0) / static_cast<double>(k + 1);
  }
  const double knock_s = rng.uniform(0.004, 0.012);
  std::vector<float> out(n, 0.0f);
  double at_s = rng.uniform(0.0, 0.15);
  while (at_s * rate < static_cast<double>(n)) {
    const auto at = static_cast<std::size_t>(at_s * rate);
    const double strength = rng.uniform(0.6, 1.0);
    for (std::size_t k = 0; k < partials_hz.size(); ++k)
      add_ringing(out, at, partials_hz[k], decays_s[k], strength * levels[k], rate);
    const std::size_t end = std::min(n, at + static_cast<std::size_t>(6.0 * knock_s * rate));
    for (std::size_t i = at; i < end; ++i) {
      out[i] += static_cast<float>(strength * rng.normal() *
                                   std::exp(-static_cast<double>(i - at) / (knock_s * rate)));
    }
    at_s += period_s * std::max(0.3, 1.0 + jitter * rng.normal());
  }
  return out;
}

std::vector<float> make_rain(std::size_t n, double rate, Rng& rng) {
  const double hiss = rng.uniform(0.15, 0.5), smooth = rng.uniform(0.1, 0.6);
  const double drops_per_s = rng.uniform(40.0, 250.0);
  std::vector<float> out(n);
  double low = 0.0, last = 0.0;
  for (float& x : out) {
    low = smooth * low + (1.0 - smooth) * rng.normal();
    x = static_cast<float>(hiss * (low - 0.9 * last));  // little below 1 kHz
    last = low;
  }
  for (double at_s = rng.exponential(1.0 / drops_per_s); at_s * rate < static_cast<double>(n);
       at_s += rng.exponential(1.0 / drops_per_s)) {
    const double level = 0.3 * rng.exponential(1.0);
    add_ringing(out, static_cast<std::size_t>(at_s * rate), rng.uniform(1500.0, 6000.0),
                rng.uniform(0.001, 0.004), level, rate);
  }
  return out;
}

std::vector<float> make_reverse_beeper(std::size_t n, double rate, Rng& rng) {
  const double hz = rng.uniform(950.0, 1350.0), period_s = rng.uniform(0.7, 1.1),
               duty = rng.uniform(0.4, 0.6);
  const std::array<double, 5> amplitudes{1.0, 0.05, rng.uniform(0.1, 0.35), 0.02, rng.uniform(0.02, 0.15)};
  const double start = rng.uniform();
  std::vector<float> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double t = static_cast<double>(i) / rate;
    double place = start + t / period_s;
    place = (place - std::floor(place)) * period_s;  // seconds since the beep began
    const double envelope = std::clamp(std::min(place, duty * period_s - place) / 0.005, 0.0, 1.0);
    out[i] = envelope > 0.0 ? static_cast<float>(envelope * harmonics(hz * t, amplitudes, hz, rate)) : 0.0f;
  }
  return out;
}

}  // namespace earmark
