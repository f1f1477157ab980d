#include "app/simulated_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "audio/write_wav.h"
#include "core/csv.h"
#include "core/file.h"
#include "data/sound_sources.h"
#include "earmark/error.h"
#include "earmark/version.h"

namespace earmark {
namespace {

constexpr double kSecondsPerEvent = 5.0;

void refuse(const std::filesystem::path& path) {
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("{} already exists; --overwrite writes over it", path.string()));
}

void refuse_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  if (fs::exists(folder) && !(fs::is_directory(folder) && fs::is_empty(folder))) refuse(folder);
}

std::string readme(const SimulateRequest& request) {
  return fmt::format(
      "SYNTHETIC SOUNDS\n\n"
      "No recording is in this folder: every sound was made by rule by earmark {} (earmark data simulate,\n"
      "seed {}, {} clips of {:g} s at {} Hz). The classes are {}.\n"
      "Good for trying a tool and for testing it; figures measured on these sounds say nothing about real "
      "ones.\n\n"
      "audio/        the clips, mono, 16 bit\n"
      "manifest.csv  file, tags, split, fold: a data set for `--dataset folder`\n",
      version(), request.dataset.seed, request.dataset.n_clips, request.dataset.clip.duration_s,
      request.dataset.clip.sample_rate_hz, fmt::join(simulated_tags(), ", "));
}

/// The recordings that become events, when there are any. In SONYC-UST's layout every tag must be one of its.
EventLibrary events_of(const SoundscapeRequest& request) {
  if (request.events_root.empty()) {
    if (!request.events_map.empty())
      throw Error(ErrorCode::kInvalidOption,
                  "events_map: needs events_root, the recordings whose tags it maps");
    return {};
  }
  const bool sonyc = request.layout == SoundscapeLayout::kSonycUst;
  std::vector<std::string> fine;
  for (const SoundSource& source : sound_sources()) fine.emplace_back(source.tag);
  TagMap map;
  if (!request.events_map.empty())
    map = read_tag_map(request.events_map, sonyc ? fine : std::vector<std::string>());
  const SoundscapeOptions& options = request.options;
  EventLibrary library(
      load_dataset(request.events_dataset, request.events_root), map,
      {1.0 - options.validate_share - options.test_share, options.validate_share, options.test_share},
      options.seed);
  std::vector<std::string> problems;
  for (const std::string& tag : library.tags()) {
    if (sonyc && find_sound_source(tag) == nullptr)
      problems.push_back(fmt::format("tag '{}' of the recordings is no fine tag of SONYC-UST", tag));
  }
  if (!problems.empty()) {
    problems.emplace_back("events_map: a YAML map from the recordings' tags to fine tags is needed");
    throw Error(ErrorCode::kInvalidOption, "the recordings cannot become events of this layout:", problems);
  }
  return library;
}

}  // namespace

SimulatedData simulate_data(const SimulateRequest& request) {
  namespace fs = std::filesystem;
  if (request.out.empty() && request.scene.empty()) {
    throw Error(ErrorCode::kInvalidOption,
                "nothing to make: give --out for a data set, --scene for a longer recording, or both");
  }
  if (!request.overwrite) {
    if (!request.out.empty()) refuse_folder(request.out);
    if (!request.scene.empty() && fs::exists(request.scene)) refuse(request.scene);
  }
  SimulatedData made;
  if (!request.out.empty()) {
    write_simulated_dataset(request.out, request.dataset);
    write_text(request.out / "README.txt", readme(request));
  }
  if (!request.scene.empty()) {
    const int n_events = static_cast<int>(std::lround(request.scene_s / kSecondsPerEvent));
    const Scene scene = simulate_scene(request.scene_s, n_events, request.dataset.seed, request.dataset.clip);
    write_wav(request.scene, scene.waveform);
    std::string events = csv_line({"tag", "start_s", "end_s"});
    for (const SceneEvent& event : scene.events) {
      events +=
          csv_line({event.tag, fmt::format("{:.3f}", event.start_s), fmt::format("{:.3f}", event.end_s)});
    }
    made.scene_events = fs::path(request.scene).replace_extension(".csv");
    write_text(made.scene_events, events);
    made.n_events = scene.events.size();
  }
  return made;
}

WrittenSoundscapes simulate_soundscapes(const SoundscapeRequest& request) {
  const std::vector<std::string> problems = request.options.problems();
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "the scenes cannot be made this way:", problems);
  if (!request.overwrite) refuse_folder(request.out);
  EventLibrary library = events_of(request);
  const bool only_library = request.layout == SoundscapeLayout::kFolder && library.size() > 0;
  const Soundscapes scenes(request.options, std::move(library), only_library);
  return write_soundscapes(scenes, {request.out, request.layout, fmt::format("earmark {}", version()),
                                    request.n_threads, request.stop, request.on_progress});
}

}  // namespace earmark
