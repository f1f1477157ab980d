#include "data/sound_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "data/sound_tools.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr double kSourceLevel = 0.1, kSourcePeak = 0.95;
constexpr double kMinRate_hz = 16000.0, kShortest_s = 0.05;

using enum Habit;
constexpr std::array kSources{
    SoundSource{"1-1_small-sounding-engine", kTraffic, 1.5, 3.0, 10.0, make_small_engine},
    SoundSource{"1-2_medium-sounding-engine", kTraffic, 3.0, 3.0, 10.0, make_medium_engine},
    SoundSource{"1-3_large-sounding-engine", kTraffic, 2.0, 4.0, 10.0, make_large_engine},
    SoundSource{"1-X_engine-of-uncertain-size", kTraffic, 1.5, 3.0, 10.0, make_uncertain_engine},
    SoundSource{"2-1_rock-drill", kConstruction, 0.7, 2.0, 10.0, make_rock_drill},
    SoundSource{"2-2_jackhammer", kConstruction, 1.0, 2.0, 10.0, make_jackhammer},
    SoundSource{"2-3_hoe-ram", kConstruction, 0.7, 3.0, 10.0, make_hoe_ram},
    SoundSource{"2-4_pile-driver", kConstruction, 0.6, 4.0, 10.0, make_pile_driver},
    SoundSource{"2-X_other-unknown-impact-machinery", kConstruction, 0.6, 2.0, 10.0,
                make_other_impact_machinery},
    SoundSource{"3-1_non-machinery-impact", kDaytime, 1.5, 0.4, 3.0, make_non_machinery_impact},
    SoundSource{"4-1_chainsaw", kConstruction, 0.6, 2.0, 10.0, make_chainsaw},
    SoundSource{"4-2_small-medium-rotating-saw", kConstruction, 0.8, 2.0, 8.0, make_rotating_saw},
    SoundSource{"4-3_large-rotating-saw", kConstruction, 0.7, 3.0, 10.0, make_large_rotating_saw},
    SoundSource{"4-X_other-unknown-powered-saw", kConstruction, 0.6, 2.0, 8.0, make_other_saw},
    SoundSource{"5-1_car-horn", kTraffic, 1.5, 0.4, 4.0, make_car_horn},
    SoundSource{"5-2_car-alarm", kAnyTime, 0.6, 4.0, 10.0, make_car_alarm},
    SoundSource{"5-3_siren", kAnyTime, 1.2, 4.0, 10.0, make_street_siren},
    SoundSource{"5-4_reverse-beeper", kDaytime, 1.0, 3.0, 10.0, make_backup_beeper},
    SoundSource{"5-X_other-unknown-alert-signal", kAnyTime, 0.6, 1.0, 6.0, make_other_alert},
    SoundSource{"6-1_stationary-music", kNightlife, 1.2, 5.0, 10.0, make_stationary_music},
    SoundSource{"6-2_mobile-music", kNightlife, 1.0, 4.0, 10.0, make_mobile_music},
    SoundSource{"6-3_ice-cream-truck", kIceCream, 0.8, 5.0, 10.0, make_ice_cream_truck},
    SoundSource{"6-X_music-from-uncertain-source", kNightlife, 0.7, 4.0, 10.0, make_uncertain_music},
    SoundSource{"7-1_person-or-small-group-talking", kDaytime, 2.5, 1.5, 8.0, make_talking},
    SoundSource{"7-2_person-or-small-group-shouting", kNightlife, 1.0, 0.6, 4.0, make_shouting},
    SoundSource{"7-3_large-crowd", kNightlife, 0.7, 5.0, 10.0, make_large_crowd},
    SoundSource{"7-4_amplified-speech", kDaytime, 0.6, 3.0, 10.0, make_amplified_speech},
    SoundSource{"7-X_other-unknown-human-voice", kAnyTime, 0.6, 1.0, 5.0, make_other_voice},
    SoundSource{"8-1_dog-barking-whining", kDaytime, 1.2, 0.5, 5.0, make_dog}};

}  // namespace

std::span<const SoundSource> sound_sources() noexcept { return kSources; }

const SoundSource* find_sound_source(std::string_view tag) noexcept {
  const auto found = std::find_if(kSources.begin(), kSources.end(),
                                  [&](const SoundSource& source) { return source.tag == tag; });
  return found == kSources.end() ? nullptr : &*found;
}

std::vector<float> make_sound(const SoundSource& source, std::size_t n, double rate, Rng& rng) {
  std::vector<std::string> problems;
  if (!(rate >= kMinRate_hz && rate <= 192000.0))
    problems.push_back(fmt::format("rate: must be {}..192000, got {}", kMinRate_hz, rate));
  if (static_cast<double>(n) < kShortest_s * rate || static_cast<double>(n) > 3600.0 * rate)
    problems.push_back(fmt::format("n: must be {} s..1 h, got {} samples", kShortest_s, n));
  if (!problems.empty()) {
    throw Error(ErrorCode::kInvalidOption, fmt::format("no {} can be made this way", source.tag), problems);
  }
  std::vector<float> sound(n, 0.0f);
  source.make(sound, rate, rng);
  // Microphones and loudspeakers know no direct current; a little of it would count as level.
  Biquad::high_pass(20.0, 0.7, rate).apply(sound);
  float peak = 0.0f;
  for (const float x : sound) peak = std::max(peak, std::fabs(x));
  const double level = root_mean_square(sound);
  if (level > 0.0) scale(sound, std::min(kSourceLevel / level, kSourcePeak / static_cast<double>(peak)));
  return sound;
}

}  // namespace earmark
