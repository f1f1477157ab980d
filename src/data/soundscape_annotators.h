// soundscape_annotators.h: what simulated people write about simulated scenes, in the form of SONYC-UST's
// annotations: the crowd, which errs, and the consensus, which does not.
#pragma once
#include <string>
#include <vector>

#include "core/taxonomy.h"
#include "data/soundscape.h"

namespace earmark {

/// What is in a scene. Thread-safety: a plain value.
struct SceneTruth {
  std::vector<bool> present;         ///< [n_tags] of the taxonomy; an upper tag where one of its members is
  std::vector<Proximity> proximity;  ///< [n_tags] near where one of several events is; kNone: absent or upper
};

/// @param tags of the events, each of them of the taxonomy. @throws Error(kInternal) for another.
SceneTruth truth_of_events(const std::vector<SoundscapeEvent>& events, const std::vector<std::string>& tags,
                           const Taxonomy& taxonomy);

/// How often one annotator errs: a pure function of (seed, annotator), see AnnotatorOptions.
struct AnnotatorRates {
  double miss = 0.0, false_alarm = 0.0, to_x = 0.0;
};
AnnotatorRates annotator_rates(const AnnotatorOptions& options, std::uint64_t seed, int annotator);

/// The rows of one clip: those of the crowd (annotators 1 .. n_annotators, no one twice) and, where
/// `consensus`, that of annotator 0, which is the truth. Split, sensor, file, place and time are not filled
/// in.
std::vector<SonycRow> annotate_scene(const SceneTruth& truth, const Taxonomy& taxonomy,
                                     const AnnotatorOptions& options, std::uint64_t seed, std::size_t scene,
                                     bool consensus);

}  // namespace earmark
