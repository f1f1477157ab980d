#include "data/simulate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "audio/write_wav.h"
#include "core/csv.h"
#include "core/file.h"
#include "data/sound_generators.h"
#include "data/sound_tools.h"
#include "earmark/error.h"

namespace earmark {
namespace {

using Generator = std::vector<float> (*)(std::size_t n, double rate, Rng& rng);

constexpr std::array<std::string_view, 6> kTags{"engine", "hammering",      "horn",
                                                "rain",   "reverse_beeper", "siren"};
constexpr std::array<Generator, 6> kGenerators{make_engine, make_hammering,      make_horn,
                                               make_rain,   make_reverse_beeper, make_siren};
constexpr double kFade_s = 0.02;
constexpr float kLevel = 0.1f;  // root mean square of a sound
constexpr float kPeak = 0.9f;

template <class Options>
void check(const Options& options, const char* what) {
  const auto problems = options.problems();
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, what, problems);
}

// What all microphones hear: noise with a random slope.
std::vector<float> background(std::size_t n, Rng& rng) {
  std::vector<float> noise(n);
  const double pole = rng.uniform(0.0, 0.98);
  double state = 0.0;
  for (float& x : noise) {
    state = pole * state + rng.normal();
    x = static_cast<float>(state);
  }
  scale(noise, kLevel / std::max(1e-9, root_mean_square(noise)));
  return noise;
}

void add_at(std::vector<float>& mix, std::span<const float> sound, std::size_t at, double gain) {
  for (std::size_t i = 0; i < sound.size() && at + i < mix.size(); ++i)
    mix[at + i] += static_cast<float>(gain * sound[i]);
}

void limit_peak(std::span<float> samples, double peak) {
  float highest = 0.0f;
  for (const float x : samples) highest = std::max(highest, std::fabs(x));
  if (highest > 0.0f) scale(samples, peak / highest);
}

}  // namespace

std::span<const std::string_view> simulated_tags() noexcept { return kTags; }

std::vector<float> simulate_sound(std::string_view tag, double duration_s, int sample_rate_hz, Rng& rng) {
  const auto found = std::find(kTags.begin(), kTags.end(), tag);
  if (found == kTags.end()) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("tag: must be one of {}, got '{}'", fmt::join(kTags, ", "), tag));
  }
  if (!(duration_s >= 0.1 && duration_s <= 86400.0)) {
    throw Error(ErrorCode::kInvalidOption, fmt::format("duration_s: must be 0.1..86400, got {}", duration_s));
  }
  if (sample_rate_hz < 8000) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("sample_rate_hz: must be at least 8000, got {}", sample_rate_hz));
  }
  const auto n = static_cast<std::size_t>(std::llround(duration_s * sample_rate_hz));
  std::vector<float> sound =
      kGenerators[static_cast<std::size_t>(found - kTags.begin())](n, sample_rate_hz, rng);
  scale(sound, kLevel / std::max(1e-9, root_mean_square(sound)));
  const std::size_t n_fade = std::min(static_cast<std::size_t>(kFade_s * sample_rate_hz), sound.size() / 2);
  fade(sound, n_fade, n_fade);
  return sound;
}

std::vector<std::string> SimulateOptions::problems() const {
  std::vector<std::string> problems;
  if (sample_rate_hz < 8000 || sample_rate_hz > 192000) {
    problems.push_back(fmt::format("sample_rate_hz: must be 8000..192000, got {}", sample_rate_hz));
  }
  if (!(duration_s >= 0.5 && duration_s <= 3600.0)) {
    problems.push_back(fmt::format("duration_s: must be 0.5..3600, got {}", duration_s));
  }
  if (!(min_snr_db >= -60.0 && min_snr_db <= max_snr_db && max_snr_db <= 120.0)) {
    problems.push_back(fmt::format("min_snr_db, max_snr_db: must be rising within -60..120, got {} and {}",
                                   min_snr_db, max_snr_db));
  }
  return problems;
}

Waveform simulate_clip(const std::vector<std::string>& tags, std::uint64_t seed,
                       const SimulateOptions& options) {
  check(options, "a clip cannot be made this way");
  const auto n = static_cast<std::size_t>(std::llround(options.duration_s * options.sample_rate_hz));
  Rng rng(seed, "simulate clip");
  std::vector<float> mix = background(n, rng);
  scale(mix, decibels(-rng.uniform(options.min_snr_db, options.max_snr_db)));
  for (const std::string& tag : tags) {
    Rng own(seed, "simulate " + tag);  // a tag sounds the same whatever sounds with it
    const double length_s = options.duration_s * own.uniform(0.4, 1.0);
    const auto sound = simulate_sound(tag, length_s, options.sample_rate_hz, own);
    const double gain = decibels(own.uniform(-4.0, 4.0));
    add_at(mix, sound, static_cast<std::size_t>(own.below(n - std::min(n, sound.size()) + 1)), gain);
  }
  limit_peak(mix, rng.uniform(0.2, static_cast<double>(kPeak)));
  return Waveform{options.sample_rate_hz, 1, std::move(mix)};
}

Scene simulate_scene(double duration_s, int n_events, std::uint64_t seed, const SimulateOptions& options) {
  check(options, "a scene cannot be made this way");
  if (!(duration_s >= 8.0 && duration_s <= 86400.0) || n_events < 0 || n_events > 100000) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("duration_s: must be 8..86400 and n_events 0..100000, got {} and {}", duration_s,
                            n_events));
  }
  const int rate = options.sample_rate_hz;
  Rng rng(seed, "simulate scene");
  std::vector<float> mix = background(static_cast<std::size_t>(std::llround(duration_s * rate)), rng);
  scale(mix, decibels(-rng.uniform(options.min_snr_db, options.max_snr_db)));
  Scene scene;
  for (int e = 0; e < n_events; ++e) {
    Rng own(seed, "simulate event", 0, static_cast<std::uint64_t>(e));
    const std::string tag(kTags[own.below(kTags.size())]);
    const double length_s = own.uniform(2.0, 6.0), start_s = own.uniform(0.0, duration_s - length_s);
    const SceneEvent event{tag, start_s, start_s + length_s};
    // Two soundings of one tag at once would be one event to a listener: the later draw gives way.
    const bool taken = std::any_of(scene.events.begin(), scene.events.end(), [&](const SceneEvent& other) {
      return other.tag == tag && other.start_s < event.end_s + 1.0 && event.start_s < other.end_s + 1.0;
    });
    if (taken) continue;
    const auto sound = simulate_sound(tag, length_s, rate, own);
    add_at(mix, sound, static_cast<std::size_t>(start_s * rate), decibels(own.uniform(-4.0, 4.0)));
    scene.events.push_back(event);
  }
  std::sort(scene.events.begin(), scene.events.end(),
            [](const auto& a, const auto& b) { return a.start_s < b.start_s; });
  limit_peak(mix, kPeak);
  scene.waveform = Waveform{rate, 1, std::move(mix)};
  return scene;
}

std::vector<std::string> SimulatedDatasetOptions::problems() const {
  std::vector<std::string> problems = clip.problems();
  for (std::string& problem : problems) problem = "clip." + problem;
  if (n_clips < 1 || n_clips > 1000000)
    problems.push_back(fmt::format("n_clips: must be 1..1000000, got {}", n_clips));
  if (!(multi_label >= 0.0 && multi_label <= 1.0)) {
    problems.push_back(fmt::format("multi_label: must be 0..1, got {}", multi_label));
  }
  if (n_folds < 2 || n_folds > 100)
    problems.push_back(fmt::format("n_folds: must be 2..100, got {}", n_folds));
  return problems;
}

void write_simulated_dataset(const std::filesystem::path& folder, const SimulatedDatasetOptions& options) {
  check(options, "the data set cannot be made this way");
  std::error_code error;
  std::filesystem::create_directories(folder / "audio", error);
  if (error) throw Error(ErrorCode::kIo, fmt::format("{}: {}", (folder / "audio").string(), error.message()));
  std::string manifest = csv_line({"file", "tags", "split", "fold"});
  const int n_tags = static_cast<int>(kTags.size());
  for (int i = 0; i < options.n_clips; ++i) {
    Rng rng(options.seed, "simulate data set", 0, static_cast<std::uint64_t>(i));
    const auto lead = static_cast<std::uint64_t>(i % n_tags);
    std::vector<std::string> tags{std::string(kTags[lead])};
    if (rng.bernoulli(options.multi_label)) {
      tags.emplace_back(kTags[(lead + 1 + rng.below(kTags.size() - 1)) % kTags.size()]);
    }
    const std::uint64_t seed = (static_cast<std::uint64_t>(rng.bits()) << 32) | rng.bits();
    const std::string file = fmt::format("audio/{:05}.wav", i);
    write_wav(folder / file, simulate_clip(tags, seed, options.clip));
    const int fold = i / n_tags % options.n_folds + 1;
    const char* split = fold == options.n_folds                   ? "test"
                        : fold == options.n_folds - 1 && fold > 1 ? "validate"
                                                                  : "train";
    manifest += csv_line({file, fmt::format("{}", fmt::join(tags, ";")), split, std::to_string(fold)});
  }
  write_text(folder / "manifest.csv", manifest);
}

}  // namespace earmark
