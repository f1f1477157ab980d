#include "data/sound_sources.h"
#include "data/sound_tools.h"

namespace earmark {
namespace {

constexpr std::array kMajor{0, 2, 4, 5, 7, 9, 11};
constexpr std::array kMinor{0, 2, 3, 5, 7, 8, 10};

/// What a piece is made of, drawn once.
struct Song {
  double step_s = 0.14;  ///< a sixteenth
  double root_hz = 110.0;
  bool minor = false;
  std::array<int, 4> chords{};  ///< degrees of the scale, one a bar
  double bass = 1.0, chord = 0.5, lead = 0.6, drums = 1.0;
  double busy = 0.5;  ///< share of the steps on which the lead moves

  explicit Song(Rng& rng) {
    step_s = 60.0 / rng.uniform(75.0, 150.0) / 4.0;
    root_hz = log_uniform(rng, 41.0, 82.0);
    minor = rng.bernoulli(0.5);
    for (int& degree : chords) degree = static_cast<int>(rng.below(6));
    chords[0] = 0;
    bass = rng.uniform(0.5, 1.5);
    chord = rng.uniform(0.0, 0.7);
    lead = rng.bernoulli(0.8) ? rng.uniform(0.3, 1.0) : 0.0;
    drums = rng.bernoulli(0.8) ? rng.uniform(0.4, 1.3) : 0.0;
    busy = rng.uniform(0.25, 0.8);
  }
  /// Frequency of a degree of the scale, octaves included.
  double hz(int degree) const {
    const int octave = degree >= 0 ? degree / 7 : -((6 - degree) / 7);
    const auto step = static_cast<std::size_t>(degree - 7 * octave);
    return root_hz * std::exp2(octave + (minor ? kMinor : kMajor)[step] / 12.0);
  }
};

struct Note {
  double hz, level, length_s, decay_s;
};

void add_note(std::span<float> out, double at_s, const Note& note, const Wavetable& table, double rate) {
  const auto begin = static_cast<std::size_t>(at_s * rate);
  if (begin >= out.size()) return;
  const std::size_t n = std::min(out.size() - begin, static_cast<std::size_t>(note.length_s * rate));
  const double fall = std::exp(-1.0 / (note.decay_s * rate)), n_flank = 0.006 * rate, step = note.hz / rate;
  double level = note.level;
  Phase phase;
  for (std::size_t i = 0; i < n; ++i, level *= fall) {
    const double flank =
        std::min({1.0, static_cast<double>(i) / n_flank, static_cast<double>(n - i) / n_flank});
    out[begin + i] += static_cast<float>(level * flank * table(phase(step)));
  }
}

void add_kick(std::span<float> out, double at_s, double level, double rate) {
  const auto begin = static_cast<std::size_t>(at_s * rate);
  const double fall = std::exp(-1.0 / (0.09 * rate)), drop = std::exp(-1.0 / (0.025 * rate));
  const std::array<double, 1> sine{1.0};
  static const Wavetable table{std::span<const double>(sine)};
  double hz = 160.0;
  Phase phase;
  for (std::size_t i = begin; i < out.size() && level > 1e-3; ++i, level *= fall) {
    hz = 48.0 + drop * (hz - 48.0);
    out[i] += static_cast<float>(level * table(phase(hz / rate)));
  }
}

void add_hit(std::span<float> out, double at_s, double level, double decay_s, Biquad band, double rate,
             Rng& rng) {
  const double fall = std::exp(-1.0 / (decay_s * rate));
  Noise noise(rng);
  for (auto i = static_cast<std::size_t>(at_s * rate); i < out.size() && level > 1e-3; ++i, level *= fall)
    out[i] += static_cast<float>(level * band(noise()));
}

/// The sounds that a band has, and the patterns that it plays.
class Band {
 public:
  Band(const Song& song, double rate, Rng& rng)
      : song_(song),
        rate_(rate),
        rng_(rng),
        bass_(Wavetable::draw(12, rng.uniform(0.8, 1.6), 200.0, rate, rng)),
        chord_(Wavetable::draw(16, rng.uniform(0.8, 1.6), 700.0, rate, rng)),
        lead_(Wavetable::draw(16, rng.uniform(0.5, 1.4), 1200.0, rate, rng)),
        snare_(Biquad::band_pass(rng.uniform(1200.0, 2600.0), 0.5, rate)),
        hat_(Biquad::high_pass(rng.uniform(5500.0, 8500.0), 0.7, rate)) {
    for (bool& kick : kicks_) kick = rng.bernoulli(0.22);
    kicks_[0] = true;
  }

  void play(std::span<float> out) {
    const double start_s = -rng_.uniform(0.0, song_.step_s);
    int degree = 14 + static_cast<int>(rng_.below(7));
    const double length_s = static_cast<double>(out.size()) / rate_;
    const auto offset = static_cast<int>(rng_.below(64));
    for (int step = 0; start_s + step * song_.step_s < length_s; ++step) {
      const double at_s = std::max(0.0, start_s + step * song_.step_s);
      const int beat = (step + offset) % 16, bar = (step + offset) / 16 % 4;
      play_chord(out, at_s, beat, song_.chords[static_cast<std::size_t>(bar)]);
      play_drums(out, at_s, beat);
      if (song_.lead > 0.0 && rng_.bernoulli(song_.busy)) {
        degree = std::clamp(degree + static_cast<int>(rng_.below(5)) - 2, 12, 27);
        add_note(out, at_s, {song_.hz(degree), song_.lead, song_.step_s * rng_.uniform(0.8, 2.5), 0.4}, lead_,
                 rate_);
      }
    }
  }

 private:
  void play_chord(std::span<float> out, double at_s, int beat, int degree) {
    if (beat % 4 == 0 || rng_.bernoulli(0.2))
      add_note(out, at_s, {song_.hz(degree), song_.bass, 3.0 * song_.step_s, 0.5}, bass_, rate_);
    if (beat % 8 != 0 || song_.chord < 0.1) return;
    for (const int third : {14, 16, 18}) {
      add_note(out, at_s, {song_.hz(degree + third), song_.chord, 7.8 * song_.step_s, 1.5}, chord_, rate_);
    }
  }

  void play_drums(std::span<float> out, double at_s, int beat) {
    if (song_.drums <= 0.0) return;
    if (kicks_[static_cast<std::size_t>(beat)]) add_kick(out, at_s, 2.5 * song_.drums, rate_);
    if (beat % 8 == 4) add_hit(out, at_s, 1.5 * song_.drums, 0.06, snare_, rate_, rng_);
    if (beat % 2 == 0) add_hit(out, at_s, 0.5 * song_.drums, 0.02, hat_, rate_, rng_);
  }

  const Song& song_;
  double rate_;
  Rng& rng_;
  Wavetable bass_, chord_, lead_;
  Biquad snare_, hat_;
  std::array<bool, 16> kicks_{};
};

void play_song(std::span<float> out, double rate, Rng& rng) {
  const Song song(rng);
  Band(song, rate, rng).play(out);
}

}  // namespace

void make_stationary_music(std::span<float> out, double rate, Rng& rng) {
  play_song(out, rate, rng);
  Biquad::high_pass(rng.uniform(40.0, 180.0), 0.7, rate).apply(out);
  Biquad::low_pass(log_uniform(rng, 3000.0, 12000.0), 0.7, rate).apply(out);
}

// From a car that passes: much bass, little else, louder and lower as it goes.
void make_mobile_music(std::span<float> out, double rate, Rng& rng) {
  const double duration_s = static_cast<double>(out.size()) / rate;
  const PassBy way{rng.uniform(5.0, 16.0), rng.uniform(3.0, 9.0), rng.uniform(0.1, 0.9) * duration_s};
  std::vector<float> dry(out.size() + doppler_samples(way, duration_s, rate), 0.0f);
  play_song(dry, rate, rng);
  Biquad::low_shelf(150.0, rng.uniform(2.0, 10.0), rate).apply(dry);
  Biquad::low_pass(log_uniform(rng, 600.0, 6000.0), 0.7, rate).apply(dry);
  pass_by(dry, way, rate, out);
}

// A music box through a horn loudspeaker: one tune, over and over, made up for each truck.
void make_ice_cream_truck(std::span<float> out, double rate, Rng& rng) {
  Song song(rng);
  song.minor = false;
  song.root_hz = log_uniform(rng, 130.0, 220.0);
  song.step_s = 60.0 / rng.uniform(90.0, 140.0) / 2.0;
  std::array<int, 16> tune{};
  int degree = 14;
  for (int& note : tune) {
    degree = std::clamp(degree + static_cast<int>(rng.below(7)) - 3, 10, 23);
    note = rng.bernoulli(0.2) ? -1 : degree;
  }
  tune[0] = 14;
  std::vector<float> sound(out.size(), 0.0f);
  const double flutter = rng.uniform(0.0, 0.01), decay_s = rng.uniform(0.12, 0.35);
  const std::size_t offset = rng.below(tune.size());
  for (std::size_t k = 0;; ++k) {
    const double at_s = static_cast<double>(k) * song.step_s;
    if (at_s * rate >= static_cast<double>(out.size())) break;
    const int note = tune[(k + offset) % tune.size()];
    if (note < 0) continue;
    const double hz = song.hz(note) * (1.0 + flutter * rng.uniform(-1.0, 1.0));
    const auto at = static_cast<std::size_t>(at_s * rate);
    // A comb's tooth: clamped at one end, its partials stand at 1, 6.27, 17.5; the box adds the octave.
    add_ringing(sound, at, hz, decay_s, 1.0, rate);
    add_ringing(sound, at, 2.0 * hz, 0.7 * decay_s, 0.4, rate);
    add_ringing(sound, at, 6.27 * hz, 0.15 * decay_s, 0.3, rate);
  }
  Biquad::high_pass(rng.uniform(300.0, 500.0), 0.8, rate).apply(sound);
  Biquad::low_pass(rng.uniform(3000.0, 6000.0), 0.8, rate).apply(sound);
  const double drive = rng.uniform(0.3, 2.0);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double x = drive * static_cast<double>(sound[i]);
    out[i] = static_cast<float>(x / (1.0 + std::fabs(x)));  // the horn's driver gives way
  }
}

// Through a wall or from far off: it is music, and that is all that can be told.
void make_uncertain_music(std::span<float> out, double rate, Rng& rng) {
  play_song(out, rate, rng);
  const double hz = log_uniform(rng, 300.0, 1800.0);
  Biquad::low_pass(hz, 0.7, rate).apply(out);
  Biquad::low_pass(1.5 * hz, 0.7, rate).apply(out);
  Wander level(0.3, 1.0, 1.5, rate, rng);
  for (float& x : out) x = static_cast<float>(x * level());
}

}  // namespace earmark
