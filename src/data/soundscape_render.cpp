#include <algorithm>
#include <cmath>

#include "data/sound_sources.h"
#include "data/sound_tools.h"
#include "data/soundscape.h"

namespace earmark {
namespace {

constexpr double kScenePeak = 0.98;
constexpr double kSceneFade_s = 0.03;
constexpr double kTail_s = 0.4;  // in which walls go on answering
constexpr double kFaintest = 1e-9;

double power(std::span<const float> samples) {
  const double level = root_mean_square(samples);
  return level * level;
}

/// Cars that pass without being events: a swell of tyre noise, fuller the nearer.
void add_traffic(std::span<float> out, double level, double rate, Rng& rng) {
  const double duration_s = static_cast<double>(out.size()) / rate;
  const double pause_s = rng.uniform(2.5, 20.0);
  Noise noise(rng);
  for (double at_s = -2.0 + rng.exponential(pause_s); at_s < duration_s + 2.0;
       at_s += rng.exponential(pause_s)) {
    const double half_s = rng.uniform(1.0, 2.5), loud = level * rng.uniform(0.3, 1.5);
    Biquad tyres = Biquad::band_pass(rng.uniform(500.0, 1100.0), 0.6, rate);
    OnePole rumble(rng.uniform(60.0, 150.0), rate);
    const auto begin = static_cast<std::size_t>(std::max(0.0, (at_s - half_s) * rate));
    const auto end =
        static_cast<std::size_t>(std::clamp((at_s + half_s) * rate, 0.0, static_cast<double>(out.size())));
    const double center = at_s * rate, width = half_s * rate;
    for (std::size_t i = begin; i < end; ++i) {
      const double away = (static_cast<double>(i) - center) / width, white = noise();
      const double swell = (1.0 - away * away) * (1.0 - away * away);
      out[i] += static_cast<float>(loud * swell * (1.5 * tyres(white) + 6.0 * rumble(white)));
    }
  }
}

}  // namespace

std::vector<float> street_background(std::size_t n, double rate, Rng& rng) {
  std::vector<float> street(n);
  const double level = decibels(rng.uniform(-48.0, -34.0));
  OnePole low(log_uniform(rng, 60.0, 400.0), rate), middle(log_uniform(rng, 800.0, 4000.0), rate);
  const double rumble = rng.uniform(3.0, 9.0), leaves = rng.uniform(0.02, 0.15);
  Wander slow(0.7, 1.4, 2.0, rate, rng);
  const bool hums = rng.bernoulli(0.6);
  const double hum_hz = rng.bernoulli(0.5) ? 60.0 : rng.uniform(80.0, 240.0);
  const double hum = hums ? rng.uniform(0.05, 0.6) : 0.0;
  const Wavetable machine = Wavetable::draw(12, rng.uniform(0.6, 1.6), hum_hz, rate, rng);
  Phase phase(rng.uniform());
  Noise noise(rng);
  for (float& x : street) {
    const double white = noise();
    x = static_cast<float>(slow() * (rumble * low(white) + middle(white) + leaves * white) +
                           hum * machine(phase(hum_hz / rate)));
  }
  add_traffic(street, 1.0, rate, rng);
  Biquad::high_pass(30.0, 0.7, rate).apply(street);
  scale(street, level / std::max(kFaintest, root_mean_square(street)));
  return street;
}

void propagate(std::span<float> sound, Proximity proximity, double rate, Rng& rng) {
  const bool near = proximity == Proximity::kNear;
  OnePole air(near ? rng.uniform(9000.0, 18000.0) : log_uniform(rng, 1500.0, 4500.0), rate);
  if (near) {
    for (float& x : sound) x = static_cast<float>(air(x));
  } else {
    OnePole corner(log_uniform(rng, 2500.0, 8000.0), rate);
    for (float& x : sound) x = static_cast<float>(corner(air(x)));
  }
  const double rt60_s = near ? rng.uniform(0.2, 0.8) : rng.uniform(0.6, 2.0);
  const double wet = near ? rng.uniform(0.01, 0.08) : rng.uniform(0.15, 0.4);
  add_echo(sound, rt60_s, rng.uniform(2000.0, 6000.0), wet, rate, rng);
}

void hear(const SceneSensor& sensor, std::span<float> samples, double rate, Rng& rng) {
  Biquad low = Biquad::low_shelf(sensor.low_hz, sensor.low_db, rate);
  Biquad peak = Biquad::peak(sensor.peak_hz, 1.0, sensor.peak_db, rate);
  Biquad high = Biquad::high_shelf(sensor.high_hz, sensor.high_db, rate);
  Noise noise(rng);
  const double gain = decibels(sensor.gain_db), hiss = decibels(sensor.noise_db);
  for (float& x : samples) x = static_cast<float>(gain * high(peak(low(x))) + hiss * noise());
}

std::vector<float> Soundscapes::background(std::size_t number) const {
  const double rate = options_.sample_rate_hz;
  Rng rng(options_.seed, "soundscape background", 0, number);
  return street_background(static_cast<std::size_t>(std::llround(options_.duration_s * rate)), rate, rng);
}

// The dry sound, cut or faded at its ends; an event of a recording ends with it.
std::vector<float> Soundscapes::event_sound(const ScenePlan& plan, std::size_t index,
                                            SoundscapeEvent& event) const {
  const double rate = options_.sample_rate_hz;
  Rng rng(options_.seed, "soundscape event", index + 1, plan.number);
  const double length_s = event.end_s - event.start_s;
  std::vector<float> sound;
  if (event.recording) {
    sound = read_event(library_.recording(*event.recording), length_s, options_.sample_rate_hz, rng);
    if (static_cast<double>(sound.size()) < (length_s - 0.001) * rate) {
      event.end_s = event.start_s + static_cast<double>(sound.size()) / rate;
      event.goes_on_after = false;
    }
  } else {
    const SoundSource* source = find_sound_source(tags_[event.tag]);
    sound = make_sound(*source, static_cast<std::size_t>(length_s * rate), rate, rng);
  }
  const auto n_fade = std::min(static_cast<std::size_t>(kSceneFade_s * rate), sound.size() / 4);
  fade(sound, event.goes_on_before ? 0 : n_fade, event.goes_on_after ? 0 : n_fade);
  const std::size_t n_dry = sound.size();
  if (n_dry == 0) return sound;
  sound.resize(n_dry + static_cast<std::size_t>(kTail_s * rate), 0.0f);
  propagate(sound, event.proximity, rate, rng);
  // What is left of the answer at the end of the tail must not click.
  fade(std::span(sound).subspan(n_dry), 0, sound.size() - n_dry);
  return sound;
}

Soundscape Soundscapes::render(const ScenePlan& plan) const {
  const double rate = options_.sample_rate_hz;
  Soundscape scene;
  scene.plan = plan;
  scene.plan.events.clear();
  const std::vector<float> street = background(plan.number);
  std::vector<float> mix = street;
  for (std::size_t e = 0; e < plan.events.size(); ++e) {
    SoundscapeEvent event = plan.events[e];
    const std::vector<float> sound = event_sound(plan, e, event);
    const auto begin = static_cast<std::size_t>(event.start_s * rate);
    const auto end =
        std::min(mix.size(), begin + static_cast<std::size_t>((event.end_s - event.start_s) * rate));
    const std::size_t n = std::min(end - begin, sound.size());
    const double own = power(std::span(sound).first(n));
    if (own < kFaintest * kFaintest) continue;  // a recording of nothing
    const double under = power(std::span(street).subspan(begin, n));
    const double gain = decibels(event.snr_db) * std::sqrt(under / own);
    for (std::size_t i = 0; i < sound.size() && begin + i < mix.size(); ++i)
      mix[begin + i] += static_cast<float>(gain * static_cast<double>(sound[i]));
    scene.plan.events.push_back(event);
  }
  Rng rng(options_.seed, "soundscape sensor noise", 0, plan.number);
  hear(sensors_[plan.sensor], mix, rate, rng);
  float peak = 0.0f;
  for (const float x : mix) peak = std::max(peak, std::fabs(x));
  if (static_cast<double>(peak) > kScenePeak) scale(mix, kScenePeak / static_cast<double>(peak));
  scene.waveform = Waveform{options_.sample_rate_hz, 1, std::move(mix)};
  return scene;
}

}  // namespace earmark
