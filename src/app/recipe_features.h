// recipe_features.h: a recording as the networks of a recipe see it, before augmentation and before the data
// set's normalisation.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "earmark/error.h"
#include "earmark/feature_map.h"
#include "recipe/recipe.h"

namespace earmark {

/// One kind of input. Thread-safety: a plain value.
struct NamedFeatures {
  std::string name;  ///< "waveform_16000_hz"; where another has the same kind and rate, also its stage
  FeatureOptions features;
};

/// What the networks of the bundle hear that a run of the recipe ends with, each kind of input once, in the
/// order of the stages. One, unless stages are combined that hear different ones.
std::vector<NamedFeatures> inputs_of(const Recipe& recipe);

struct RecipeFeatures {
  FeatureMap map;
  double duration_s = 0.0;            ///< of the recording
  std::vector<std::string> warnings;  ///< see audio/decode.h
};

/// Decoded, mixed, resampled to the features' rate, transformed. A failure is one of audio/decode.h's,
/// "too_short" or "non_finite".
Outcome<RecipeFeatures> recipe_features(const FeatureOptions& features,
                                        const std::filesystem::path& recording);
/// [n_channels, n_mels, n_frames]; of waveforms, which have no bands, [n_channels, n_samples].
std::vector<std::int64_t> shape_of(const FeatureOptions& features, const FeatureMap& map);

}  // namespace earmark
