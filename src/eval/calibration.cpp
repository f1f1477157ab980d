#include "eval/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "earmark/error.h"
#include "eval/metrics.h"

namespace earmark {
namespace {

struct Entry {
  double logit;
  bool positive;
};

std::vector<Entry> known_entries(std::span<const float> truth, std::span<const float> scores) {
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (is_known_truth(truth[i]))
      entries.push_back({logit_of(static_cast<double>(scores[i])), is_positive_truth(truth[i])});
  }
  return entries;
}

// ln(1 + exp(x)) of any x.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

struct Slopes {
  double first = 0.0, second = 0.0;
};

// Derivatives of the summed likelihood by the inverse temperature.
Slopes slopes_at(const std::vector<Entry>& entries, double inverse) {
  Slopes sum;
  for (const Entry& entry : entries) {
    const double p = sigmoid_of(inverse * entry.logit);
    sum.first += (p - (entry.positive ? 1.0 : 0.0)) * entry.logit;
    sum.second += p * (1.0 - p) * entry.logit * entry.logit;
  }
  return sum;
}

// The regression of one tag: loss, gradient and curvature at a line.
struct PlattProblem {
  std::vector<Entry> entries;
  double target_yes = 0.0, target_no = 0.0;

  double loss(const PlattLine& line) const {
    double sum = 0.0;
    for (const Entry& entry : entries) {
      const double u = line.slope * entry.logit + line.offset;
      sum += softplus(u) - (entry.positive ? target_yes : target_no) * u;
    }
    return sum;
  }
  // Newton's step, and how fast the loss falls along it.
  struct Step {
    PlattLine direction;
    double descent = 0.0;
  };
  Step step(const PlattLine& line) const {
    constexpr double kRidge = 1e-12;  // a curvature of 0 has no inverse
    double g_slope = 0.0, g_offset = 0.0, h_ss = kRidge, h_so = 0.0, h_oo = kRidge;
    for (const Entry& entry : entries) {
      const double p = sigmoid_of(line.slope * entry.logit + line.offset);
      const double error = p - (entry.positive ? target_yes : target_no), weight = p * (1.0 - p);
      g_slope += error * entry.logit;
      g_offset += error;
      h_ss += weight * entry.logit * entry.logit;
      h_so += weight * entry.logit;
      h_oo += weight;
    }
    const double determinant = h_ss * h_oo - h_so * h_so;
    const PlattLine direction{-(h_oo * g_slope - h_so * g_offset) / determinant,
                              -(h_ss * g_offset - h_so * g_slope) / determinant};
    return {direction, -(g_slope * direction.slope + g_offset * direction.offset)};
  }
};

PlattLine solve(const PlattProblem& problem, PlattLine line) {
  constexpr int kMostSteps = 100;
  constexpr double kSmallestShare = 1e-10, kEnough = 1e-4;
  double loss = problem.loss(line);
  for (int i = 0; i < kMostSteps; ++i) {
    const PlattProblem::Step step = problem.step(line);
    if (!(step.descent > 1e-12 * static_cast<double>(problem.entries.size()))) break;
    double share = 1.0;
    for (; share >= kSmallestShare; share /= 2.0) {
      const PlattLine next{line.slope + share * step.direction.slope,
                           line.offset + share * step.direction.offset};
      const double next_loss = problem.loss(next);
      if (next_loss > loss - kEnough * share * step.descent) continue;
      line = next;
      loss = next_loss;
      break;
    }
    if (share < kSmallestShare) break;  // no further in double
  }
  return line;
}

void check_sizes(const LabeledScores& labeled) {
  const std::size_t n = labeled.n_clips() * labeled.n_tags();
  if (labeled.truth.size() == n && labeled.scores.size() == n) return;
  throw Error(
      ErrorCode::kInvalidOption,
      fmt::format("calibration of {} clips and {} tags: needs {} scores and as much truth, got {} and {}",
                  labeled.n_clips(), labeled.n_tags(), n, labeled.scores.size(), labeled.truth.size()));
}

}  // namespace

double fit_temperature(std::span<const float> truth, std::span<const float> scores) {
  const std::vector<Entry> entries = known_entries(truth, scores);
  if (entries.empty()) return 1.0;
  double low = 1.0 / kHighestTemperature, high = 1.0 / kLowestTemperature;
  if (slopes_at(entries, low).first >= 0.0) return kHighestTemperature;
  if (slopes_at(entries, high).first <= 0.0) return kLowestTemperature;
  double inverse = 1.0;
  for (int i = 0; i < 200 && high - low > 1e-14 * high; ++i) {
    const Slopes at = slopes_at(entries, inverse);
    if (at.first == 0.0) break;
    (at.first > 0.0 ? high : low) = inverse;
    const double newton = inverse - at.first / at.second;
    const double next = newton > low && newton < high ? newton : (low + high) / 2.0;
    if (std::fabs(next - inverse) <= 1e-15 * inverse) break;
    inverse = next;
  }
  return 1.0 / inverse;
}

PlattFit fit_platt(std::span<const float> truth, std::span<const float> scores) {
  PlattProblem problem{known_entries(truth, scores)};
  const std::vector<Entry>& entries = problem.entries;
  const auto n_yes = std::count_if(entries.begin(), entries.end(), [](const Entry& e) { return e.positive; });
  const auto yes = static_cast<double>(n_yes), no = static_cast<double>(entries.size()) - yes;
  if (n_yes == 0) return {std::nullopt, "no clip has it"};
  if (no == 0.0) return {std::nullopt, "every clip has it"};
  const auto same = [&](const Entry& e) { return e.logit == entries.front().logit; };
  if (std::all_of(entries.begin(), entries.end(), same)) return {std::nullopt, "all its scores are the same"};
  problem.target_yes = (yes + 1.0) / (yes + 2.0);
  problem.target_no = 1.0 / (no + 2.0);
  const PlattLine line = solve(problem, {0.0, std::log((yes + 1.0) / (no + 1.0))});
  if (!(line.slope > 0.0)) return {std::nullopt, "higher scores do not make it likelier"};
  return {line, ""};
}

CalibrationFit fit_calibration(const LabeledScores& labeled, CalibrationKind kind) {
  check_sizes(labeled);
  CalibrationFit fit;
  fit.calibration.kind = kind;
  const std::size_t n_tags = labeled.n_tags();
  fit.unscaled.assign(n_tags, "");
  if (kind == CalibrationKind::kTemperature) {
    fit.calibration.temperature = fit_temperature(labeled.truth, labeled.scores);
    return fit;
  }
  for (std::size_t tag = 0; tag < n_tags; ++tag) {
    std::vector<float> truth, scores;
    for (std::size_t at = tag; at < labeled.scores.size(); at += n_tags) {
      truth.push_back(labeled.truth[at]);
      scores.push_back(labeled.scores[at]);
    }
    const PlattFit own = fit_platt(truth, scores);
    fit.unscaled[tag] = own.reason;
    fit.calibration.slopes.push_back(own.line.value_or(PlattLine()).slope);
    fit.calibration.offsets.push_back(own.line.value_or(PlattLine()).offset);
  }
  return fit;
}

double negative_log_likelihood(std::span<const float> truth, std::span<const float> scores) {
  const std::vector<Entry> entries = known_entries(truth, scores);
  double sum = 0.0;
  for (const Entry& entry : entries) sum += softplus(entry.positive ? -entry.logit : entry.logit);
  return entries.empty() ? std::numeric_limits<double>::quiet_NaN()
                         : sum / static_cast<double>(entries.size());
}

double expected_calibration_error(std::span<const float> truth, std::span<const float> scores,
                                  std::size_t n_bins) {
  std::vector<double> surplus(n_bins, 0.0);  // sum of scores less the number of yes
  std::size_t n = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (!is_known_truth(truth[i])) continue;
    const double score = std::clamp(static_cast<double>(scores[i]), 0.0, 1.0);
    const auto bin = std::min(static_cast<std::size_t>(score * static_cast<double>(n_bins)), n_bins - 1);
    surplus[bin] += score - (is_positive_truth(truth[i]) ? 1.0 : 0.0);
    ++n;
  }
  double sum = 0.0;
  for (const double s : surplus) sum += std::fabs(s);
  return n == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(n);
}

}  // namespace earmark
