// sonyc_case.h: the tags of SONYC-UST and invented clips, for tests.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"
#include "core/taxonomy.h"
#include "eval/evaluate.h"
#include "eval/level_counts.h"

namespace earmark::testing {

inline Taxonomy sonyc_taxonomy() {
  return Taxonomy::parse(R"yaml(
taxonomy: 1
name: sonyc_ust
tags:
  - name: 1_engine
    members: [1-1_small-sounding-engine, 1-2_medium-sounding-engine, 1-3_large-sounding-engine]
    other: 1-X_engine-of-uncertain-size
  - name: 2_machinery-impact
    members: [2-1_rock-drill, 2-2_jackhammer, 2-3_hoe-ram, 2-4_pile-driver]
    other: 2-X_other-unknown-impact-machinery
  - {name: 3_non-machinery-impact, members: [3-1_non-machinery-impact]}
  - name: 4_powered-saw
    members: [4-1_chainsaw, 4-2_small-medium-rotating-saw, 4-3_large-rotating-saw]
    other: 4-X_other-unknown-powered-saw
  - name: 5_alert-signal
    members: [5-1_car-horn, 5-2_car-alarm, 5-3_siren, 5-4_reverse-beeper]
    other: 5-X_other-unknown-alert-signal
  - name: 6_music
    members: [6-1_stationary-music, 6-2_mobile-music, 6-3_ice-cream-truck]
    other: 6-X_music-from-uncertain-source
  - name: 7_human-voice
    members:
      - 7-1_person-or-small-group-talking
      - 7-2_person-or-small-group-shouting
      - 7-3_large-crowd
      - 7-4_amplified-speech
    other: 7-X_other-unknown-human-voice
  - {name: 8_dog, members: [8-1_dog-barking-whining]}
)yaml",
                         "sonyc_ust");
}

/// @param id from 1.
inline CategoryTags sonyc_category(int id, bool fine) {
  const Taxonomy taxonomy = sonyc_taxonomy();
  const auto top = static_cast<std::size_t>(id - 1);
  if (!fine) return {{top}, std::nullopt};
  CategoryTags tags;
  for (const std::size_t member : taxonomy.members(top)) {
    if (taxonomy.is_other[member]) {
      tags.other = member;
    } else {
      tags.complete.push_back(member);
    }
  }
  return tags;
}

/// Clips of eight sensors whose scores tell something about the truth. A coarse tag is true where one of its
/// members is.
inline LabeledScores sonyc_case(std::size_t n_clips, std::uint64_t seed = 1) {
  const Taxonomy taxonomy = sonyc_taxonomy();
  LabeledScores data;
  data.tags = taxonomy.tags;
  Rng rng(seed, "sonyc case");
  for (std::size_t clip = 0; clip < n_clips; ++clip) {
    data.clip_ids.push_back("clip" + std::to_string(clip) + ".wav");
    data.groups.push_back("sensor" + std::to_string(rng.below(8)));
    std::vector<float> truth(taxonomy.size(), 0.0f);
    for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
      if (taxonomy.parents[tag] < 0 || !rng.bernoulli(0.15)) continue;
      truth[tag] = 1.0f;
      truth[static_cast<std::size_t>(taxonomy.parents[tag])] = 1.0f;
    }
    for (const float yes : truth)
      data.scores.push_back(static_cast<float>(0.7 * rng.uniform() + (yes > 0 ? 0.3 : 0.0)));
    data.truth.insert(data.truth.end(), truth.begin(), truth.end());
  }
  return data;
}

}  // namespace earmark::testing
