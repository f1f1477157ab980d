// simulate.h: sounds made by rule, so that training and tagging can be tried and tested without any
// recording: siren, engine, horn, hammering, rain, reverse_beeper. No two clips are alike, and each is a
// pure function of its seed.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "data/dataset.h"
#include "earmark/options.h"
#include "earmark/waveform.h"

namespace earmark {

/// The six names, in alphabetical order.
std::span<const std::string_view> simulated_tags() noexcept;

/// One sound without background, from beginning to end, root mean square about 0.1, faded at both ends.
/// @throws Error(kInvalidOption) for an unknown tag, a duration below 0.1 s or a rate below 8000 Hz.
std::vector<float> simulate_sound(std::string_view tag, double duration_s, int sample_rate_hz, Rng& rng);

struct SimulateOptions {
  int sample_rate_hz = 32000;
  double duration_s = 5.0;
  double min_snr_db = 0.0;  ///< of the tags' sounds against the background noise
  double max_snr_db = 30.0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("sample_rate_hz", self.sample_rate_hz, Range{8000, 192000}, "sample rate");
    visit("duration_s", self.duration_s, Range{0.5, 3600}, "length of a clip");
    visit("min_snr_db", self.min_snr_db, Range{-60, 120}, "quietest the sounds may be over the background");
    visit("max_snr_db", self.max_snr_db, Range{-60, 120}, "loudest");
  }
  std::vector<std::string> problems() const;
};

/// Every tag of `tags` sounds for 0.4 .. 1 of the clip from a random beginning, over coloured noise; no tags:
/// noise alone. Mono, peak at most 0.9.
/// @throws Error(kInvalidOption).
Waveform simulate_clip(const std::vector<std::string>& tags, std::uint64_t seed,
                       const SimulateOptions& options = {});

/// One sounding of one tag in a scene.
struct SceneEvent {
  std::string tag;
  double start_s = 0.0, end_s = 0.0;
};
struct Scene {
  Waveform waveform;
  std::vector<SceneEvent> events;  ///< by start; events of one tag do not overlap
};

/// A longer recording in which events of 2 to 6 s come and go: what a timeline is tested on.
Scene simulate_scene(double duration_s, int n_events, std::uint64_t seed,
                     const SimulateOptions& options = {});

struct SimulatedDatasetOptions {
  int n_clips = 120;
  std::uint64_t seed = 1;
  double multi_label = 0.3;  ///< share of clips with two tags
  int n_folds = 5;
  SimulateOptions clip;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_clips", self.n_clips, Range{1, 1000000}, "how many clips");
    visit("seed", self.seed, kAny, "another seed, other clips");
    visit("multi_label", self.multi_label, kProbability, "share of the clips that have two tags");
    visit("n_folds", self.n_folds, Range{2, 100},
          "folds; the last is the test split, the one before validates");
    visit("clip", self.clip, kAny, "how each clip sounds");
  }
  std::vector<std::string> problems() const;
};

/// Writes audio/NNNNN.wav and manifest.csv (file, tags, split, fold), a data set for load_folder. Every tag
/// leads the same number of clips, give or take one, in each fold.
/// @throws Error(kInvalidOption), Error(kIo).
void write_simulated_dataset(const std::filesystem::path& folder,
                             const SimulatedDatasetOptions& options = {});

}  // namespace earmark
