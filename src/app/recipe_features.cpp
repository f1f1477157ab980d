#include "app/recipe_features.h"

#include <fmt/format.h>

#include <algorithm>

#include "audio/read_audio.h"
#include "core/options_io.h"
#include "features/feature_extractor.h"
#include "recipe/stages.h"
#include "tagger/recording.h"

namespace earmark {
namespace {

bool has_name(const std::vector<NamedFeatures>& found, const std::string& name) {
  return std::any_of(found.begin(), found.end(), [&](const auto& other) { return other.name == name; });
}

void add_input(const FeatureOptions& features, const std::string& stage, std::vector<NamedFeatures>& found) {
  const auto text = [](const FeatureOptions& options) { return to_json(detail::write_field(options)); };
  const bool is_known = std::any_of(found.begin(), found.end(), [&](const NamedFeatures& other) {
    return text(other.features) == text(features);
  });
  if (is_known) return;
  std::string name = fmt::format("{}_{}_hz", kind_of(features), sample_rate_of(features));
  if (has_name(found, name)) name += "_" + stage;
  found.push_back({std::move(name), features});
}

// A stage's bundle holds its own networks, or those of the stages that it combines.
void add_inputs_of(const Recipe& recipe, const StageOptions& stage, std::vector<NamedFeatures>& found) {
  if (const auto* train = std::get_if<TrainStage>(&stage)) {
    for (const TrainUnit& unit : units_of(*train, 0))
      add_input(without_stages(recipe, unit.overrides, "stage " + unit.name).features, unit.name, found);
  } else if (const auto* combine = std::get_if<CombineStage>(&stage)) {
    for (const StageOptions& earlier : recipe.stages) {
      if (std::find(combine->from.begin(), combine->from.end(), name_of(earlier)) != combine->from.end())
        add_inputs_of(recipe, earlier, found);
    }
  }
}

}  // namespace

std::vector<NamedFeatures> inputs_of(const Recipe& recipe) {
  std::vector<NamedFeatures> found;
  if (!recipe.stages.empty()) add_inputs_of(recipe, recipe.stages.back(), found);
  if (found.empty()) add_input(recipe.features, "", found);
  return found;
}

Outcome<RecipeFeatures> recipe_features(const FeatureOptions& features,
                                        const std::filesystem::path& recording) {
  const FeatureExtractor extractor(features);
  ReadOptions read;
  read.sample_rate_hz = sample_rate_of(features);
  read.channels = is_mono(features) ? ChannelMode::kMono : ChannelMode::kKeep;
  Outcome<LoadedAudio> audio = read_audio(recording, read);
  if (!audio) return audio.failure();
  try {
    return RecipeFeatures{extractor.compute(audio->waveform), audio->waveform.duration_s(), audio->warnings};
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kBadAudio) throw;
    return unfit_samples(e, audio->waveform);
  }
}

std::vector<std::int64_t> shape_of(const FeatureOptions& features, const FeatureMap& map) {
  if (std::holds_alternative<WaveformOptions>(features)) return {map.n_channels, map.n_frames};
  return {map.n_channels, map.n_mels, map.n_frames};
}

}  // namespace earmark
