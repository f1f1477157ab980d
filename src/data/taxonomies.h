// taxonomies.h: the tags of the data sets that earmark knows, as declared in data/taxonomies/*.yaml.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/taxonomy.h"
#include "data/dataset.h"

namespace earmark {

/// Names that known_taxonomy() takes, alphabetical.
std::vector<std::string> taxonomy_names();
/// @throws Error(kInvalidOption) for another name.
Taxonomy known_taxonomy(std::string_view name);

/// Gives the data set the taxonomy's tags; parents and others only where it has two levels.
void use_taxonomy(Dataset& data, const Taxonomy& taxonomy);

/// Reads dcase-ust-taxonomy.yaml, the form in which SONYC-UST ships its tags: two maps, `coarse` {number:
/// name} and `fine` {number: {number or X: name}}. Tags are named and ordered as in the official prediction
/// files: "1_engine", ..., then "1-1_small-sounding-engine", ..., "1-X_engine-of-uncertain-size", ...
/// @param file for messages. @throws Error(kBadFile) listing every problem with its line.
Taxonomy parse_dcase_ust_taxonomy(std::string_view yaml, const std::string& file);

/// A taxonomy in that form. @param taxonomy of two levels, its tags named as there.
std::string dcase_ust_taxonomy_text(const Taxonomy& taxonomy);

/// What one taxonomy has and the other has not, a sentence each; empty when they agree.
/// @param file that `found` comes from, for messages.
std::vector<std::string> taxonomy_differences(const Taxonomy& found, const Taxonomy& expected,
                                              const std::string& file);

}  // namespace earmark
