#include "app/recipe_features.h"

#include "audio/read_audio.h"

namespace earmark {

Outcome<RecipeFeatures> recipe_features(const Recipe& recipe, const std::filesystem::path& recording) {
  const LogMelExtractor extractor(recipe.log_mel());
  ReadOptions read;
  read.sample_rate_hz = recipe.log_mel().sample_rate_hz;
  read.channels = recipe.log_mel().channels == Channels::kMono ? ChannelMode::kMono : ChannelMode::kKeep;
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
