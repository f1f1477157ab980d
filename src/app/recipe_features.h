// recipe_features.h: a recording as the network of a recipe sees it, before augmentation and before the data
// set's normalisation.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "earmark/error.h"
#include "earmark/feature_map.h"
#include "recipe/recipe.h"

namespace earmark {

struct RecipeFeatures {
  FeatureMap map;
  double duration_s = 0.0;            ///< of the recording
  std::vector<std::string> warnings;  ///< see audio/decode.h
};

/// Decoded, mixed, resampled to the recipe's rate, transformed. A failure is one of audio/decode.h's, or
/// "too_short".
Outcome<RecipeFeatures> recipe_features(const Recipe& recipe, const std::filesystem::path& recording);

}  // namespace earmark
