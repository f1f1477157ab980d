#include "data/sound_sources.h"
#include "data/sound_tools.h"

namespace earmark {
namespace {

/// What is struck, how hard and how often.
struct Hammer {
  double low_strikes_hz, high_strikes_hz;
  double jitter;  ///< of the time between strikes, as a share of it
  double low_body_hz, high_body_hz;
  int n_partials;
  double low_decay_s, high_decay_s;
  double crack_s;  ///< length of the burst of noise at the strike
  double crack;    ///< its level
  double exhaust;  ///< compressed air or motor in between
  double working;  ///< share of the time in which it works; it rests in between
};

constexpr Hammer kRockDrill{28.0, 48.0, 0.02, 900.0, 2600.0, 5, 0.004, 0.02, 0.003, 0.8, 0.5, 0.95};
constexpr Hammer kJackhammer{13.0, 24.0, 0.03, 260.0, 1100.0, 5, 0.008, 0.03, 0.005, 1.2, 0.25, 0.85};
constexpr Hammer kHoeRam{5.0, 11.0, 0.06, 110.0, 450.0, 6, 0.02, 0.09, 0.010, 1.5, 0.15, 0.75};
constexpr Hammer kPileDriver{0.7, 1.7, 0.04, 160.0, 700.0, 7, 0.10, 0.50, 0.020, 1.5, 0.04, 1.0};

// A bar's or a plate's partials: no multiples of each other.
Resonators body_of(const Hammer& hammer, double rate, Rng& rng) {
  Resonators body;
  const double lowest_hz = log_uniform(rng, hammer.low_body_hz, hammer.high_body_hz);
  const double stretch = rng.uniform(1.1, 1.7);
  for (int k = 1; k <= hammer.n_partials; ++k) {
    const double hz = lowest_hz * std::pow(k, stretch) * rng.uniform(0.95, 1.05);
    const double decay_s = log_uniform(rng, hammer.low_decay_s, hammer.high_decay_s) / std::sqrt(k);
    body.add(hz, decay_s, rng.uniform(0.3, 1.0) / k, rate);
  }
  return body;
}

/// Works for a while and rests for a while.
class Shift {
 public:
  Shift(double working, Rng& rng) : working_(working), rng_(rng) {}
  /// Seconds until the next strike may fall, counted from the last.
  double pause_s() {
    if (working_ >= 1.0 || (left_s_ > 0.0)) return 0.0;
    left_s_ = rng_.uniform(0.8, 3.0);
    return left_s_ * (1.0 - working_) / working_ * rng_.uniform(0.5, 1.5);
  }
  void worked(double s) { left_s_ -= s; }

 private:
  double working_;
  Rng& rng_;
  double left_s_ = 1.0;
};

void hammer_on(const Hammer& hammer, std::span<float> out, double rate, Rng& rng) {
  const double strikes_hz = log_uniform(rng, hammer.low_strikes_hz, hammer.high_strikes_hz);
  Resonators body = body_of(hammer, rate, rng);
  Biquad crack = Biquad::band_pass(rng.uniform(900.0, 4000.0), 0.6, rate);
  Biquad thump = Biquad::low_pass(rng.uniform(70.0, 180.0), 1.5, rate);
  OnePole air(rng.uniform(2000.0, 7000.0), rate);
  Shift shift(hammer.working, rng);
  Noise noise(rng);
  const double decay = std::exp(-1.0 / (hammer.crack_s * rng.uniform(0.6, 1.5) * rate));
  const double exhaust = hammer.exhaust * rng.uniform(0.3, 1.2);
  // The first strike falls within the sound, however short that is.
  const double first = std::min(0.5 / strikes_hz * rate, 0.3 * static_cast<double>(out.size()));
  double burst = 0.0, next = rng.uniform(0.0, first), blow = 0.0;
  const double blow_decay = std::exp(-1.0 / (0.6 / strikes_hz * rate));
  for (std::size_t i = 0; i < out.size(); ++i) {
    double strike = 0.0;
    if (static_cast<double>(i) >= next) {
      strike = rng.uniform(0.6, 1.0);
      burst = strike;
      const double gap_s = std::max(0.3, 1.0 + hammer.jitter * rng.normal()) / strikes_hz;
      shift.worked(gap_s);
      next += (gap_s + shift.pause_s()) * rate;
      blow = 1.0;
    }
    burst *= decay;
    blow *= blow_decay;
    const double white = noise(), hit = burst * white;
    out[i] = static_cast<float>(body(strike + 0.15 * hit) + hammer.crack * 0.5 * crack(hit) +
                                4.0 * thump(strike) + exhaust * 0.15 * blow * air(white));
  }
}

/// What a hand strikes or drops.
enum class Material { kWood, kMetal, kPlastic, kStone };

void strike_once(std::vector<float>& out, std::size_t at, Material material, double level, double rate,
                 Rng& rng) {
  struct Body {
    double low_hz, high_hz, low_decay_s, high_decay_s;
    int n_partials;
  };
  constexpr std::array<Body, 4> kBodies{Body{180.0, 700.0, 0.010, 0.05, 4}, Body{500.0, 2500.0, 0.08, 0.5, 6},
                                        Body{250.0, 1200.0, 0.008, 0.03, 3},
                                        Body{400.0, 1800.0, 0.003, 0.012, 4}};
  const Body& body = kBodies[static_cast<std::size_t>(material)];
  const double lowest_hz = log_uniform(rng, body.low_hz, body.high_hz);
  for (int k = 0; k < body.n_partials; ++k) {
    add_ringing(out, at, lowest_hz * (1.0 + k * rng.uniform(0.5, 1.9)),
                log_uniform(rng, body.low_decay_s, body.high_decay_s),
                level * rng.uniform(0.3, 1.0) / (k + 1), rate);
  }
  Noise noise(rng);
  const double decay = std::exp(-1.0 / (rng.uniform(0.002, 0.012) * rate));
  double burst = level;
  for (std::size_t i = at; i < out.size() && burst > 1e-4; ++i, burst *= decay)
    out[i] += static_cast<float>(0.6 * burst * noise());
}

}  // namespace

void make_rock_drill(std::span<float> out, double rate, Rng& rng) { hammer_on(kRockDrill, out, rate, rng); }
void make_jackhammer(std::span<float> out, double rate, Rng& rng) { hammer_on(kJackhammer, out, rate, rng); }
void make_hoe_ram(std::span<float> out, double rate, Rng& rng) { hammer_on(kHoeRam, out, rate, rng); }
void make_pile_driver(std::span<float> out, double rate, Rng& rng) { hammer_on(kPileDriver, out, rate, rng); }

// Compactors, tampers, nail guns: strikes at any pace, on anything.
void make_other_impact_machinery(std::span<float> out, double rate, Rng& rng) {
  Hammer hammer = rng.bernoulli(0.5) ? kJackhammer : kHoeRam;
  hammer.low_strikes_hz = hammer.high_strikes_hz = log_uniform(rng, 1.8, 32.0);
  hammer.low_body_hz = 70.0;
  hammer.high_body_hz = 1500.0;
  hammer.jitter = rng.uniform(0.02, 0.25);
  hammer.exhaust = rng.uniform(0.1, 0.9);
  hammer.crack *= rng.uniform(0.2, 1.0);
  hammer_on(hammer, out, rate, rng);
}

// By hand: hammering without a machine's beat, doors, things that fall and bounce.
void make_non_machinery_impact(std::span<float> out, double rate, Rng& rng) {
  std::vector<float> sound(out.size(), 0.0f);
  const auto material = static_cast<Material>(rng.below(4));
  const bool falls = rng.bernoulli(0.35);
  double gap_s = falls ? rng.uniform(0.15, 0.4) : rng.uniform(0.3, 0.8), level = 1.0;
  const double bounce = rng.uniform(0.55, 0.8);
  const double first_s = std::min(rng.uniform(0.0, 0.1), 0.1 * static_cast<double>(out.size()) / rate);
  for (double at_s = first_s; at_s * rate < static_cast<double>(out.size());) {
    strike_once(sound, static_cast<std::size_t>(at_s * rate), material, level * rng.uniform(0.6, 1.0), rate,
                rng);
    at_s += gap_s * (falls ? 1.0 : rng.uniform(0.7, 1.5));
    if (!falls) continue;
    gap_s *= bounce;
    level *= bounce;
    if (gap_s < 0.02) {  // it lies still; another falls later
      at_s += rng.uniform(0.6, 1.6);
      gap_s = rng.uniform(0.15, 0.4);
      level = 1.0;
    }
  }
  std::copy(sound.begin(), sound.end(), out.begin());
}

}  // namespace earmark
