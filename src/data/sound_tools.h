// sound_tools.h: what sounds made by rule are made of: noise, wavetables, filters, ringing, fades, echoes.
// Everything is a recurrence, without a sine, a logarithm or a power for each sample. Rates and
// frequencies in Hz, lengths in samples unless the name says seconds. Each object: one thread at a time.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include "core/rng.h"

namespace earmark {

inline constexpr double kTurn = 2.0 * std::numbers::pi;

/// Amplitude of a level.
inline double decibels(double db) { return std::pow(10.0, db / 20.0); }
double root_mean_square(std::span<const float> samples);
void scale(std::span<float> samples, double factor);
/// Raised cosines over the first and the last samples; both together at most the whole.
void fade(std::span<float> samples, std::size_t n_in, std::size_t n_out);
/// @returns `low` * (`high` / `low`)^u with u uniform: for frequencies and times, which count by ratio.
inline double log_uniform(Rng& rng, double low, double high) {
  return low * std::pow(high / low, rng.uniform());
}

/// White noise of a triangular distribution, root mean square 1: one word of the generator a sample, where a
/// normal draw takes four and a logarithm.
class Noise {
 public:
  explicit Noise(Rng& rng) noexcept : rng_(rng) {}
  double operator()() noexcept {
    const std::uint32_t word = rng_.bits();
    const int difference = static_cast<int>(word >> 16) - static_cast<int>(word & 0xFFFFU);
    return kScale * difference;
  }

 private:
  // The difference of two uniform numbers of 0 .. 65535 has the variance 65536^2 / 6.
  static constexpr double kScale = 2.449489742783178 / 65536.0;
  Rng& rng_;
};

/// First-order low-pass.
class OnePole {
 public:
  OnePole(double hz, double rate) noexcept { set(hz, rate); }
  void set(double hz, double rate) noexcept { step_ = 1.0 - std::exp(-kTurn * std::min(0.49, hz / rate)); }
  double operator()(double x) noexcept { return state_ += step_ * (x - state_); }

 private:
  double step_ = 1.0, state_ = 0.0;
};

/// Second-order sections after Bristow-Johnson's "Audio EQ cookbook"; frequencies are held below 0.45 rate.
class Biquad {
 public:
  static Biquad low_pass(double hz, double q, double rate);
  static Biquad high_pass(double hz, double q, double rate);
  static Biquad band_pass(double hz, double q, double rate);  ///< 0 dB at its middle
  static Biquad peak(double hz, double q, double db, double rate);
  static Biquad high_shelf(double hz, double db, double rate);
  static Biquad low_shelf(double hz, double db, double rate);

  double operator()(double x) noexcept {
    const double y = b_[0] * x + z1_;
    z1_ = b_[1] * x - a_[0] * y + z2_;
    z2_ = b_[2] * x - a_[1] * y;
    return y;
  }
  /// Becomes another filter without forgetting what is under way.
  void retune(const Biquad& other) noexcept {
    b_ = other.b_;
    a_ = other.a_;
  }
  void apply(std::span<float> samples) noexcept {
    for (float& x : samples) x = static_cast<float>((*this)(x));
  }

 private:
  Biquad(std::array<double, 3> b, double a0, double a1, double a2) noexcept;
  std::array<double, 3> b_;
  std::array<double, 2> a_;
  double z1_ = 0.0, z2_ = 0.0;
};

/// One period of a sum of harmonics, read at any phase.
class Wavetable {
 public:
  /// @param amplitudes of harmonics 1, 2, ...; scaled to a root mean square of 1 unless all are zero.
  explicit Wavetable(std::span<const double> amplitudes);
  /// `n` harmonics that fall as order^-slope, each uneven by a draw, none beyond 0.45 rate at `max_hz`.
  static Wavetable draw(int n, double slope, double max_hz, double rate, Rng& rng);
  /// @param phase in turns, 0 <= phase < 1.
  double operator()(double phase) const noexcept {
    const double place = phase * static_cast<double>(kSize);
    const auto i = static_cast<std::size_t>(place);
    const double part = place - static_cast<double>(i);
    return static_cast<double>(table_[i]) +
           part * (static_cast<double>(table_[i + 1]) - static_cast<double>(table_[i]));
  }

 private:
  static constexpr std::size_t kSize = 1024;
  std::array<float, kSize + 1> table_{};
};

/// A phase that goes on, in turns.
class Phase {
 public:
  explicit Phase(double start = 0.0) noexcept : turns_(start) {}
  /// @param step in turns, 0 <= step < 1.
  double operator()(double step) noexcept {
    turns_ += step;
    wrapped_ = turns_ >= 1.0;
    if (wrapped_) turns_ -= 1.0;
    return turns_;
  }
  bool wrapped() const noexcept { return wrapped_; }  ///< a turn was completed by the last step

 private:
  double turns_;
  bool wrapped_ = false;
};

/// A line that wanders from one drawn value between `low` and `high` to the next, about `step_s` apart.
class Wander {
 public:
  Wander(double low, double high, double step_s, double rate, Rng& rng) noexcept
      : rng_(rng), low_(low), high_(high), step_(step_s * rate), value_(rng.uniform(low, high)) {}
  double operator()() noexcept {
    if (left_-- == 0) aim();
    return value_ += slope_;
  }

 private:
  void aim() noexcept {
    left_ = static_cast<std::size_t>(std::max(1.0, step_ * rng_.uniform(0.5, 1.5)));
    slope_ = (rng_.uniform(low_, high_) - value_) / static_cast<double>(left_);
    --left_;
  }
  Rng& rng_;
  double low_, high_, step_, value_, slope_ = 0.0;
  std::size_t left_ = 0;
};

/// Partials that ring when struck: a two-pole resonator each. An impulse of 1 rings at its level.
class Resonators {
 public:
  void add(double hz, double decay_s, double level, double rate);
  double operator()(double x) noexcept {
    double sum = 0.0;
    for (Partial& p : partials_) {
      const double y = p.gain * x + p.a1 * p.y1 - p.a2 * p.y2;
      p.y2 = p.y1;
      p.y1 = y;
      sum += y;
    }
    return sum;
  }

 private:
  struct Partial {
    double gain, a1, a2, y1 = 0.0, y2 = 0.0;
  };
  std::vector<Partial> partials_;
};

/// Adds one decaying sine from `at` on: a vector that rotates.
void add_ringing(std::vector<float>& out, std::size_t at, double hz, double decay_s, double level,
                 double rate);

/// A room or a street: four delay lines that feed each other (Jot's feedback delay network) with a low-pass
/// in each. @param wet share of the answer, 0 .. 1. @param rt60_s time in which the answer falls by 60 dB.
void add_echo(std::span<float> sound, double rt60_s, double damping_hz, double wet, double rate, Rng& rng);

/// A source that passes: level as 1 / distance, and Doppler's shift by a delay that changes. The sound is
/// read from `dry`, which is longer than `out` by `doppler_samples()`.
struct PassBy {
  double speed_m_per_s = 10.0;
  double closest_m = 5.0;
  double closest_at_s = 3.0;
};
std::size_t doppler_samples(const PassBy& way, double duration_s, double rate);
void pass_by(std::span<const float> dry, const PassBy& way, double rate, std::span<float> out);

}  // namespace earmark
