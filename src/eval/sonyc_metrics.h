// sonyc_metrics.h: the official figures of the SONYC-UST challenge (DCASE 2019 task 5, 2020 baseline): areas
// under precision-recall curves at two levels, in which the "other or unknown" tags get the credit that the
// challenge gives them. Golden: sonyc-metrics/.
//
// Departures: scores are floats, so thresholds closer than a float tells apart are one; where the published
// program fails (a category that is true and predicted everywhere) the counts are what they are; clips whose
// truth is unknown for a category are left out of it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/taxonomy.h"
#include "core/value.h"
#include "eval/curve_area.h"
#include "eval/evaluate.h"

namespace earmark {

/// A category, which is a tag of the upper level, at one of the levels.
struct SonycCategory {
  std::string tag;
  std::int64_t support = 0;  ///< clips that have any of the level's tags in the category
  std::int64_t known = 0;    ///< clips that count
  Metric auprc;              ///< 0 without a positive clip, as in the challenge
  double precision = 0;      ///< at the category's lowest threshold from 0.5, as are recall and F1
  double recall = 0;
  double f1 = 0;
};

/// Thread-safety: a plain value.
struct SonycLevel {
  Metric micro_auprc, micro_f1, macro_auprc;  ///< F1 at the lowest threshold from 0.5
  std::vector<SonycCategory> categories;      ///< [n top-level tags], at both levels
};

/// Thread-safety: a plain value.
struct SonycEvaluation {
  std::int64_t n_clips = 0;
  TieOrder tie_order = TieOrder::kStable;
  double confidence = 0;     ///< of the intervals; 0 without a bootstrap
  std::int64_t n_units = 0;  ///< what the bootstrap drew: clips, or groups of clips
  SonycLevel coarse, fine;
};

/// Of the options: bootstrap_resamples, seed, confidence, tie_order, threads. In a resample that draws no
/// clip of a category, the category is left out of the macro mean rather than counted as 0.
/// @param taxonomy two levels; its tags are data.tags in their order.
/// @throws Error(kInvalidOption) listing what evaluate() would, scores outside 0..1, and tags or levels that
/// do not fit.
SonycEvaluation evaluate_sonyc(const LabeledScores& data, const Taxonomy& taxonomy,
                               const EvaluateOptions& options = {});

/// "stable" or "official".
std::string tie_order_name(TieOrder ties);

/// {"n_clips", "metrics": {"coarse": {"micro_auprc", "micro_f1", "macro_auprc"}, "fine": {...}, "tie_order"},
/// "per_class": {"coarse": {category: {"auprc", "precision", "recall", "f1", "support", "known"}}, "fine":
/// ...}}; after a bootstrap also "confidence", "n_units", "intervals" in the shape of the metrics with [low,
/// high], and "auprc_interval" by class.
Value to_value(const SonycEvaluation& evaluation);

}  // namespace earmark
