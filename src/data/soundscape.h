// soundscape.h: street scenes made by rule: sounds (sound_sources.h, or recordings of an event library) at
// drawn times, levels and distances over a street's background, as one of many sensors hears them. Every
// scene comes with its strong labels. SYNTHETIC: nothing here was recorded on a street.
//
// A scene is a pure function of (options, scene number); n_scenes and threads do not matter to it.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/event_library.h"
#include "data/sonyc_annotations.h"
#include "data/soundscape_time.h"
#include "earmark/options.h"
#include "earmark/waveform.h"

namespace earmark {

/// How the people err who listen to simulated scenes. Each has rates of its own: uniform between none and
/// twice the average that stands here.
struct AnnotatorOptions {
  int n_annotators = 60;
  int annotators_per_clip = 3;
  double miss_rate = 0.15;
  double false_alarm_rate = 0.01;
  double to_x_rate = 0.1;
  double notsure_rate = 0.1;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_annotators", self.n_annotators, Range{1, 100000}, "sonyc_ust: how many people annotate");
    visit("annotators_per_clip", self.annotators_per_clip, Range{1, 100},
          "sonyc_ust: how many of them hear each clip");
    visit("miss_rate", self.miss_rate, Range{0.0, 0.5},
          "sonyc_ust: average share of the tags present that one misses");
    visit("false_alarm_rate", self.false_alarm_rate, Range{0.0, 0.5},
          "sonyc_ust: average share of the fine tags absent that one hears");
    visit("to_x_rate", self.to_x_rate, Range{0.0, 0.5},
          "sonyc_ust: average share of the tags heard that one takes for the category's X (other or "
          "uncertain)");
    visit("notsure_rate", self.notsure_rate, kProbability,
          "sonyc_ust: share of the proximities given as notsure");
  }
};

struct SoundscapeOptions {
  int n_scenes = 200;
  std::uint64_t seed = 1;
  double duration_s = 10.0;
  int sample_rate_hz = 44100;
  double events_per_scene = 2.5;
  double min_snr_db = -5.0;
  double max_snr_db = 25.0;
  double near_share = 0.4;
  double library_share = 1.0;
  int n_sensors = 24;
  double validate_share = 0.2;
  double test_share = 0.2;
  double sensor_colour_db = 8.0;
  double sensor_noise_db = -72.0;
  AnnotatorOptions annotators;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_scenes", self.n_scenes, Range{1, 1000000}, "how many scenes");
    visit("seed", self.seed, Range{0, 9e18}, "another seed, other scenes");
    visit("duration_s", self.duration_s, Range{1, 600}, "length of a scene, seconds");
    visit("sample_rate_hz", self.sample_rate_hz, Range{16000, 96000}, "sample rate");
    visit("events_per_scene", self.events_per_scene, Range{0, 30},
          "average number of events a scene (Poisson; time and sensor make it more or less)");
    visit("min_snr_db", self.min_snr_db, Range{-40, 60},
          "faintest event over the background, both over the event's own time");
    visit("max_snr_db", self.max_snr_db, Range{-40, 60},
          "loudest; near events have the upper half of the range, far ones the lower");
    visit("near_share", self.near_share, kProbability, "share of the events that are near");
    visit("library_share", self.library_share, kProbability,
          "of the events whose tag has recordings and a built-in source: share that is taken from the "
          "recordings");
    visit("n_sensors", self.n_sensors, Range{1, 100}, "how many sensors record, by turns");
    visit("validate_share", self.validate_share, Range{0, 1, false, true},
          "share of the sensors whose scenes validate");
    visit("test_share", self.test_share, Range{0, 1, false, true}, "share of the sensors whose scenes test");
    visit("sensor_colour_db", self.sensor_colour_db, Range{0, 24},
          "how far sensors colour and amplify what they hear, each in its way");
    visit("sensor_noise_db", self.sensor_noise_db, Range{-140, -20},
          "average noise of the sensors themselves, dB below full scale");
    visit("annotators", self.annotators, kAny, "sonyc_ust: how the people err who annotate");
  }
  /// What is out of range or does not fit together, as "field: rule, got value".
  std::vector<std::string> problems() const;
};

/// Splits in the order of their numbers.
inline constexpr std::array<const char*, 3> kSplits{"train", "validate", "test"};

/// A microphone on a wall: where, and how it hears. Thread-safety: a plain value.
struct SceneSensor {
  int id = 0;
  std::size_t split = 0;       ///< of kSplits
  int borough = 1, block = 1;  ///< as sonyc_annotations.h has them
  double latitude = 0.0, longitude = 0.0;
  double gain_db = 0.0, noise_db = 0.0;
  double low_hz = 200.0, low_db = 0.0;  ///< shelf
  double peak_hz = 2000.0, peak_db = 0.0;
  double high_hz = 6000.0, high_db = 0.0;  ///< shelf
  std::vector<double> rates;  ///< [n_tags] how many times the average each tag is to be heard here; about 1
};

/// One event. Thread-safety: a plain value.
struct SoundscapeEvent {
  std::size_t tag = 0;
  double start_s = 0.0, end_s = 0.0;                   ///< what of it is within the scene
  bool goes_on_before = false, goes_on_after = false;  ///< it was cut by the scene's beginning or end
  Proximity proximity = Proximity::kFar;
  double snr_db = 0.0;  ///< power of the event over that of the background, both from start to end
  std::optional<std::size_t> recording;  ///< of the library; none: a built-in source
};

/// What is to be heard, before anything is made of it. Thread-safety: a plain value.
struct ScenePlan {
  std::size_t number = 0;
  std::size_t sensor = 0;
  SceneTime time;
  std::vector<SoundscapeEvent> events;  ///< by start; events of one tag may overlap
};

struct Soundscape {
  ScenePlan plan;     ///< with events of recordings as long as they turned out, without those that are silent
  Waveform waveform;  ///< mono, peak at most 0.98
};

/// Thread-safety: immutable once built.
class Soundscapes {
 public:
  /// Scenes of the 29 built-in sources, of which those with recordings in the library give way to them by
  /// library_share; or, `only_library`, of the library's tags alone.
  /// @throws Error(kInvalidOption) listing all problems().
  explicit Soundscapes(const SoundscapeOptions& options, EventLibrary library = {},
                       bool only_library = false);

  const SoundscapeOptions& options() const noexcept { return options_; }
  const std::vector<std::string>& tags() const noexcept { return tags_; }
  const std::vector<SceneSensor>& sensors() const noexcept { return sensors_; }
  const EventLibrary& library() const noexcept { return library_; }

  ScenePlan plan(std::size_t number) const;
  /// @throws Error(kBadDataset) when a recording of the library does not decode.
  Soundscape render(const ScenePlan& plan) const;
  /// The street without events, as the sensor would hear it: [n_samples].
  std::vector<float> background(std::size_t number) const;

 private:
  SoundscapeEvent draw_event(std::size_t tag, std::size_t split, Rng& rng) const;
  std::vector<float> event_sound(const ScenePlan& plan, std::size_t index, SoundscapeEvent& event) const;
  bool sounds(std::size_t tag, std::size_t split) const;

  SoundscapeOptions options_;
  EventLibrary library_;
  std::vector<std::string> tags_;
  std::vector<double> weights_;  ///< [n_tags] adding up to 1
  std::vector<Habit> habits_;    ///< [n_tags]
  std::vector<SceneSensor> sensors_;
};

/// [n_sensors], each a pure function of (options, its number) but for the split.
std::vector<SceneSensor> make_scene_sensors(const SoundscapeOptions& options, std::size_t n_tags);
/// A street, root mean square about -48 .. -34 dB below full scale: noise, hum, traffic that passes.
std::vector<float> street_background(std::size_t n, double rate, Rng& rng);
/// What distance does to a sound: air takes the high frequencies, walls answer.
void propagate(std::span<float> sound, Proximity proximity, double rate, Rng& rng);
/// What the sensor does to everything: its colour, its gain, its noise.
void hear(const SceneSensor& sensor, std::span<float> samples, double rate, Rng& rng);

}  // namespace earmark
