#include "app/recipe_features.h"

#include "audio/read_audio.h"
#include "features/feature_extractor.h"

namespace earmark {

Outcome<RecipeFeatures> recipe_features(const Recipe& recipe, const std::filesystem::path& recording) {
  const FeatureExtractor extractor(recipe.features);
  ReadOptions read;
  read.sample_rate_hz = sample_rate_of(recipe.features);
  read.channels = is_mono(recipe.features) ? ChannelMode::kMono : ChannelMode::kKeep;
  Outcome<LoadedAudio> audio = read_audio(recording, read);
  if (!audio) return audio.failure();
  try {
    return RecipeFeatures{extractor.compute(audio->waveform), audio->waveform.duration_s(), audio->warnings};
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kBadAudio) throw;
    return Failure{"too_short", e.what()};
  }
}

}  // namespace earmark
