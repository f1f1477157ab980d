// sound_sources.h: a sound made by rule for every fine tag of SONYC-UST. SYNTHETIC: each is what physics and
// habit make of the source in the plainest terms (a crank that fires, a chisel that strikes, a throat that
// resonates), with every number drawn anew for each event. Good for trying things out; a figure measured on
// them says nothing about real sounds.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "core/rng.h"

namespace earmark {

/// When a source is to be heard: each has an average of 1 over all weeks, days and hours (soundscape_time.h).
enum class Habit {
  kAnyTime,
  kTraffic,       ///< rush hours of weekdays
  kDaytime,       ///< 7 to 21 h
  kConstruction,  ///< working hours of weekdays, some on Saturdays
  kIceCream,      ///< summer afternoons
  kNightlife      ///< evenings and nights of the weekend
};

/// Fills [n] samples at `rate` Hz, of any level.
using MakeSound = void (*)(std::span<float> out, double rate, Rng& rng);

struct SoundSource {
  std::string_view tag;  ///< fine tag of the taxonomy "sonyc_ust"
  Habit habit;
  double weight;        ///< how common it is
  double min_s, max_s;  ///< how long it usually sounds
  MakeSound make;
};

/// One for each fine tag, in the order of the taxonomy.
std::span<const SoundSource> sound_sources() noexcept;
/// nullptr for a tag that has none.
const SoundSource* find_sound_source(std::string_view tag) noexcept;

/// [n] samples, without background: root mean square 0.1, or less where the peak would pass 0.95.
/// @throws Error(kInvalidOption) for a rate below 16000 Hz or fewer samples than 0.05 s.
std::vector<float> make_sound(const SoundSource& source, std::size_t n, double rate, Rng& rng);

// sound_sources_engines.cpp: a crank that fires.
void make_small_engine(std::span<float> out, double rate, Rng& rng);
void make_medium_engine(std::span<float> out, double rate, Rng& rng);
void make_large_engine(std::span<float> out, double rate, Rng& rng);
void make_uncertain_engine(std::span<float> out, double rate, Rng& rng);

// sound_sources_impacts.cpp: something that rings, struck.
void make_rock_drill(std::span<float> out, double rate, Rng& rng);
void make_jackhammer(std::span<float> out, double rate, Rng& rng);
void make_hoe_ram(std::span<float> out, double rate, Rng& rng);
void make_pile_driver(std::span<float> out, double rate, Rng& rng);
void make_other_impact_machinery(std::span<float> out, double rate, Rng& rng);
void make_non_machinery_impact(std::span<float> out, double rate, Rng& rng);

// sound_sources_saws.cpp: teeth that go round, and what they cut.
void make_chainsaw(std::span<float> out, double rate, Rng& rng);
void make_rotating_saw(std::span<float> out, double rate, Rng& rng);
void make_large_rotating_saw(std::span<float> out, double rate, Rng& rng);
void make_other_saw(std::span<float> out, double rate, Rng& rng);

// sound_sources_alerts.cpp: made to be heard.
void make_car_horn(std::span<float> out, double rate, Rng& rng);
void make_car_alarm(std::span<float> out, double rate, Rng& rng);
void make_street_siren(std::span<float> out, double rate, Rng& rng);
void make_backup_beeper(std::span<float> out, double rate, Rng& rng);
void make_other_alert(std::span<float> out, double rate, Rng& rng);

// sound_sources_music.cpp: chords, beats and tunes made up on the spot.
void make_stationary_music(std::span<float> out, double rate, Rng& rng);
void make_mobile_music(std::span<float> out, double rate, Rng& rng);
void make_ice_cream_truck(std::span<float> out, double rate, Rng& rng);
void make_uncertain_music(std::span<float> out, double rate, Rng& rng);

// sound_sources_voices.cpp: a throat with formants, in syllables without words.
void make_talking(std::span<float> out, double rate, Rng& rng);
void make_shouting(std::span<float> out, double rate, Rng& rng);
void make_large_crowd(std::span<float> out, double rate, Rng& rng);
void make_amplified_speech(std::span<float> out, double rate, Rng& rng);
void make_other_voice(std::span<float> out, double rate, Rng& rng);
void make_dog(std::span<float> out, double rate, Rng& rng);

}  // namespace earmark
