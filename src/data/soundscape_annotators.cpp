#include "data/soundscape_annotators.h"

#include <fmt/format.h>

#include <algorithm>

#include "earmark/error.h"

namespace earmark {
namespace {

/// Who hears one clip: `n` different people.
std::vector<int> draw_annotators(const AnnotatorOptions& options, Rng& rng) {
  std::vector<int> drawn;
  while (drawn.size() < static_cast<std::size_t>(options.annotators_per_clip)) {
    const int annotator = 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(options.n_annotators)));
    if (std::find(drawn.begin(), drawn.end(), annotator) == drawn.end()) drawn.push_back(annotator);
  }
  return drawn;
}

std::optional<std::size_t> other_of(const Taxonomy& taxonomy, std::size_t parent) {
  for (const std::size_t member : taxonomy.members(parent)) {
    if (taxonomy.is_other[member]) return member;
  }
  return std::nullopt;
}

/// A row that says no to everything.
SonycRow silent_row(const Taxonomy& taxonomy, int annotator) {
  SonycRow row;
  row.votes.annotator = annotator;
  row.votes.votes.assign(taxonomy.size(), 0);
  row.proximity.assign(taxonomy.size(), Proximity::kNone);
  return row;
}

void mark(SonycRow& row, std::size_t tag, Proximity proximity, const Taxonomy& taxonomy) {
  row.votes.votes[tag] = 1;
  if (row.proximity[tag] != Proximity::kNear) row.proximity[tag] = proximity;
  row.votes.votes[static_cast<std::size_t>(taxonomy.parents[tag])] = 1;
}

SonycRow judge(const SceneTruth& truth, const Taxonomy& taxonomy, const AnnotatorOptions& options,
               const AnnotatorRates& rates, int annotator, Rng& rng) {
  SonycRow row = silent_row(taxonomy, annotator);
  for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
    if (taxonomy.parents[tag] < 0) continue;
    // As many draws whatever comes out: what is said of one tag does not depend on the others.
    const bool misses = rng.bernoulli(rates.miss), imagines = rng.bernoulli(rates.false_alarm);
    const bool blurs = rng.bernoulli(rates.to_x), unsure = rng.bernoulli(options.notsure_rate);
    const Proximity guess = rng.bernoulli(0.5) ? Proximity::kNear : Proximity::kFar;
    const bool present = truth.present[tag];
    if (present ? misses : !imagines) continue;
    const Proximity heard = unsure ? Proximity::kNotSure : present ? truth.proximity[tag] : guess;
    const auto other = other_of(taxonomy, static_cast<std::size_t>(taxonomy.parents[tag]));
    mark(row, present && blurs && other ? *other : tag, heard, taxonomy);
  }
  return row;
}

}  // namespace

SceneTruth truth_of_events(const std::vector<SoundscapeEvent>& events, const std::vector<std::string>& tags,
                           const Taxonomy& taxonomy) {
  SceneTruth truth;
  truth.present.assign(taxonomy.size(), false);
  truth.proximity.assign(taxonomy.size(), Proximity::kNone);
  for (const SoundscapeEvent& event : events) {
    const auto tag = taxonomy.index(tags.at(event.tag));
    if (!tag || taxonomy.parents[*tag] < 0) {
      throw Error(ErrorCode::kInternal, fmt::format("an event has the tag '{}', which is no fine tag of {}",
                                                    tags.at(event.tag), taxonomy.name));
    }
    truth.present[*tag] = true;
    truth.present[static_cast<std::size_t>(taxonomy.parents[*tag])] = true;
    if (truth.proximity[*tag] != Proximity::kNear) truth.proximity[*tag] = event.proximity;
  }
  return truth;
}

AnnotatorRates annotator_rates(const AnnotatorOptions& options, std::uint64_t seed, int annotator) {
  Rng rng(seed, "soundscape annotator", 0, static_cast<std::uint64_t>(annotator));
  AnnotatorRates rates;
  rates.miss = rng.uniform(0.0, 2.0) * options.miss_rate;
  rates.false_alarm = rng.uniform(0.0, 2.0) * options.false_alarm_rate;
  rates.to_x = rng.uniform(0.0, 2.0) * options.to_x_rate;
  return rates;
}

std::vector<SonycRow> annotate_scene(const SceneTruth& truth, const Taxonomy& taxonomy,
                                     const AnnotatorOptions& options, std::uint64_t seed, std::size_t scene,
                                     bool consensus) {
  Rng rng(seed, "soundscape annotators", 0, scene);
  std::vector<SonycRow> rows;
  for (const int annotator : draw_annotators(options, rng)) {
    Rng own(seed, "soundscape judgement", static_cast<std::uint64_t>(annotator), scene);
    rows.push_back(
        judge(truth, taxonomy, options, annotator_rates(options, seed, annotator), annotator, own));
  }
  if (!consensus) return rows;
  SonycRow agreed = silent_row(taxonomy, 0);
  for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
    if (truth.present[tag] && taxonomy.parents[tag] >= 0) mark(agreed, tag, truth.proximity[tag], taxonomy);
  }
  rows.push_back(std::move(agreed));
  return rows;
}

}  // namespace earmark
