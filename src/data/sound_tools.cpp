#include "data/sound_tools.h"

namespace earmark {
namespace {

constexpr double kSpeedOfSound_m_per_s = 343.0;

/// What all second-order sections begin with.
struct Corner {
  double c, alpha;
  Corner(double hz, double q, double rate) {
    const double w = kTurn * std::clamp(hz / rate, 1e-5, 0.45);
    c = std::cos(w);
    alpha = std::sin(w) / (2.0 * q);
  }
};

double distance_m(const PassBy& way, double t_s) {
  return std::hypot(way.closest_m, way.speed_m_per_s * (t_s - way.closest_at_s));
}

}  // namespace

double root_mean_square(std::span<const float> samples) {
  double sum = 0.0;
  for (const float x : samples) sum += static_cast<double>(x) * static_cast<double>(x);
  return samples.empty() ? 0.0 : std::sqrt(sum / static_cast<double>(samples.size()));
}

void scale(std::span<float> samples, double factor) {
  for (float& x : samples) x = static_cast<float>(x * factor);
}

void fade(std::span<float> samples, std::size_t n_in, std::size_t n_out) {
  const auto gain = [](std::size_t i, std::size_t n) {
    return static_cast<float>(
        0.5 - 0.5 * std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(n)));
  };
  n_in = std::min(n_in, samples.size());
  n_out = std::min(n_out, samples.size() - n_in);
  for (std::size_t i = 0; i < n_in; ++i) samples[i] *= gain(i, n_in);
  for (std::size_t i = 0; i < n_out; ++i) samples[samples.size() - 1 - i] *= gain(i, n_out);
}

Biquad::Biquad(std::array<double, 3> b, double a0, double a1, double a2) noexcept
    : b_{b[0] / a0, b[1] / a0, b[2] / a0}, a_{a1 / a0, a2 / a0} {}

Biquad Biquad::low_pass(double hz, double q, double rate) {
  const Corner k(hz, q, rate);
  const double b = (1.0 - k.c) / 2.0;
  return Biquad({b, 2.0 * b, b}, 1.0 + k.alpha, -2.0 * k.c, 1.0 - k.alpha);
}

Biquad Biquad::high_pass(double hz, double q, double rate) {
  const Corner k(hz, q, rate);
  const double b = (1.0 + k.c) / 2.0;
  return Biquad({b, -2.0 * b, b}, 1.0 + k.alpha, -2.0 * k.c, 1.0 - k.alpha);
}

Biquad Biquad::band_pass(double hz, double q, double rate) {
  const Corner k(hz, q, rate);
  return Biquad({k.alpha, 0.0, -k.alpha}, 1.0 + k.alpha, -2.0 * k.c, 1.0 - k.alpha);
}

Biquad Biquad::peak(double hz, double q, double db, double rate) {
  const Corner k(hz, q, rate);
  const double a = decibels(db / 2.0);
  return Biquad({1.0 + k.alpha * a, -2.0 * k.c, 1.0 - k.alpha * a}, 1.0 + k.alpha / a, -2.0 * k.c,
                1.0 - k.alpha / a);
}

Biquad Biquad::high_shelf(double hz, double db, double rate) {
  const Corner k(hz, std::numbers::sqrt2 / 2.0, rate);
  const double a = decibels(db / 2.0), s = 2.0 * std::sqrt(a) * k.alpha;
  return Biquad({a * (a + 1.0 + (a - 1.0) * k.c + s), -2.0 * a * (a - 1.0 + (a + 1.0) * k.c),
                 a * (a + 1.0 + (a - 1.0) * k.c - s)},
                a + 1.0 - (a - 1.0) * k.c + s, 2.0 * (a - 1.0 - (a + 1.0) * k.c),
                a + 1.0 - (a - 1.0) * k.c - s);
}

Biquad Biquad::low_shelf(double hz, double db, double rate) {
  const Corner k(hz, std::numbers::sqrt2 / 2.0, rate);
  const double a = decibels(db / 2.0), s = 2.0 * std::sqrt(a) * k.alpha;
  return Biquad({a * (a + 1.0 - (a - 1.0) * k.c + s), 2.0 * a * (a - 1.0 - (a + 1.0) * k.c),
                 a * (a + 1.0 - (a - 1.0) * k.c - s)},
                a + 1.0 + (a - 1.0) * k.c + s, -2.0 * (a - 1.0 + (a + 1.0) * k.c),
                a + 1.0 + (a - 1.0) * k.c - s);
}

Wavetable::Wavetable(std::span<const double> amplitudes) {
  double power = 0.0;
  for (const double amplitude : amplitudes) power += amplitude * amplitude / 2.0;
  if (power <= 0.0) return;
  const double gain = 1.0 / std::sqrt(power);
  std::array<double, kSize> sine;
  for (std::size_t i = 0; i < kSize; ++i)
    sine[i] = std::sin(kTurn * static_cast<double>(i) / static_cast<double>(kSize));
  std::array<double, kSize> sum{};
  for (std::size_t k = 0; k < amplitudes.size(); ++k) {
    if (amplitudes[k] == 0.0) continue;
    for (std::size_t i = 0; i < kSize; ++i) sum[i] += gain * amplitudes[k] * sine[(k + 1) * i % kSize];
  }
  for (std::size_t i = 0; i < kSize; ++i) table_[i] = static_cast<float>(sum[i]);
  table_[kSize] = table_[0];
}

Wavetable Wavetable::draw(int n, double slope, double max_hz, double rate, Rng& rng) {
  const int n_within = static_cast<int>(0.45 * rate / max_hz);
  std::vector<double> amplitudes;
  for (int k = 1; k <= n; ++k) {
    const double amplitude = rng.uniform(0.4, 1.0) * std::pow(k, -slope);
    if (k <= std::max(1, n_within)) amplitudes.push_back(amplitude);
  }
  return Wavetable(amplitudes);
}

void Resonators::add(double hz, double decay_s, double level, double rate) {
  if (hz >= 0.45 * rate) return;
  const double angle = kTurn * hz / rate, radius = std::exp(-1.0 / (decay_s * rate));
  partials_.push_back({level * std::sin(angle), 2.0 * radius * std::cos(angle), radius * radius});
}

void add_ringing(std::vector<float>& out, std::size_t at, double hz, double decay_s, double level,
                 double rate) {
  if (hz >= 0.45 * rate) return;
  const double angle = kTurn * hz / rate, decay = std::exp(-1.0 / (decay_s * rate));
  const double c = std::cos(angle) * decay, s = std::sin(angle) * decay;
  double x = 0.0, y = level;
  const std::size_t end = std::min(out.size(), at + static_cast<std::size_t>(7.0 * decay_s * rate));
  for (std::size_t i = at; i < end; ++i) {
    out[i] += static_cast<float>(x);
    const double next = x * c + y * s;
    y = y * c - x * s;
    x = next;
  }
}

void add_echo(std::span<float> sound, double rt60_s, double damping_hz, double wet, double rate, Rng& rng) {
  constexpr std::size_t kLines = 4;
  std::array<std::vector<double>, kLines> lines;
  std::array<double, kLines> gains{};
  std::array<std::size_t, kLines> at{};
  std::array<double, kLines> damped{};
  const double step = 1.0 - std::exp(-kTurn * std::min(0.49, damping_hz / rate));
  for (std::size_t k = 0; k < kLines; ++k) {
    const double delay_s = (0.011 + 0.009 * static_cast<double>(k)) * rng.uniform(0.9, 1.25);
    lines[k].assign(static_cast<std::size_t>(delay_s * rate) + 1, 0.0);
    gains[k] = std::pow(10.0, -3.0 * delay_s / rt60_s);
  }
  const double dry = 1.0 - wet;
  for (float& x : sound) {
    double sum = 0.0;
    for (std::size_t k = 0; k < kLines; ++k) {
      damped[k] += step * (gains[k] * lines[k][at[k]] - damped[k]);
      sum += damped[k];
    }
    // Householder's reflection: orthogonal, so that what circulates decays by the gains alone.
    for (std::size_t k = 0; k < kLines; ++k) {
      lines[k][at[k]] = static_cast<double>(x) + damped[k] - 0.5 * sum;
      if (++at[k] == lines[k].size()) at[k] = 0;
    }
    x = static_cast<float>(dry * static_cast<double>(x) + wet * sum);
  }
}

std::size_t doppler_samples(const PassBy& way, double duration_s, double rate) {
  const double furthest_m = std::max(distance_m(way, 0.0), distance_m(way, duration_s));
  return static_cast<std::size_t>(furthest_m / kSpeedOfSound_m_per_s * rate) + 2;
}

void pass_by(std::span<const float> dry, const PassBy& way, double rate, std::span<float> out) {
  const auto extra = static_cast<double>(dry.size() - out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double m = distance_m(way, static_cast<double>(i) / rate);
    const double place = std::max(0.0, static_cast<double>(i) + extra - m / kSpeedOfSound_m_per_s * rate);
    const std::size_t before = std::min(static_cast<std::size_t>(place), dry.size() - 2);
    const double part = std::min(1.0, place - static_cast<double>(before));
    const double level = way.closest_m / m;
    out[i] = static_cast<float>(level * ((1.0 - part) * static_cast<double>(dry[before]) +
                                         part * static_cast<double>(dry[before + 1])));
  }
}

}  // namespace earmark
