#include "data/soundscape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/options_io.h"
#include "data/sound_sources.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr double kShortestEvent_s = 0.25;
constexpr double kOutside = 0.3;  // share of an event that may lie before or after the scene
constexpr int kFirstYear = 2016, kLastYear = 2018;  // the test comes later

std::size_t share_of(double share, int n) {
  return share <= 0.0 ? 0 : static_cast<std::size_t>(std::max(1L, std::lround(share * n)));
}

/// How many events: Knuth's product of uniforms, as a sum of waiting times.
int draw_poisson(double mean, Rng& rng) {
  int n = 0;
  for (double t = rng.exponential(1.0); t < mean; t += rng.exponential(1.0)) ++n;
  return n;
}

std::size_t draw_index(const std::vector<double>& rates, double total, Rng& rng) {
  double left = rng.uniform(0.0, total);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    left -= rates[i];
    if (left < 0.0) return i;
  }
  // Rounding only: the last that sounds at all.
  std::size_t last = rates.size() - 1;
  while (last > 0 && rates[last] <= 0.0) --last;
  return last;
}

}  // namespace

std::vector<std::string> SoundscapeOptions::problems() const {
  std::vector<std::string> problems = range_problems(*this);
  if (min_snr_db > max_snr_db) {
    problems.push_back(
        fmt::format("min_snr_db: must be at most max_snr_db, got {} and {}", min_snr_db, max_snr_db));
  }
  const std::size_t held_out = share_of(validate_share, n_sensors) + share_of(test_share, n_sensors);
  if (n_sensors >= 1 && held_out >= static_cast<std::size_t>(n_sensors)) {
    problems.push_back(
        fmt::format("n_sensors: must leave one for train, got {} with {} for validate and test (each has one "
                    "at least, unless its share is 0)",
                    n_sensors, held_out));
  }
  if (annotators.annotators_per_clip > annotators.n_annotators) {
    problems.push_back(
        fmt::format("annotators.annotators_per_clip: must be at most n_annotators, got {} and {}",
                    annotators.annotators_per_clip, annotators.n_annotators));
  }
  return problems;
}

std::vector<SceneSensor> make_scene_sensors(const SoundscapeOptions& options, std::size_t n_tags) {
  struct Borough {
    int number;
    double latitude, longitude;
  };
  constexpr std::array<Borough, 3> kBoroughs{Borough{1, 40.73, -73.99}, Borough{3, 40.69, -73.98},
                                             Borough{4, 40.74, -73.91}};
  std::vector<SceneSensor> sensors;
  for (int id = 0; id < options.n_sensors; ++id) {
    Rng rng(options.seed, "soundscape sensor", 0, static_cast<std::uint64_t>(id));
    SceneSensor sensor;
    sensor.id = id;
    const Borough& borough = kBoroughs[rng.below(kBoroughs.size())];
    sensor.borough = borough.number;
    sensor.block = 1 + static_cast<int>(rng.below(2999));
    sensor.latitude = borough.latitude + rng.uniform(-0.03, 0.03);
    sensor.longitude = borough.longitude + rng.uniform(-0.03, 0.03);
    const double c = options.sensor_colour_db;
    sensor.gain_db = rng.uniform(-0.5, 0.5) * c;
    sensor.noise_db = options.sensor_noise_db + rng.uniform(-6.0, 6.0);
    sensor.low_hz = rng.uniform(100.0, 350.0);
    sensor.low_db = rng.uniform(-c, 0.3 * c);
    sensor.peak_hz = 600.0 * std::pow(8.0, rng.uniform());
    sensor.peak_db = rng.uniform(-c, c);
    sensor.high_hz = rng.uniform(3500.0, 8000.0);
    sensor.high_db = rng.uniform(-1.2 * c, 0.6 * c);
    // Log-normal with an average of 1: some streets have a dog, some a building site.
    constexpr double kSpread = 0.7;
    for (std::size_t tag = 0; tag < n_tags; ++tag)
      sensor.rates.push_back(std::exp(kSpread * rng.normal() - kSpread * kSpread / 2.0));
    sensors.push_back(std::move(sensor));
  }
  Rng rng(options.seed, "soundscape splits");
  const auto order = permutation(sensors.size(), rng);
  const std::size_t n_test = share_of(options.test_share, options.n_sensors);
  const std::size_t n_validate = share_of(options.validate_share, options.n_sensors);
  for (std::size_t i = 0; i < order.size(); ++i)
    sensors[order[i]].split = i < n_test ? 2 : i < n_test + n_validate ? 1 : 0;
  return sensors;
}

Soundscapes::Soundscapes(const SoundscapeOptions& options, EventLibrary library, bool only_library)
    : options_(options), library_(std::move(library)) {
  std::vector<std::string> problems = options_.problems();
  if (only_library && library_.size() == 0)
    problems.emplace_back("event library: must have recordings when nothing else is to sound, got none");
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "the scenes cannot be made this way:", problems);
  const auto add = [this](const std::string& tag, double weight, Habit habit) {
    tags_.push_back(tag);
    weights_.push_back(weight);
    habits_.push_back(habit);
  };
  if (only_library) {
    for (const std::string& tag : library_.tags()) {
      const SoundSource* source = find_sound_source(tag);
      add(tag, source != nullptr ? source->weight : 1.0, source != nullptr ? source->habit : Habit::kAnyTime);
    }
  } else {
    for (const SoundSource& source : sound_sources())
      add(std::string(source.tag), source.weight, source.habit);
  }
  const double total = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  for (double& weight : weights_) weight /= total;
  sensors_ = make_scene_sensors(options_, tags_.size());
}

// A tag that has but few recordings may have none for this split.
bool Soundscapes::sounds(std::size_t tag, std::size_t split) const {
  return find_sound_source(tags_[tag]) != nullptr || library_.has(tags_[tag], split);
}

ScenePlan Soundscapes::plan(std::size_t number) const {
  Rng rng(options_.seed, "soundscape scene", 0, number);
  ScenePlan plan;
  plan.number = number;
  plan.sensor = number % sensors_.size();
  const SceneSensor& sensor = sensors_[plan.sensor];
  const bool later = sensor.split == 2;
  plan.time = draw_scene_time(later ? kLastYear + 1 : kFirstYear, later ? kLastYear + 1 : kLastYear, rng);
  std::vector<double> rates;
  for (std::size_t tag = 0; tag < tags_.size(); ++tag) {
    const double rate = weights_[tag] * sensor.rates[tag] * habit_factor(habits_[tag], plan.time);
    rates.push_back(sounds(tag, sensor.split) ? rate : 0.0);
  }
  const double total = std::accumulate(rates.begin(), rates.end(), 0.0);
  const int n_events = draw_poisson(options_.events_per_scene * total, rng);
  for (int e = 0; e < n_events; ++e)
    plan.events.push_back(draw_event(draw_index(rates, total, rng), sensor.split, rng));
  std::stable_sort(plan.events.begin(), plan.events.end(),
                   [](const auto& a, const auto& b) { return a.start_s < b.start_s; });
  return plan;
}

SoundscapeEvent Soundscapes::draw_event(std::size_t tag, std::size_t split, Rng& rng) const {
  SoundscapeEvent event;
  event.tag = tag;
  const SoundSource* source = find_sound_source(tags_[tag]);
  const bool from_library = rng.bernoulli(options_.library_share) || source == nullptr;
  if (from_library && library_.has(tags_[tag], split))
    event.recording = library_.draw(tags_[tag], split, rng);
  const double length_s =
      source != nullptr ? rng.uniform(source->min_s, source->max_s) : rng.uniform(2.0, 10.0);
  double start_s = rng.uniform(-kOutside * length_s, options_.duration_s - (1.0 - kOutside) * length_s);
  if (options_.duration_s <= (1.0 - 2.0 * kOutside) * length_s) start_s = -kOutside * length_s;
  event.goes_on_before = start_s < 0.0;
  event.goes_on_after = start_s + length_s > options_.duration_s;
  event.start_s = std::clamp(start_s, 0.0, options_.duration_s - kShortestEvent_s);
  event.end_s = std::clamp(start_s + length_s, event.start_s + kShortestEvent_s, options_.duration_s);
  const bool near = rng.bernoulli(options_.near_share);
  event.proximity = near ? Proximity::kNear : Proximity::kFar;
  const double middle_db = (options_.min_snr_db + options_.max_snr_db) / 2.0;
  event.snr_db =
      near ? rng.uniform(middle_db, options_.max_snr_db) : rng.uniform(options_.min_snr_db, middle_db);
  return event;
}

}  // namespace earmark
