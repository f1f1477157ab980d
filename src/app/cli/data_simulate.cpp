#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "app/cli/data_actions.h"
#include "app/simulated_data.h"
#include "core/options_io.h"
#include "earmark/error.h"

namespace earmark::cli {
namespace {

/// Two ways to simulate: single sounds (SimulateRequest) and, with --layout, street scenes.
struct DataSimulateGiven {
  SimulateRequest sounds;
  SoundscapeRequest scenes;
  std::string layout;
  std::optional<double> duration_s;
  std::vector<CLI::Option*> only_sounds, only_scenes;  ///< options that mean nothing to the other
};

int run_sounds(const DataSimulateGiven& given) {
  const SimulateRequest& request = given.sounds;
  const SimulatedData made = simulate_data(request);
  if (!request.out.empty()) {
    print(fmt::format("{}: {} clips of {:g} s of SYNTHETIC sounds; train on them with data.dataset=folder\n",
                      request.out.string(), request.dataset.n_clips, request.dataset.clip.duration_s));
  }
  if (!request.scene.empty()) {
    print(fmt::format("{}: a SYNTHETIC scene of {:g} s with {} events, listed in {}\n",
                      request.scene.string(), request.scene_s, made.n_events, made.scene_events.string()));
  }
  return kDone;
}

int run_scenes(const DataSimulateGiven& given, const Common& common) {
  SoundscapeRequest request = given.scenes;
  Progress progress(common);
  request.stop = &stop_flag();
  request.on_progress = [&](std::size_t done) {
    progress.show("making scenes", static_cast<long>(done), request.options.n_scenes, "scenes");
  };
  const WrittenSoundscapes made = simulate_soundscapes(request);
  progress.clear();
  if (!made.complete) return kStopped;
  print(fmt::format(
      "{}: {} SYNTHETIC scenes of {:g} s ({} train, {} validate, {} test) with {} events, listed in "
      "events.csv; read them with --dataset {}\n",
      request.out.string(), request.options.n_scenes, request.options.duration_s, made.n_clips[0],
      made.n_clips[1], made.n_clips[2], made.n_events, given.layout));
  return kDone;
}

void refuse_given(const std::vector<CLI::Option*>& options, const char* why) {
  std::vector<std::string> problems;
  for (const CLI::Option* option : options) {
    if (option->count() > 0) problems.push_back(fmt::format("{}: {}", option->get_name(), why));
  }
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "these options do not go together:", problems);
}

int run(DataSimulateGiven& given, const Common& common) {
  if (given.layout.empty()) {
    refuse_given(given.only_scenes, "is for scenes: give --layout too");
    if (given.duration_s) given.sounds.dataset.clip.duration_s = *given.duration_s;
    return run_sounds(given);
  }
  refuse_given(given.only_sounds, "is for single sounds: leave out --layout");
  if (given.sounds.out.empty())
    throw Error(ErrorCode::kInvalidOption, "--out: must name the folder that gets the scenes");
  for (const auto& [layout, name] : EnumNames<SoundscapeLayout>::kNames) {
    if (given.layout == name) given.scenes.layout = layout;
  }
  given.scenes.out = given.sounds.out;
  given.scenes.overwrite = given.sounds.overwrite;
  given.scenes.options.seed = given.sounds.dataset.seed;
  if (given.duration_s) given.scenes.options.duration_s = *given.duration_s;
  return run_scenes(given, common);
}

/// An option for each field, but for those that single sounds have too.
template <class T>
void add_fields(CLI::App* action, T& options, std::vector<CLI::Option*>& added) {
  T::fields(options, [&](std::string_view name, auto& field, const Range&, std::string_view doc) {
    if constexpr (detail::HasFields<std::decay_t<decltype(field)>>) {
      add_fields(action, field, added);
    } else if (name != "seed" && name != "duration_s") {
      std::string option = "--" + std::string(name);
      std::replace(option.begin(), option.end(), '_', '-');
      added.push_back(action->add_option(option, field, std::string(doc))->capture_default_str());
    }
  });
}

void add_scene_options(CLI::App* action, DataSimulateGiven& given) {
  std::vector<std::string> layouts;
  for (const auto& [layout, name] : EnumNames<SoundscapeLayout>::kNames) layouts.emplace_back(name);
  action
      ->add_option("--layout", given.layout,
                   "street scenes of many sounds with strong labels, laid out as this data set")
      ->check(CLI::IsMember(layouts));
  std::vector<CLI::Option*>& added = given.only_scenes;
  add_fields(action, given.scenes.options, added);
  CLI::Option* root = action
                          ->add_option("--events-root", given.scenes.events_root,
                                       "folder of a data set whose recordings become events")
                          ->check(CLI::ExistingDirectory);
  added.push_back(root);
  added.push_back(action->add_option("--events-dataset", given.scenes.events_dataset, "name of that data set")
                      ->capture_default_str()
                      ->needs(root));
  added.push_back(action
                      ->add_option("--events-map", given.scenes.events_map,
                                   "YAML file, `tag: tag` a line: what the tags of those recordings become")
                      ->check(CLI::ExistingFile)
                      ->needs(root));
  added.push_back(action->add_option("--threads", given.scenes.n_threads, "scenes side by side; 0: all cores")
                      ->check(integer_in(0, kMostThreads)));
  for (CLI::Option* option : added) option->group("Street scenes (with --layout)");
}

}  // namespace

void add_data_simulate(Program& program, CLI::App* verb) {
  auto given = std::make_shared<DataSimulateGiven>();
  CLI::App* action = add_action(
      program, verb, "simulate",
      "makes a labelled data set of SYNTHETIC sounds: clips of one or two (siren, engine, horn, hammering, "
      "rain, reverse beeper) or, with --layout, street scenes of all fine tags of SONYC-UST or of your own "
      "recordings",
      "  earmark data simulate --out sounds --n-clips 150 --seed 1\n"
      "  earmark data simulate --out sounds --n-clips 150 --scene scene.wav --scene-s 60\n"
      "  earmark data simulate --out street --layout sonyc_ust --n-scenes 2000 --seed 1\n"
      "  earmark data simulate --out mine --layout folder --events-root my_sounds\n"
      "  earmark data simulate --out street --layout sonyc_ust --events-dataset esc50 --events-root ESC-50 "
      "--events-map map.yaml\n",
      [&program, given] { return run(*given, program.common); });
  SimulateRequest& sounds = given->sounds;
  action->add_option("--out", sounds.out, "folder that gets audio/, the lists and README.txt");
  given->only_sounds = {
      action->add_option("--n-clips", sounds.dataset.n_clips, "how many clips")->capture_default_str(),
      action->add_option("--scene", sounds.scene,
                         "WAV file for one longer recording in which the sounds come and go"),
      action->add_option("--scene-s", sounds.scene_s, "length of that recording, seconds")
          ->capture_default_str()};
  action->add_option("--seed", sounds.dataset.seed, "another seed, other sounds")
      ->check(CLI::Validator([](std::string& text) { return seed_problem(text); }, "INT"))
      ->capture_default_str();
  action->add_option("--duration-s", given->duration_s,
                     fmt::format("length of a clip, seconds: {:g}, of a scene {:g}",
                                 sounds.dataset.clip.duration_s, given->scenes.options.duration_s));
  action->add_flag("--overwrite", sounds.overwrite, "write over what is there");
  add_scene_options(action, *given);
}

}  // namespace earmark::cli
