#include "app/simulated_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "audio/write_wav.h"
#include "core/csv.h"
#include "core/file.h"
#include "earmark/error.h"
#include "earmark/version.h"

namespace earmark {
namespace {

constexpr double kSecondsPerEvent = 5.0;

void refuse(const std::filesystem::path& path) {
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("{} already exists; --overwrite writes over it", path.string()));
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

}  // namespace

SimulatedData simulate_data(const SimulateRequest& request) {
  namespace fs = std::filesystem;
  if (request.out.empty() && request.scene.empty()) {
    throw Error(ErrorCode::kInvalidOption,
                "nothing to make: give --out for a data set, --scene for a longer recording, or both");
  }
  if (!request.overwrite) {
    if (!request.out.empty() && fs::exists(request.out) &&
        !(fs::is_directory(request.out) && fs::is_empty(request.out)))
      refuse(request.out);
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

}  // namespace earmark
