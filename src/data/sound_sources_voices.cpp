#include "data/sound_sources.h"
#include "data/sound_tools.h"

namespace earmark {
namespace {

constexpr std::size_t kThroatBlock = 64;  // samples between two settings of the throat

/// The first three formants of ten vowels, men's averages: Peterson and Barney, "Control methods used in a
/// study of the vowels", JASA 24 (1952), table II.
using Formants = std::array<double, 3>;
constexpr std::array<Formants, 10> kVowels_hz{Formants{270, 2290, 3010}, Formants{390, 1990, 2550},
                                              Formants{530, 1840, 2480}, Formants{660, 1720, 2410},
                                              Formants{730, 1090, 2440}, Formants{570, 840, 2410},
                                              Formants{440, 1020, 2240}, Formants{300, 870, 2240},
                                              Formants{640, 1190, 2390}, Formants{490, 1350, 1690}};
constexpr std::array<double, 3> kFormantLevels{1.0, 0.5, 0.25}, kFormantQs{5.0, 9.0, 11.0};

/// How somebody speaks.
struct Manner {
  double pitch_hz = 120.0;
  double tract = 1.0;    ///< of the formants: women about 1.15, children 1.3
  double tilt = 1.2;     ///< harmonics fall as order^-tilt: an effort lifts the high ones
  double breath = 0.05;  ///< noise of the breath
  double syllable_s = 0.2;
  double melody = 0.15;      ///< how far the pitch goes up and down, as a share
  double consonants = 0.75;  ///< share of the syllables that begin with one
  double fall = 0.85;        ///< pitch at the end of a phrase against its beginning
};

Manner draw_speaker(Rng& rng) {
  Manner manner;
  const bool high = rng.bernoulli(0.5);
  manner.pitch_hz = high ? log_uniform(rng, 165.0, 260.0) : log_uniform(rng, 85.0, 160.0);
  manner.tract = high ? rng.uniform(1.08, 1.25) : rng.uniform(0.92, 1.08);
  manner.tilt = rng.uniform(0.9, 1.5);
  manner.breath = rng.uniform(0.02, 0.12);
  manner.syllable_s = rng.uniform(0.14, 0.24);
  manner.melody = rng.uniform(0.08, 0.25);
  return manner;
}

/// A throat that speaks syllables one after the other into a buffer.
class Speaker {
 public:
  Speaker(const Manner& manner, double rate, Rng& rng)
      : manner_(manner),
        rate_(rate),
        rng_(rng),
        noise_(rng),
        voice_(Wavetable::draw(50, manner.tilt, manner.pitch_hz * 1.5, rate, rng)),
        throat_{filter(0, 500.0), filter(1, 1500.0), filter(2, 2500.0)},
        now_(draw_vowel()) {}

  /// Adds a phrase; returns where it ended. What goes beyond the end is cut.
  std::size_t say(std::span<float> out, std::size_t at, int n_syllables, double level) {
    for (int k = 0; k < n_syllables && at < out.size(); ++k) {
      const double share = static_cast<double>(k) / std::max(1, n_syllables - 1);
      const double declination = 1.0 + (manner_.fall - 1.0) * share;
      if (rng_.bernoulli(manner_.consonants)) at = consonant(out, at, level);
      const double pitch_hz =
          manner_.pitch_hz * declination * (1.0 + manner_.melody * rng_.uniform(-1.0, 1.0));
      at = vowel(out, at, manner_.syllable_s * rng_.uniform(0.5, 1.4), pitch_hz, pitch_hz, draw_vowel(),
                 level);
    }
    return at;
  }

  /// One vowel whose pitch glides. @returns where it ended.
  std::size_t vowel(std::span<float> out, std::size_t at, double length_s, double from_hz, double to_hz,
                    const Formants& goal_hz, double level) {
    const std::size_t n = std::min(static_cast<std::size_t>(length_s * rate_), out.size() - at);
    const Formants from = now_;
    const double n_rise = 0.025 * rate_, n_fall = std::min(0.06 * rate_, 0.5 * static_cast<double>(n));
    for (std::size_t i = 0; i < n; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(n);
      if (i % kThroatBlock == 0) shape(from, goal_hz, std::min(1.0, 2.5 * share));
      const double hz = (from_hz + (to_hz - from_hz) * share) * (1.0 + 0.015 * shake_());
      const double source = voice_(pulse_(hz / rate_)) + manner_.breath * 4.0 * noise_();
      double sum = 0.0;
      for (std::size_t f = 0; f < throat_.size(); ++f) sum += kFormantLevels[f] * throat_[f](source);
      const double loud =
          std::min({1.0, static_cast<double>(i) / n_rise, static_cast<double>(n - i) / n_fall});
      out[at + i] += static_cast<float>(level * loud * sum);
    }
    return at + n;
  }

  Formants draw_vowel() { return kVowels_hz[rng_.below(kVowels_hz.size())]; }

 private:
  Biquad filter(std::size_t formant, double hz) const {
    return Biquad::band_pass(hz * manner_.tract, kFormantQs[formant], rate_);
  }

  void shape(const Formants& from, const Formants& goal, double share) {
    for (std::size_t f = 0; f < throat_.size(); ++f) {
      now_[f] = from[f] + share * (goal[f] - from[f]);
      throat_[f].retune(filter(f, now_[f]));
    }
  }

  // Hissed (s, sh, f), popped (p, t, k) or left out: a short silence.
  std::size_t consonant(std::span<float> out, std::size_t at, double level) {
    const bool hissed = rng_.bernoulli(0.5);
    const double length_s = hissed ? rng_.uniform(0.04, 0.1) : rng_.uniform(0.008, 0.025);
    if (!hissed) at += static_cast<std::size_t>(rng_.uniform(0.02, 0.05) * rate_);
    Biquad mouth =
        Biquad::band_pass(hissed ? rng_.uniform(2500.0, 7000.0) : rng_.uniform(900.0, 4000.0), 1.0, rate_);
    const auto n = static_cast<std::size_t>(length_s * rate_);
    const double loud = level * rng_.uniform(0.1, 0.4);
    for (std::size_t i = 0; i < n && at + i < out.size(); ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(n);
      out[at + i] += static_cast<float>(loud * 4.0 * share * (1.0 - share) * mouth(noise_()));
    }
    return std::min(out.size(), at + n);
  }

  Manner manner_;
  double rate_;
  Rng& rng_;
  Noise noise_;
  Wavetable voice_;
  Wander shake_{-1.0, 1.0, 0.02, rate_, rng_};
  Phase pulse_;
  std::array<Biquad, 3> throat_;
  Formants now_;
};

/// Somebody who speaks and listens by turns from `begin` to the end.
void converse(std::span<float> out, std::size_t begin, const Manner& manner, double pause_s, int n_longest,
              double level, double rate, Rng& rng) {
  Speaker speaker(manner, rate, rng);
  for (std::size_t at = begin; at < out.size();) {
    at = speaker.say(out, at, 2 + static_cast<int>(rng.below(static_cast<std::uint64_t>(n_longest))), level);
    at += static_cast<std::size_t>(pause_s * rng.uniform(0.4, 1.6) * rate);
  }
}

/// Ha-ha: short vowels on breath, falling.
void laugh(std::span<float> out, double rate, Rng& rng) {
  Manner manner = draw_speaker(rng);
  manner.breath = 0.25;
  Speaker speaker(manner, rate, rng);
  const double gap_s = rng.uniform(0.05, 0.1), top_hz = manner.pitch_hz * rng.uniform(1.3, 2.2);
  for (std::size_t at = 0; at < out.size();) {
    const int n = 3 + static_cast<int>(rng.below(6));
    const Formants open = speaker.draw_vowel();
    for (int k = 0; k < n && at < out.size(); ++k) {
      const double hz = top_hz * std::pow(0.93, k);
      at = speaker.vowel(out, at, rng.uniform(0.06, 0.12), hz * 1.05, hz, open, 1.0 - 0.08 * k);
      at += static_cast<std::size_t>(gap_s * rate);
    }
    at += static_cast<std::size_t>(rng.uniform(0.2, 0.8) * rate);
  }
}

/// Long vowels on the steps of a scale (singing), or gliding down from high (crying).
void hold_vowels(std::span<float> out, bool cries, double rate, Rng& rng) {
  Manner manner = draw_speaker(rng);
  if (cries) {
    manner.pitch_hz = rng.uniform(350.0, 520.0);
    manner.tract = rng.uniform(1.25, 1.45);
    manner.tilt = 0.6;
  }
  Speaker speaker(manner, rate, rng);
  for (std::size_t at = 0; at < out.size();) {
    const double hz = manner.pitch_hz * (cries ? rng.uniform(1.0, 1.2) : std::exp2(rng.below(12) / 12.0));
    const double end_hz = cries ? hz * rng.uniform(0.65, 0.85) : hz;
    at = speaker.vowel(out, at, rng.uniform(0.3, 1.1), hz, end_hz, speaker.draw_vowel(), 1.0);
    at += static_cast<std::size_t>((cries ? rng.uniform(0.15, 0.5) : rng.uniform(0.0, 0.1)) * rate);
  }
}

void cough(std::span<float> out, double rate, Rng& rng) {
  Noise noise(rng);
  Biquad chest = Biquad::band_pass(rng.uniform(350.0, 700.0), 1.2, rate);
  Biquad mouth = Biquad::band_pass(rng.uniform(1200.0, 2200.0), 1.5, rate);
  for (std::size_t at = 0; at < out.size();) {
    const auto n = static_cast<std::size_t>(rng.uniform(0.12, 0.3) * rate);
    const double fall = std::exp(-1.0 / (0.06 * rate));
    double level = rng.uniform(0.6, 1.0);
    for (std::size_t i = at; i < std::min(out.size(), at + n); ++i, level *= fall) {
      const double x = noise();
      out[i] = static_cast<float>(level * (chest(x) + mouth(x)));
    }
    at += n + static_cast<std::size_t>(rng.uniform(0.05, 0.7) * rate);
  }
}

/// One sound of a dog: up quickly, down, with a rough throat; a whine is long, high and clean.
void bark(std::span<float> out, double top_hz, double length_s, double rough, const Wavetable& table,
          std::array<Biquad, 2>& muzzle, double rate, Rng& rng) {
  const std::size_t n = std::min(out.size(), static_cast<std::size_t>(length_s * rate));
  Noise noise(rng);
  Phase phase;
  const double begin_hz = top_hz * rng.uniform(0.6, 0.9), end_hz = top_hz * rng.uniform(0.4, 0.7);
  for (std::size_t i = 0; i < n; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(n);
    const double hz = share < 0.25 ? begin_hz + (top_hz - begin_hz) * share * 4.0
                                   : top_hz + (end_hz - top_hz) * (share - 0.25) / 0.75;
    const double x = table(phase(hz / rate)) * (1.0 - 0.4 * rough) + rough * noise();
    const double loud = share < 0.1 ? share * 10.0 : (1.0 - share) * 1.11;
    out[i] += static_cast<float>(loud * (muzzle[0](x) + 0.5 * muzzle[1](x) + 0.15 * x));
  }
}

}  // namespace

void make_talking(std::span<float> out, double rate, Rng& rng) {
  const int n_speakers = 1 + static_cast<int>(rng.below(3));
  for (int k = 0; k < n_speakers; ++k) {
    const auto begin = k == 0 ? 0.0 : rng.uniform(0.0, 0.3) * static_cast<double>(out.size());
    converse(out, static_cast<std::size_t>(begin), draw_speaker(rng), 0.3 + 0.9 * (n_speakers - 1), 9,
             rng.uniform(0.5, 1.0), rate, rng);
  }
}

// An effort: higher, longer, flatter spectrum, wider mouth, few words.
void make_shouting(std::span<float> out, double rate, Rng& rng) {
  const int n_speakers = 1 + static_cast<int>(rng.below(2));
  for (int k = 0; k < n_speakers; ++k) {
    Manner manner = draw_speaker(rng);
    manner.pitch_hz *= rng.uniform(1.5, 2.3);
    manner.tract *= 1.08;
    manner.tilt = rng.uniform(0.2, 0.6);
    manner.syllable_s *= rng.uniform(1.4, 2.4);
    manner.melody = rng.uniform(0.15, 0.4);
    manner.fall = rng.uniform(0.7, 1.1);
    converse(out, k == 0 ? 0 : static_cast<std::size_t>(rng.uniform(0.0, 0.5) * rate), manner,
             rng.uniform(0.3, 0.8), 3, 1.0, rate, rng);
  }
}

// A few voices that stand out of a murmur: noise through vowels, which rises and falls as syllables do.
void make_large_crowd(std::span<float> out, double rate, Rng& rng) {
  const int n_voices = 3 + static_cast<int>(rng.below(4));
  for (int k = 0; k < n_voices; ++k) {
    Manner manner = draw_speaker(rng);
    if (rng.bernoulli(0.3)) manner.tilt = 0.6;
    converse(out, static_cast<std::size_t>(rng.uniform(0.0, 1.0) * rate), manner, rng.uniform(0.2, 0.6), 12,
             rng.uniform(0.2, 0.7), rate, rng);
  }
  const double murmur = rng.uniform(1.5, 4.0) * std::max(1e-3, root_mean_square(out));
  const Formants& low = kVowels_hz[rng.below(kVowels_hz.size())];
  Biquad first = Biquad::band_pass(low[0] * 1.1, 1.0, rate), second = Biquad::band_pass(low[1], 0.9, rate);
  Wander syllables(0.2, 1.0, 0.08, rate, rng), waves(0.5, 1.0, 1.0, rate, rng),
      other(0.2, 1.0, 0.06, rate, rng);
  Noise noise(rng);
  for (float& x : out) {
    const double white = noise();
    const double babble = syllables() * first(white) + 0.7 * other() * second(white);
    x = static_cast<float>(static_cast<double>(x) + murmur * 3.0 * waves() * babble);
  }
}

// A loudspeaker: no lows, no highs, overdriven, and a hall or a street that answers.
void make_amplified_speech(std::span<float> out, double rate, Rng& rng) {
  Manner manner = draw_speaker(rng);
  manner.tilt = rng.uniform(0.7, 1.1);
  manner.syllable_s *= 1.2;
  manner.melody *= 0.7;
  converse(out, 0, manner, 0.5, 12, 1.0, rate, rng);
  Biquad::high_pass(rng.uniform(250.0, 500.0), 0.8, rate).apply(out);
  Biquad::low_pass(rng.uniform(2800.0, 5000.0), 0.8, rate).apply(out);
  const double drive = rng.uniform(1.0, 4.0) / std::max(1e-6, 3.0 * root_mean_square(out));
  for (float& x : out) {
    const double y = drive * static_cast<double>(x);
    x = static_cast<float>(y / std::sqrt(1.0 + y * y));
  }
  add_echo(out, rng.uniform(0.4, 1.5), 3000.0, rng.uniform(0.15, 0.4), rate, rng);
}

void make_other_voice(std::span<float> out, double rate, Rng& rng) {
  switch (rng.below(4)) {
    case 0:
      return laugh(out, rate, rng);
    case 1:
      return hold_vowels(out, false, rate, rng);
    case 2:
      return hold_vowels(out, true, rate, rng);
    default:
      return cough(out, rate, rng);
  }
}

void make_dog(std::span<float> out, double rate, Rng& rng) {
  const double size = rng.uniform();  // 0: large, 1: small
  const double top_hz = 320.0 * std::pow(3.5, size) * rng.uniform(0.9, 1.1);
  const Wavetable throat = Wavetable::draw(20, rng.uniform(0.3, 0.9), 1.3 * top_hz, rate, rng);
  const Wavetable clean = Wavetable::draw(4, 1.8, 2000.0, rate, rng);
  const double muzzle_hz = 550.0 * std::pow(2.2, size);
  std::array<Biquad, 2> muzzle{Biquad::band_pass(muzzle_hz, 2.0, rate),
                               Biquad::band_pass(2.3 * muzzle_hz, 3.0, rate)};
  const bool whines = rng.bernoulli(0.25);
  const double rough = rng.uniform(0.1, 0.6);
  for (std::size_t at = 0; at < out.size();) {
    const double length_s = whines ? rng.uniform(0.3, 0.9) : rng.uniform(0.09, 0.28);
    const double hz = whines ? rng.uniform(700.0, 1500.0) : top_hz * rng.uniform(0.9, 1.1);
    bark(out.subspan(at), hz, length_s, whines ? 0.03 : rough, whines ? clean : throat, muzzle, rate, rng);
    at += static_cast<std::size_t>(
        (length_s + (rng.bernoulli(0.2) ? rng.uniform(0.5, 1.2) : rng.uniform(0.08, 0.35))) * rate);
  }
}

}  // namespace earmark
