#include "data/sound_sources.h"
#include "data/sound_tools.h"

namespace earmark {
namespace {

/// What tells engines apart. Ranges are drawn from, for each engine anew.
struct EngineSize {
  double low_hz, high_hz;  ///< explosions a second
  int n_harmonics;
  double slope;                         ///< of the harmonics
  double hiss;                          ///< intake and tyres against the explosions
  double low_cutoff_hz, high_cutoff_hz; /**< of the muffler */
  double clatter;                       ///< of a Diesel: a burst of noise with each explosion
};

constexpr EngineSize kSmall{75.0, 190.0, 40, 0.35, 0.25, 3000.0, 8000.0, 0.1};
constexpr EngineSize kMedium{38.0, 85.0, 32, 0.8, 0.35, 900.0, 3000.0, 0.1};
constexpr EngineSize kLarge{14.0, 40.0, 32, 0.9, 0.3, 400.0, 1500.0, 0.6};

/// Idling, speeding up, slowing down or held: the number of revolutions over the time, about 1.
struct Gesture {
  double from, to;
  double begin, end;  ///< shares of the sound

  explicit Gesture(Rng& rng) : from(1.0), to(1.0), begin(rng.uniform(0.0, 0.5)), end(rng.uniform(0.5, 1.0)) {
    if (rng.bernoulli(0.5)) (rng.bernoulli(0.6) ? to : from) = rng.uniform(1.2, 1.9);
  }
  double operator()(double share) const {
    return from + (to - from) * std::clamp((share - begin) / (end - begin), 0.0, 1.0);
  }
};

// One cylinder of the set fires weaker than the others, which is what gives an engine its lope: the table
// holds `n_cylinders` explosions, and the harmonics that are no multiple of them are weak but there.
Wavetable explosions(const EngineSize& size, int n_cylinders, double max_hz, double rate, Rng& rng) {
  std::vector<double> amplitudes;
  const double unevenness = rng.uniform(0.05, 0.35);
  for (int k = 1; k <= size.n_harmonics * n_cylinders && k < 160; ++k) {
    if (k * max_hz / n_cylinders > 0.45 * rate) break;
    const double order = static_cast<double>(k) / n_cylinders;
    const double main = k % n_cylinders == 0 ? 1.0 : unevenness;
    amplitudes.push_back(main * rng.uniform(0.3, 1.0) * std::pow(std::max(0.5, order), -size.slope));
  }
  return Wavetable(amplitudes);
}

void run_engine(const EngineSize& size, std::span<float> out, double rate, Rng& rng) {
  const double base_hz = log_uniform(rng, size.low_hz, size.high_hz);
  const int n_cylinders = 1 + static_cast<int>(rng.below(4));
  const Gesture gesture(rng);
  const Wavetable table = explosions(size, n_cylinders, 2.0 * base_hz, rate, rng);
  const double hiss = size.hiss * rng.uniform(0.5, 1.5), clatter = size.clatter * rng.uniform(0.3, 1.5);
  OnePole muffler(log_uniform(rng, size.low_cutoff_hz, size.high_cutoff_hz), rate);
  Biquad exhaust = Biquad::peak(rng.uniform(90.0, 350.0), 2.0, rng.uniform(3.0, 9.0), rate);
  Biquad valves = Biquad::band_pass(rng.uniform(1200.0, 3500.0), 1.2, rate);
  OnePole air(rng.uniform(800.0, 2500.0), rate);
  Wander unsteady(0.97, 1.03, 0.25, rate, rng), load(0.7, 1.2, 0.4, rate, rng);
  Phase cycle(rng.uniform());
  Noise noise(rng);
  double burst = 0.0;
  const double decay = std::exp(-1.0 / (0.004 * rate));
  double before = 0.0, revolutions = 1.0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    // The gesture is a line: asked for every 64 samples.
    if (i % 64 == 0) revolutions = gesture(static_cast<double>(i) / static_cast<double>(out.size()));
    const double phase = cycle(base_hz * revolutions * unsteady() / n_cylinders / rate);
    const double place = phase * n_cylinders, in_stroke = place - std::floor(place);
    if (in_stroke < before) burst = 1.0;
    before = in_stroke;
    burst *= decay;
    const double white = noise();
    const double tone = muffler(table(phase) + clatter * valves(white * burst) * 3.0);
    out[i] =
        static_cast<float>(load() * revolutions * (exhaust(tone) + hiss * (0.5 + in_stroke) * air(white)));
  }
}

}  // namespace

void make_small_engine(std::span<float> out, double rate, Rng& rng) { run_engine(kSmall, out, rate, rng); }
void make_medium_engine(std::span<float> out, double rate, Rng& rng) { run_engine(kMedium, out, rate, rng); }
void make_large_engine(std::span<float> out, double rate, Rng& rng) { run_engine(kLarge, out, rate, rng); }

// Between two sizes, and as heard round a corner: what would tell them is gone.
void make_uncertain_engine(std::span<float> out, double rate, Rng& rng) {
  const bool small = rng.bernoulli(0.5);
  EngineSize size = small ? kSmall : kMedium;
  const EngineSize& other = small ? kMedium : kLarge;
  const double mix = rng.uniform(0.35, 0.65);
  size.low_hz = size.high_hz =
      log_uniform(rng, size.low_hz, size.high_hz) * (1.0 - mix) + mix * other.high_hz;
  size.slope += mix * (other.slope - size.slope);
  size.hiss *= rng.uniform(0.8, 2.0);
  size.low_cutoff_hz = 250.0;
  size.high_cutoff_hz = 900.0;
  run_engine(size, out, rate, rng);
}

}  // namespace earmark
