#include "recipe/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "core/file.h"
#include "earmark/error.h"

namespace earmark {
namespace {

bool works_on_waveforms(const AugmentOptions& options) {
  return std::holds_alternative<RandomSegmentOptions>(options) ||
         std::holds_alternative<SuperposeMixupOptions>(options) ||
         std::holds_alternative<TimeShiftOptions>(options) ||
         std::holds_alternative<VolumeOptions>(options) ||
         std::holds_alternative<PitchShiftOptions>(options) ||
         std::holds_alternative<PinkNoiseOptions>(options);
}

std::string kind_of(const AugmentOptions& options) {
  return std::visit([](const auto& chosen) { return std::string(std::decay_t<decltype(chosen)>::kKind); },
                    options);
}

// What the network asks of the features and the metadata.
void model_problems(const Recipe& recipe, std::vector<std::string>& found) {
  const int n_mels = n_mels_of(recipe.features), named = sizes_of(recipe.model).n_mels;
  const std::string kind = kind_of(recipe.model);
  if (const auto unfit = feature_problems(recipe.model, recipe.features); !unfit.empty()) {
    found.insert(found.end(), unfit.begin(), unfit.end());
    return;
  }
  if (named != sizes_of(default_model_options(kind)).n_mels && named != n_mels)
    found.push_back(fmt::format("model.n_mels: must equal features.n_mels ({}), got {}", n_mels, named));
  ModelOptions sized = recipe.model;
  fit_to_features(sized, n_mels, sizes_of(recipe.model).n_channels);
  for (const std::string& problem : std::visit([](const auto& o) { return o.problems(); }, sized))
    found.push_back((problem.starts_with("n_mels") ? "features." : "model.") + problem);
  if (const auto* vggish = std::get_if<VggishOptions>(&recipe.model); vggish && vggish->embedding == 0)
    found.emplace_back(
        "model.embedding: to be trained, VGGish needs a layer for tags behind its embedding; give the "
        "embedding's width (128), got 0");
  const bool takes = n_metadata_of(recipe.model) > 0;
  if (takes && recipe.metadata.empty())
    found.push_back(
        fmt::format("metadata: {} takes columns of metadata, got none; name them, or set "
                    "model.metadata=false",
                    kind));
  if (!takes && !recipe.metadata.empty())
    found.push_back(fmt::format("metadata: {} takes none, got {} columns", kind, recipe.metadata.size()));
}

// A softmax asks for its own loss, and the other way round.
void loss_problems(const Recipe& recipe, std::vector<std::string>& found) {
  const bool one_tag = gives_one_tag(recipe.model);
  const bool for_one_tag = std::holds_alternative<CrossEntropyOptions>(recipe.loss);
  if (one_tag == for_one_tag) return;
  const std::string kind = kind_of(recipe.model);
  found.push_back(
      one_tag ? fmt::format("loss: {} gives one tag a clip (softmax) and needs cross_entropy", kind)
              : fmt::format("loss: cross_entropy needs a network that gives one tag a clip, got {}", kind));
}

void batch_problems(const Recipe& recipe, std::vector<std::string>& found) {
  if (needs_several_clips(recipe) && recipe.train.batch_size < 2) {
    found.push_back(fmt::format("train.batch_size: {} has BatchNorm over clips and needs at least 2, got {}",
                                kind_of(recipe.model), recipe.train.batch_size));
  }
}

// Networks that mask what they see behind their input normalisation.
bool masks_inside(std::string_view kind) { return kind == "talnet" || kind.starts_with("urbannet"); }

// Mixtures of whole batches, their loudness, and all that is done before features are made.
bool fits_waveforms(const AugmentOptions& options) {
  return works_on_waveforms(options) || std::holds_alternative<MixupOptions>(options) ||
         std::holds_alternative<RandomScaleOptions>(options);
}

void find_waveform_problems(const std::vector<AugmentOptions>& augment, bool waveforms,
                            std::vector<std::string>& found) {
  for (std::size_t i = 0; i < augment.size(); ++i) {
    const auto* scale = std::get_if<RandomScaleOptions>(&augment[i]);
    if (waveforms && !fits_waveforms(augment[i]))
      found.push_back(fmt::format("augment[{}]: {} works on log-mel bands, got features.kind waveform", i,
                                  kind_of(augment[i])));
    if (!waveforms && scale != nullptr)
      found.push_back(fmt::format(
          "augment[{}]: random_scale is for features.kind waveform, got log_mel; volume changes recordings",
          i));
    if (scale != nullptr && scale->min > scale->max)
      found.push_back(
          fmt::format("augment[{}].min: must not pass max ({}), got {}", i, scale->max, scale->min));
  }
}

void find_augment_problems(const std::vector<AugmentOptions>& augment, const std::string& network, bool mono,
                           std::vector<std::string>& found) {
  bool on_features = false;
  for (std::size_t i = 0; i < augment.size(); ++i) {
    if (mono && std::holds_alternative<ChannelSwapOptions>(augment[i]))
      found.push_back(
          fmt::format("augment[{}]: channel_swap exchanges left and right, and features.channels is mono; "
                      "keep hears both",
                      i));
    if (works_on_waveforms(augment[i]) && on_features) {
      found.push_back(
          fmt::format("augment[{}]: {} works on waveforms and must stand before those that work on features",
                      i, kind_of(augment[i])));
    }
    on_features = on_features || !works_on_waveforms(augment[i]);
    if (const auto* pitch = std::get_if<PitchShiftOptions>(&augment[i]); pitch && pitch->semitones.empty())
      found.push_back(fmt::format("augment[{}].semitones: must name at least one shift, got []", i));
    if (std::holds_alternative<NetworkStripesOptions>(augment[i]) && !masks_inside(network))
      found.push_back(fmt::format(
          "augment[{}]: network_stripes are masked inside TALNet and UrbanNet, got {}; time_mask and "
          "frequency_mask mask features",
          i, network));
    if (const auto* noise = std::get_if<PinkNoiseOptions>(&augment[i]);
        noise && noise->min_ratio > noise->max_ratio) {
      found.push_back(fmt::format("augment[{}].min_ratio: must not pass max_ratio ({}), got {}", i,
                                  noise->max_ratio, noise->min_ratio));
    }
  }
}

std::string texts_of(const std::vector<StepCount>& counts) {
  std::vector<std::string> texts;
  for (const StepCount& count : counts) texts.push_back(count.text());
  return fmt::format("{}", fmt::join(texts, ", "));
}

// Lengths can be compared where all count the same; a run compares again once it knows how long an epoch is.
void length_problems(const Recipe& recipe, std::vector<std::string>& found) {
  const TrainOptions& train = recipe.train;
  if (counts_epochs(train, recipe.schedule) && train.sampler == Sampler::kBucketed)
    found.emplace_back(
        "train.sampler: epochs of the bucketed sampler differ in length, so nothing can be counted in them; "
        "give train.iterations, validate_every, swa and the schedule in steps");
  if (const auto* steps = std::get_if<StepsScheduleOptions>(&recipe.schedule);
      steps &&
      !std::is_sorted(steps->at.begin(), steps->at.end(), [](const StepCount& a, const StepCount& b) {
        return a.in_epochs == b.in_epochs && a.n < b.n;
      })) {
    found.push_back(fmt::format("schedule.at: must ascend, got [{}]", texts_of(steps->at)));
  }
  const SwaOptions& swa = train.swa;
  const bool comparable =
      swa.start.in_epochs == swa.every.in_epochs && swa.start.in_epochs == train.iterations.in_epochs;
  if (swa.enabled && comparable && swa.start.n + swa.every.n > train.iterations.n) {
    found.push_back(
        fmt::format("train.swa.start: start + every must not pass train.iterations ({}), got {} + {}: no "
                    "snapshot would be taken",
                    train.iterations.text(), swa.start.text(), swa.every.text()));
  }
}

// What validations decide needs validations.
void watch_problems(const Recipe& recipe, std::vector<std::string>& found) {
  const TrainOptions& train = recipe.train;
  const auto* plateau = std::get_if<PlateauRestartsOptions>(&recipe.schedule);
  if (steered_by_validations(recipe) && train.validate_every == 0)
    found.emplace_back(
        "train.validate_every: validations decide in this recipe, so it must be positive, got 0");
  if (plateau != nullptr && plateau->metrics.empty())
    found.emplace_back("schedule.metrics: must name at least one metric, got []");
  if (train.stop.patience > 0 && train.stop.metric.empty())
    found.emplace_back("train.stop.metric: must name a metric, got ''");
  if (!train.result.empty() &&
      std::find(train.best.begin(), train.best.end(), train.result) == train.best.end())
    found.push_back(fmt::format("train.result: must be one of train.best ({}), got '{}'",
                                fmt::join(train.best, ", "), train.result));
  if (!train.result.empty() && train.swa.enabled)
    found.push_back(
        fmt::format("train.result: averaged weights are no validation's best, so swa excludes it, got '{}'",
                    train.result));
}

}  // namespace

bool steered_by_validations(const Recipe& recipe) {
  return !recipe.train.best.empty() || recipe.train.stop.patience > 0 ||
         std::holds_alternative<PlateauRestartsOptions>(recipe.schedule);
}

bool needs_several_clips(const Recipe& recipe) {
  const std::string kind = kind_of(recipe.model);
  return kind == "cnn_vggish" || kind == "mean_std_linear";
}

ModelOptions Recipe::model_for(int n_tags, int n_channels) const {
  ModelOptions sized = model;
  fit_to_features(sized, n_mels_of(features), n_channels);
  std::visit(
      [&](auto& options) {
        options.n_tags = n_tags;
        if constexpr (requires { options.n_metadata; }) {
          if (!metadata.empty()) options.n_metadata = static_cast<int>(metadata.size());
        }
      },
      sized);
  return sized;
}

std::vector<std::string> Recipe::problems() const {
  std::vector<std::string> found;
  for (const std::string& problem : problems_of(features)) found.push_back("features." + problem);
  model_problems(*this, found);
  find_augment_problems(augment, kind_of(model), is_mono(features), found);
  find_waveform_problems(augment, std::holds_alternative<WaveformOptions>(features), found);
  if (data.excerpts.min_share > data.excerpts.max_share) {
    found.push_back(fmt::format("data.excerpts.min_share: must not pass max_share ({}), got {}",
                                data.excerpts.max_share, data.excerpts.min_share));
  }
  length_problems(*this, found);
  watch_problems(*this, found);
  loss_problems(*this, found);
  batch_problems(*this, found);
  const std::vector<std::string> of_stages = stage_problems(*this);
  found.insert(found.end(), of_stages.begin(), of_stages.end());
  if (const auto names = dataset_names();
      std::find(names.begin(), names.end(), data.dataset) == names.end()) {
    found.push_back(
        fmt::format("data.dataset: must be one of: {}, got '{}'", fmt::join(names, ", "), data.dataset));
  }
  return found;
}

Recipe parse_recipe(const std::string& yaml, const std::string& name,
                    const std::vector<std::string>& overrides) {
  Value tree;
  try {
    tree = parse_yaml(yaml, name);
  } catch (const Error& e) {
    throw Error(ErrorCode::kBadRecipe, e.what());
  }
  if (!tree.is_map()) throw Error(ErrorCode::kBadRecipe, name + ": a recipe is a map of options");
  for (const std::string& text : overrides) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      throw Error(ErrorCode::kInvalidOption, fmt::format("--set: must be key.path=value, got '{}'", text));
    }
    override_value(tree, std::string_view(text).substr(0, equals),
                   parse_yaml(text.substr(equals + 1), "--set " + text), text);
  }
  if (const Value* version = tree.find("recipe");
      version && version->is_integer() && version->as_integer() > kRecipeVersion) {
    throw Error(
        ErrorCode::kBadRecipe,
        fmt::format(
            "{}: is a recipe of version {}, this earmark reads versions up to {}; use a newer earmark", name,
            version->as_integer(), kRecipeVersion));
  }
  Recipe recipe;
  std::vector<std::string> problems;
  read_options(tree, recipe, "", problems);
  if (problems.empty()) problems = recipe.problems();
  if (!problems.empty()) throw Error(ErrorCode::kBadRecipe, name + ":", problems);
  return recipe;
}

Recipe load_recipe(const std::string& recipe, const std::vector<std::string>& overrides) {
  std::filesystem::path path = recipe;
  if (!std::filesystem::is_regular_file(path)) path = share_folder() / "recipes" / (recipe + ".yaml");
  if (!std::filesystem::exists(path)) {
    const std::string near = detail::nearest_name(recipe, shipped_recipes());
    throw Error(
        ErrorCode::kBadRecipe,
        fmt::format("recipe: there is no file '{}' and no recipe of that name{}", recipe,
                    near.empty() ? "; `earmark recipe list` names them" : ", did you mean '" + near + "'?"));
  }
  return parse_recipe(read_text(path, 1 << 20), recipe, overrides);
}

Recipe with_files_from(Recipe recipe, const std::filesystem::path& folder) {
  for (std::string* file : {&recipe.data.new_labels, &recipe.embedder.bundle}) {
    if (!file->empty() && !folder.empty()) *file = (folder / *file).lexically_normal().string();
  }
  return recipe;
}

std::string recipe_to_yaml(const Recipe& recipe) { return to_yaml(write_options(recipe)); }

std::string recipe_reference() {
  std::string text =
      "# Options of a recipe\n\nWritten by `earmark recipe reference`; every option has one declaration, in "
      "the struct "
      "that owns it.\nA name in brackets is the `kind` that has the option.\n\n"
      "| option | type | default | meaning |\n|---|---|---|---|\n";
  for (const OptionDoc& doc : document_options<Recipe>()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", doc.path, doc.type,
                        doc.fallback.empty() ? "" : "`" + doc.fallback + "`", doc.doc);
  }
  return text;
}

std::filesystem::path share_folder() {
  if (const char* named = std::getenv("EARMARK_SHARE"); named != nullptr && *named != '\0') return named;
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path folder = program.parent_path();
  for (const auto& candidate : {folder / "../share/earmark", folder / "../..", folder / "../../.."}) {
    if (std::filesystem::exists(candidate / "recipes", error))
      return std::filesystem::weakly_canonical(candidate, error);
  }
  return std::filesystem::path(EARMARK_INSTALL_SHARE);
}

std::vector<std::string> shipped_recipes() {
  std::vector<std::string> names;
  const std::filesystem::path folder = share_folder() / "recipes";
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") {
      names.push_back(std::filesystem::relative(entry.path(), folder).replace_extension().generic_string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace earmark
