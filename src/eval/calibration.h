// calibration.h: scores made honest. Fits the maps of core/calibration.h to clips whose truth is known, and
// measures how honest scores are. Truth as in metrics.h: unknown entries do not count, soft ones are yes from
// 0.5. All in double; the same input gives the same bits.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/calibration.h"
#include "eval/evaluate.h"

namespace earmark {

/// Temperatures that are looked at. A fit that ends at one of them would go on beyond it: scores that part
/// the truth without error ask for 0, scores that say nothing for infinity.
inline constexpr double kLowestTemperature = 0.05, kHighestTemperature = 20.0;

/// The temperature at which the entries' negative log likelihood is least (Guo et al., ICML 2017, for yes-no
/// decisions): a Newton search within brackets, for the likelihood has one minimum.
/// @param truth, scores [n], of all tags together. @return 1 without known entries.
double fit_temperature(std::span<const float> truth, std::span<const float> scores);

/// score -> sigmoid(slope * logit_of(score) + offset)
struct PlattLine {
  double slope = 1.0;
  double offset = 0.0;
};
/// Thread-safety: a plain value.
struct PlattFit {
  std::optional<PlattLine> line;  ///< unset: the scores should stay as they are
  std::string reason;             ///< why they should
};
/// Platt's logistic regression on the logit with his targets (n+ + 1) / (n+ + 2) and 1 / (n- + 2), which keep
/// a few clips from making the line vertical; Newton's method with halved steps (after Lin, Lin & Weng,
/// Machine Learning 68, 2007). No line where the tag is absent from all clips or present in all, where all
/// scores are the same, and where higher scores do not make the tag likelier.
/// @param truth, scores [n_clips] of one tag.
PlattFit fit_platt(std::span<const float> truth, std::span<const float> scores);

/// Thread-safety: a plain value.
struct CalibrationFit {
  Calibration calibration;
  std::vector<std::string> unscaled;  ///< [n_tags] why a tag's scores stay as they are; empty: they do not
};
/// @param labeled scores before any calibration. @throws Error(kInvalidOption) when sizes do not fit.
CalibrationFit fit_calibration(const LabeledScores& labeled, CalibrationKind kind);

/// Mean of -ln of what was given to the truth; scores brought into the range of logit_of(). NaN without known
/// entries.
double negative_log_likelihood(std::span<const float> truth, std::span<const float> scores);

/// How far scores are from shares of yes: over `n_bins` equal parts of 0..1 the distance between mean score
/// and share, weighted by entries. NaN without known entries.
double expected_calibration_error(std::span<const float> truth, std::span<const float> scores,
                                  std::size_t n_bins = 15);

}  // namespace earmark
