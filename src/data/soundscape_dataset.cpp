#include "data/soundscape_dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <mutex>
#include <set>

#include "audio/write_wav.h"
#include "core/csv.h"
#include "core/file.h"
#include "core/options_io.h"
#include "core/parallel.h"
#include "data/soundscape_annotators.h"
#include "data/taxonomies.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

/// What the lists say of one scene.
struct SceneTexts {
  std::string rows, events;
  std::size_t n_events = 0;
};

class Writer {
 public:
  Writer(const Soundscapes& scenes, const WriteSoundscapes& request)
      : scenes_(scenes),
        request_(request),
        taxonomy_(known_taxonomy("sonyc_ust")),
        texts_(static_cast<std::size_t>(scenes.options().n_scenes)) {}

  WrittenSoundscapes write() {
    check_tags();
    std::error_code error;
    fs::create_directories(request_.folder / "audio", error);
    if (error) {
      throw Error(ErrorCode::kIo,
                  fmt::format("{}: {}", (request_.folder / "audio").string(), error.message()));
    }
    // A folder with lists is complete, so those of an older run go first.
    for (const char* list : {"annotations.csv", "manifest.csv", "events.csv", "dcase-ust-taxonomy.yaml"})
      fs::remove(request_.folder / list, error);
    write_text(request_.folder / "README.txt", readme());
    WrittenSoundscapes written;
    std::mutex mutex;
    std::size_t n_done = 0;
    written.complete = parallel_for(
        texts_.size(), request_.n_threads,
        [&](std::size_t number, int) {
          write_scene(number);
          const std::lock_guard lock(mutex);
          ++n_done;
          if (request_.on_progress) request_.on_progress(n_done);
        },
        request_.stop);
    if (written.complete) write_lists(written);
    return written;
  }

 private:
  bool as_sonyc() const { return request_.layout == SoundscapeLayout::kSonycUst; }

  void check_tags() const {
    std::vector<std::string> problems;
    for (const std::string& tag : scenes_.tags()) {
      const auto index = taxonomy_.index(tag);
      if (as_sonyc() && (!index || taxonomy_.parents[*index] < 0)) {
        problems.push_back(
            fmt::format("tag '{}' is no fine tag of SONYC-UST; a map of tags may name one", tag));
      }
      if (!as_sonyc() && (tag.find_first_of(";:") != std::string::npos || tag[0] == '?' || tag[0] == '!'))
        problems.push_back(
            fmt::format("tag '{}' has a sign that means something else in manifest.csv (; : ? !)", tag));
    }
    if (!problems.empty())
      throw Error(ErrorCode::kInvalidOption, "the scenes do not fit the layout:", problems);
  }

  std::string file_of(const ScenePlan& plan) const {
    return fmt::format("{:02}_{:06}.wav", scenes_.sensors()[plan.sensor].id, plan.number);
  }

  void write_scene(std::size_t number) {
    const Soundscape scene = scenes_.render(scenes_.plan(number));
    const ScenePlan& plan = scene.plan;
    const std::string file = file_of(plan), listed = (as_sonyc() ? "" : "audio/") + file;
    write_wav(request_.folder / "audio" / file, scene.waveform);
    SceneTexts& texts = texts_[number];
    texts.n_events = plan.events.size();
    for (const SoundscapeEvent& event : plan.events) {
      texts.events +=
          csv_line({listed, fmt::format("{:.3f}", event.start_s), fmt::format("{:.3f}", event.end_s),
                    scenes_.tags()[event.tag], std::string(proximity_name(event.proximity)),
                    fmt::format("{:.2f}", event.snr_db)});
    }
    texts.rows = as_sonyc() ? annotation_rows(plan, file) : manifest_row(plan, listed);
  }

  std::string annotation_rows(const ScenePlan& plan, const std::string& file) const {
    const SceneSensor& sensor = scenes_.sensors()[plan.sensor];
    const SoundscapeOptions& options = scenes_.options();
    const SceneTruth truth = truth_of_events(plan.events, scenes_.tags(), taxonomy_);
    std::string text;
    for (SonycRow& row :
         annotate_scene(truth, taxonomy_, options.annotators, options.seed, plan.number, sensor.split != 0)) {
      row.split = kSplits[sensor.split];
      row.sensor_id = std::to_string(sensor.id);
      row.file = file;
      row.place_and_time = {std::to_string(plan.time.year),         std::to_string(plan.time.week),
                            std::to_string(plan.time.day),          std::to_string(plan.time.hour),
                            std::to_string(sensor.borough),         std::to_string(sensor.block),
                            fmt::format("{:.5f}", sensor.latitude), fmt::format("{:.5f}", sensor.longitude)};
      text += sonyc_annotations_line(row, taxonomy_);
    }
    return text;
  }

  std::string manifest_row(const ScenePlan& plan, const std::string& file) const {
    const SceneSensor& sensor = scenes_.sensors()[plan.sensor];
    std::set<std::string> tags;
    for (const SoundscapeEvent& event : plan.events) tags.insert(scenes_.tags()[event.tag]);
    return csv_line({file, fmt::format("{}", fmt::join(tags, ";")), kSplits[sensor.split],
                     fmt::format("{:02}", sensor.id), std::to_string(plan.time.year),
                     std::to_string(plan.time.week), std::to_string(plan.time.day),
                     std::to_string(plan.time.hour)});
  }

  void write_lists(WrittenSoundscapes& written) const {
    std::string events = csv_line({"file", "start_s", "end_s", "tag", "proximity", "snr_db"});
    std::string rows = as_sonyc()
                           ? sonyc_annotations_header(taxonomy_)
                           : csv_line({"file", "tags", "split", "group", "year", "week", "day", "hour"});
    for (std::size_t number = 0; number < texts_.size(); ++number) {
      events += texts_[number].events;
      rows += texts_[number].rows;
      written.n_events += texts_[number].n_events;
      ++written.n_clips[scenes_.sensors()[number % scenes_.sensors().size()].split];
    }
    write_text(request_.folder / "events.csv", events);
    if (as_sonyc())
      write_text(request_.folder / "dcase-ust-taxonomy.yaml",
                 "# The tags of SONYC-UST. The recordings beside this file are SYNTHETIC: see README.txt.\n" +
                     dcase_ust_taxonomy_text(taxonomy_));
    write_text(request_.folder / (as_sonyc() ? "annotations.csv" : "manifest.csv"), rows);
  }

  std::string readme() const {
    const SoundscapeOptions& options = scenes_.options();
    return fmt::format(
        "SYNTHETIC SCENES\n\n"
        "Nothing in this folder was recorded on a street, and nobody listened to it: scenes, sensors, "
        "places,\n"
        "times, annotators and their errors were drawn by {} (earmark data simulate --layout {}).\n"
        "Good for trying a tool and for testing it; figures measured here say nothing about real sounds.\n\n"
        "audio/SS_NNNNNN.wav  sensor, scene: mono, 16 bit, {} Hz, {:g} s\n"
        "events.csv           strong labels: file, start_s, end_s, tag, proximity, snr_db (power of the "
        "event\n"
        "                     over that of the background while it lasts, before the sensor)\n{}"
        "\nSounds: {}.\nOptions, as drawn from:\n\n{}",
        request_.made_by, as_sonyc() ? "sonyc_ust" : "folder", options.sample_rate_hz, options.duration_s,
        as_sonyc()
            ? "annotations.csv      rows of simulated annotators, who err; annotator 0 is the truth (splits\n"
              "                     validate and test only); columns as in release 2 of SONYC-UST\n"
              "dcase-ust-taxonomy.yaml  the tags\n"
            : "manifest.csv         file, tags (the truth), split, group (sensor), year, week, day, hour\n",
        library_note(), to_yaml(write_options(options)));
  }

  std::string library_note() const {
    const std::size_t n = scenes_.library().size();
    return n == 0 ? "made by rule, all of them"
                  : fmt::format("from {} recordings of an event library; what it does not have, by rule", n);
  }

  const Soundscapes& scenes_;
  const WriteSoundscapes& request_;
  Taxonomy taxonomy_;
  std::vector<SceneTexts> texts_;
};

}  // namespace

WrittenSoundscapes write_soundscapes(const Soundscapes& scenes, const WriteSoundscapes& request) {
  return Writer(scenes, request).write();
}

}  // namespace earmark
