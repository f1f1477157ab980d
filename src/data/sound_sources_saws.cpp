#include "data/sound_sources.h"
#include "data/sound_tools.h"

namespace earmark {
namespace {

/// Free running and cutting by turns: `load` goes from 0 to 1 and back, with soft flanks.
class Cuts {
 public:
  Cuts(double free_s, double cut_s, double flank_s, double rate, Rng& rng)
      : rng_(rng), free_(free_s * rate), cut_(cut_s * rate), glide_(1.0 / flank_s, rate) {
    cutting_ = rng.bernoulli(0.5);
    turn();
  }
  double operator()() {
    if (left_-- == 0) turn();
    return glide_(cutting_ ? 1.0 : 0.0);
  }

 private:
  void turn() {
    cutting_ = !cutting_;
    left_ = static_cast<std::size_t>(std::max(1.0, (cutting_ ? cut_ : free_) * rng_.uniform(0.5, 1.5)));
  }
  Rng& rng_;
  double free_, cut_;
  OnePole glide_;
  bool cutting_ = false;
  std::size_t left_ = 0;
};

/// A motor, a blade that whines, and what it tears.
struct Saw {
  double low_motor_hz, high_motor_hz;
  double low_blade_hz, high_blade_hz;  ///< teeth a second
  double motor, blade, tear;           ///< levels
  double low_tear_hz, high_tear_hz;    ///< where what is torn sounds most
  double sag;                          ///< of the speed under load
  double free_s, cut_s;
};

constexpr Saw kRotating{90.0, 220.0, 1300.0, 4200.0, 0.5, 0.7, 1.2, 2500.0, 7000.0, 0.18, 1.2, 1.8};
constexpr Saw kLargeRotating{35.0, 95.0, 350.0, 1100.0, 0.8, 0.6, 1.8, 900.0, 4000.0, 0.10, 0.8, 4.0};

void saw_away(const Saw& saw, std::span<float> out, double rate, Rng& rng) {
  const double motor_hz = log_uniform(rng, saw.low_motor_hz, saw.high_motor_hz);
  const double blade_hz = log_uniform(rng, saw.low_blade_hz, saw.high_blade_hz);
  const double sag = saw.sag * rng.uniform(0.6, 1.4), tear = saw.tear * rng.uniform(0.6, 1.4);
  const double blade = saw.blade * rng.uniform(0.5, 1.5);
  const Wavetable hum = Wavetable::draw(24, 0.8, motor_hz * 1.1, rate, rng);
  const Wavetable whine = Wavetable::draw(5, 1.0, blade_hz * 1.1, rate, rng);
  Cuts cuts(saw.free_s, saw.cut_s, rng.uniform(0.3, 1.2), rate, rng);
  Biquad torn = Biquad::band_pass(log_uniform(rng, saw.low_tear_hz, saw.high_tear_hz), 0.7, rate);
  Wander unsteady(0.985, 1.015, 0.1, rate, rng), grip(0.5, 1.5, 0.15, rate, rng);
  Noise noise(rng);
  Phase motor(rng.uniform()), teeth(rng.uniform());
  const auto n_spin = static_cast<std::size_t>(std::min(0.6 * rate, 0.2 * static_cast<double>(out.size())));
  const bool starts = rng.bernoulli(0.5), ends = rng.bernoulli(0.5);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double load = cuts();
    double speed = (1.0 - sag * load) * unsteady();
    // From rest and back to it: the pitch tells.
    if (starts && i < n_spin) speed *= 0.25 + 0.75 * static_cast<double>(i) / static_cast<double>(n_spin);
    const std::size_t left = out.size() - i;
    if (ends && left < n_spin) speed *= 0.3 + 0.7 * static_cast<double>(left) / static_cast<double>(n_spin);
    const double tone = saw.motor * hum(motor(motor_hz * speed / rate)) +
                        blade * (0.4 + 0.6 * load) * whine(teeth(blade_hz * speed / rate));
    out[i] = static_cast<float>(speed * (tone + load * grip() * tear * 3.0 * torn(noise())));
  }
}

}  // namespace

// A two-stroke engine without much muffler, teased with the trigger, over its chain.
void make_chainsaw(std::span<float> out, double rate, Rng& rng) {
  const double full_hz = rng.uniform(110.0, 190.0), idle = rng.uniform(0.3, 0.45);
  const Wavetable exhaust = Wavetable::draw(64, 0.3, full_hz * 1.05, rate, rng);
  Cuts trigger(rng.uniform(0.3, 1.0), rng.uniform(0.8, 2.5), 0.8, rate, rng);
  Biquad pipe = Biquad::peak(rng.uniform(400.0, 900.0), 1.5, rng.uniform(4.0, 10.0), rate);
  Biquad chain = Biquad::band_pass(rng.uniform(2500.0, 6000.0), 0.8, rate);
  OnePole muffler(rng.uniform(2500.0, 6000.0), rate);
  Wander load(0.8, 1.02, 0.2, rate, rng);
  const double rasp = rng.uniform(0.4, 1.2);
  Noise noise(rng);
  Phase stroke(rng.uniform());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double throttle = idle + (1.0 - idle) * trigger();
    const double phase = stroke(full_hz * throttle * load() / rate);
    // The rasp follows the explosions: loud just after one, gone before the next.
    const double gate = (1.0 - phase) * (1.0 - phase);
    const double tone = muffler(pipe(exhaust(phase)));
    out[i] = static_cast<float>(throttle * (tone + rasp * gate * throttle * 2.0 * chain(noise())));
  }
}

void make_rotating_saw(std::span<float> out, double rate, Rng& rng) { saw_away(kRotating, out, rate, rng); }

void make_large_rotating_saw(std::span<float> out, double rate, Rng& rng) {
  saw_away(kLargeRotating, out, rate, rng);
}

// To and fro rather than round: jigsaws, reciprocating saws; and some that could be either.
void make_other_saw(std::span<float> out, double rate, Rng& rng) {
  if (rng.bernoulli(0.3)) {
    Saw between = rng.bernoulli(0.5) ? kRotating : kLargeRotating;
    between.low_blade_hz = 600.0;
    between.high_blade_hz = 2000.0;
    between.blade *= 0.3;
    return saw_away(between, out, rate, rng);
  }
  const double strokes_hz = rng.uniform(25.0, 55.0), motor_hz = strokes_hz * rng.uniform(4.0, 9.0);
  const Wavetable hum = Wavetable::draw(20, 0.7, motor_hz, rate, rng);
  Cuts cuts(rng.uniform(0.4, 1.0), rng.uniform(0.8, 2.5), 0.4, rate, rng);
  Biquad torn = Biquad::band_pass(rng.uniform(900.0, 4500.0), 0.8, rate);
  Biquad rattle = Biquad::band_pass(rng.uniform(250.0, 900.0), 4.0, rate);
  Noise noise(rng);
  Phase stroke(rng.uniform()), motor(rng.uniform());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double load = cuts(), speed = 1.0 - 0.2 * load;
    const double phase = stroke(strokes_hz * speed / rate);
    const double push = phase < 0.5 ? 4.0 * phase * (1.0 - 2.0 * phase) * 2.0 : 0.15;
    const double white = noise();
    out[i] = static_cast<float>(0.4 * hum(motor(motor_hz * speed / rate)) +
                                (0.2 + load) * push * (2.5 * torn(white) + 1.5 * rattle(white)));
  }
}

}  // namespace earmark
