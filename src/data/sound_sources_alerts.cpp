#include "data/sound_sources.h"
#include "data/sound_tools.h"

namespace earmark {
namespace {

/// Soft on and off: 1 within 0 .. `length_s`, 0 outside, with flanks of `flank_s`.
double gate(double t_s, double length_s, double flank_s) {
  return std::clamp(std::min(t_s, length_s - t_s) / flank_s, 0.0, 1.0);
}

/// How the pitch of an electronic alarm runs through one period.
enum class Sweep { kUp, kDown, kUpDown, kTwoTones, kSteady, kChirps };

double sweep_height(Sweep sweep, double share) {
  switch (sweep) {
    case Sweep::kUp:
      return share;
    case Sweep::kDown:
      return 1.0 - share;
    case Sweep::kUpDown:
      return share < 0.5 ? 2.0 * share : 2.0 - 2.0 * share;
    case Sweep::kTwoTones:
      return share < 0.5 ? 0.0 : 1.0;
    case Sweep::kSteady:
      return 0.5;
    case Sweep::kChirps: {
      const double place = share * 8.0;
      return place - std::floor(place);
    }
  }
  return 0.0;
}

/// A tone whose pitch sweeps between two frequencies, period after period.
struct Wail {
  Sweep sweep = Sweep::kUpDown;
  double low_hz = 600.0, high_hz = 1300.0, period_s = 4.0;
  double duty = 1.0;  ///< share of the period in which it sounds
};

void add_wail(const Wail& wail, const Wavetable& table, std::span<float> out, double rate, double start,
              Phase& tone) {
  const double ratio = std::log(wail.high_hz / wail.low_hz), step = 1.0 / (wail.period_s * rate);
  Phase period(start);
  double hz = wail.low_hz;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double share = period(step);
    // An exponential for each sample would cost more than the tone: the pitch follows in steps of 0.4 ms.
    if (i % 16 == 0) hz = wail.low_hz * std::exp(ratio * sweep_height(wail.sweep, share));
    const double on = wail.duty >= 1.0 ? 1.0 : gate(share * wail.period_s, wail.duty * wail.period_s, 0.004);
    out[i] += static_cast<float>(on * table(tone(hz / rate)));
  }
}

/// A bell: partials that no string has, struck again and again.
void ring_bell(std::span<float> out, double strikes_hz, double hz, double decay_s, double rate, Rng& rng) {
  Resonators bell;
  for (const double ratio : {0.5, 1.0, 1.19, 1.56, 2.0, 2.66, 3.01, 4.1}) {
    bell.add(hz * ratio * rng.uniform(0.99, 1.01), decay_s * rng.uniform(0.6, 1.2) / std::sqrt(ratio),
             rng.uniform(0.2, 1.0) / ratio, rate);
  }
  Phase strike(rng.uniform(0.8, 1.0));
  for (float& x : out) {
    strike(strikes_hz / rate);
    x = static_cast<float>(bell(strike.wrapped() ? rng.uniform(0.7, 1.0) : 0.0));
  }
}

/// Blasts of a chord of horns.
void blow(std::span<float> out, std::span<const double> tones_hz, double longest_s, double slope, double rate,
          Rng& rng) {
  std::vector<Wavetable> tables;
  for (const double hz : tones_hz) tables.push_back(Wavetable::draw(24, slope, hz, rate, rng));
  std::vector<Phase> phases(tones_hz.size());
  double begin_s = rng.uniform(0.0, 0.05), length_s = rng.uniform(0.15, longest_s);
  const double lip_s = rng.uniform(0.006, 0.03);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t_s = static_cast<double>(i) / rate;
    if (t_s > begin_s + length_s) {
      begin_s = t_s + rng.uniform(0.06, 0.6);
      length_s = rng.uniform(0.15, longest_s);
    }
    const double on = gate(t_s - begin_s, length_s, lip_s);
    double sum = 0.0;
    for (std::size_t k = 0; k < tables.size(); ++k)
      sum += tables[k](phases[k](tones_hz[k] * (0.97 + 0.03 * on) / rate));
    out[i] = static_cast<float>(on * sum);
  }
}

}  // namespace

void make_car_horn(std::span<float> out, double rate, Rng& rng) {
  const double low_hz = rng.uniform(290.0, 440.0);
  std::vector<double> tones_hz{low_hz};
  if (rng.bernoulli(0.85)) tones_hz.push_back(low_hz * rng.uniform(1.18, 1.27));
  blow(out, tones_hz, 1.6, rng.uniform(0.2, 0.7), rate, rng);
}

// One pattern after the other, as alarms have them; or the horn, beating time.
void make_car_alarm(std::span<float> out, double rate, Rng& rng) {
  const double low_hz = rng.uniform(600.0, 1100.0), high_hz = low_hz * rng.uniform(1.5, 2.6);
  const Wavetable table = Wavetable::draw(10, rng.uniform(0.5, 1.0), high_hz, rate, rng);
  Phase tone;
  if (rng.bernoulli(0.25)) {
    const double horn_hz = rng.uniform(320.0, 480.0);
    const Wavetable horn = Wavetable::draw(20, 0.4, horn_hz, rate, rng);
    const double period_s = rng.uniform(0.5, 1.0);
    return add_wail({Sweep::kSteady, horn_hz, horn_hz, period_s, rng.uniform(0.45, 0.6)}, horn, out, rate,
                    rng.uniform(), tone);
  }
  const auto n_each = static_cast<std::size_t>(rng.uniform(1.0, 2.8) * rate);
  for (std::size_t at = 0; at < out.size(); at += n_each) {
    const auto sweep = static_cast<Sweep>(rng.below(6));
    const double period_s = sweep == Sweep::kChirps ? rng.uniform(0.6, 1.2) : log_uniform(rng, 0.12, 0.7);
    add_wail({sweep, low_hz, high_hz, period_s, sweep == Sweep::kSteady ? 0.5 : 1.0}, table,
             out.subspan(at, std::min(n_each, out.size() - at)), rate, 0.0, tone);
  }
}

// Wail, yelp, piercer or high-low, from a vehicle that may pass.
void make_street_siren(std::span<float> out, double rate, Rng& rng) {
  const PassBy way{rng.uniform(4.0, 20.0), rng.uniform(6.0, 40.0),
                   rng.uniform(-0.3, 1.3) * static_cast<double>(out.size()) / rate};
  std::vector<float> dry(out.size() + doppler_samples(way, static_cast<double>(out.size()) / rate, rate),
                         0.0f);
  const double low_hz = rng.uniform(450.0, 750.0);
  Wail wail{Sweep::kUpDown, low_hz, low_hz * rng.uniform(1.7, 2.4), rng.uniform(2.5, 6.0), 1.0};
  const Wavetable table = Wavetable::draw(9, rng.uniform(0.7, 1.3), wail.high_hz, rate, rng);
  Phase tone;
  const auto n_each = static_cast<std::size_t>(rng.uniform(2.5, 8.0) * rate);
  for (std::size_t at = 0; at < dry.size(); at += n_each) {
    const double kind = rng.uniform();
    if (kind < 0.3) wail.period_s = rng.uniform(0.22, 0.45);
    if (kind >= 0.3 && kind < 0.4) wail.period_s = rng.uniform(0.06, 0.12);
    if (kind >= 0.85) wail = {Sweep::kTwoTones, low_hz, low_hz * rng.uniform(1.25, 1.5), 1.1, 1.0};
    add_wail(wail, table, std::span(dry).subspan(at, std::min(n_each, dry.size() - at)), rate, rng.uniform(),
             tone);
  }
  pass_by(dry, way, rate, out);
}

// A tone on and off; the newer ones hiss instead.
void make_backup_beeper(std::span<float> out, double rate, Rng& rng) {
  const double hz = rng.uniform(950.0, 1400.0), period_s = rng.uniform(0.65, 1.2);
  const double duty = rng.uniform(0.4, 0.6), start = rng.uniform();
  if (rng.bernoulli(0.15)) {
    Biquad band = Biquad::band_pass(rng.uniform(1500.0, 3500.0), 0.8, rate);
    Noise noise(rng);
    Phase period(start);
    for (float& x : out) {
      const double on = gate(period(1.0 / (period_s * rate)) * period_s, duty * period_s, 0.01);
      x = static_cast<float>(on * band(noise()));
    }
    return;
  }
  const std::array<double, 5> amplitudes{1.0, rng.uniform(0.02, 0.1), rng.uniform(0.1, 0.4), 0.02,
                                         rng.uniform(0.02, 0.2)};
  Phase tone;
  add_wail({Sweep::kSteady, hz, hz, period_s, duty}, Wavetable(amplitudes), out, rate, start, tone);
}

// Smoke alarms, crossing bells, fire bells, lorry and ship horns.
void make_other_alert(std::span<float> out, double rate, Rng& rng) {
  switch (rng.below(4)) {
    case 0: {
      const double hz = rng.uniform(2700.0, 3500.0);
      Phase tone;
      return add_wail({Sweep::kSteady, hz, hz, rng.uniform(0.8, 1.1), rng.uniform(0.4, 0.6)},
                      Wavetable::draw(4, 1.5, hz, rate, rng), out, rate, rng.uniform(), tone);
    }
    case 1:
      return ring_bell(out, rng.uniform(1.5, 4.0), rng.uniform(500.0, 1300.0), 0.5, rate, rng);
    case 2:
      return ring_bell(out, rng.uniform(9.0, 18.0), rng.uniform(900.0, 2200.0), 0.3, rate, rng);
    default: {
      const double low_hz = rng.uniform(110.0, 240.0);
      const std::array<double, 3> tones_hz{low_hz, low_hz * rng.uniform(1.15, 1.3),
                                           low_hz * rng.uniform(1.4, 1.6)};
      return blow(out, tones_hz, 3.0, 0.8, rate, rng);
    }
  }
}

}  // namespace earmark
