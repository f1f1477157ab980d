// sound_generators.h: the six sounds of simulate.h, unscaled: [n] samples at `rate` Hz, parameters drawn
// from `rng`.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "core/rng.h"

namespace earmark {

std::vector<float> make_siren(std::size_t n, double rate,
                              Rng& rng);  ///< harmonic tone that sweeps up and down
std::vector<float> make_engine(std::size_t n, double rate,
                               Rng& rng);  ///< low rumble, many harmonics, uneven firing
std::vector<float> make_horn(std::size_t n, double rate,
                             Rng& rng);  ///< two reedy tones a third apart, in blasts
std::vector<float> make_hammering(std::size_t n, double rate, Rng& rng);  ///< decaying, ringing impacts
std::vector<float> make_rain(std::size_t n, double rate, Rng& rng);       ///< hiss with droplets
std::vector<float> make_reverse_beeper(std::size_t n, double rate,
                                       Rng& rng);  ///< tone near 1 kHz, on and off

}  // namespace earmark
