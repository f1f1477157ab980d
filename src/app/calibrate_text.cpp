// The table of `earmark model calibrate`.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/calibrate.h"
#include "tagger/text.h"

namespace earmark {
namespace {

constexpr std::size_t kWidest = 32;

std::string share(double x) { return std::isnan(x) ? "-" : fmt::format("{:.3f}", x); }

// What it was and what it is.
std::string pair(double before, double after) {
  return fmt::format("{:>6} -> {:<6}", share(before), share(after));
}

std::string line(const std::string& name, std::size_t width, const std::string& clips,
                 const std::string& positives, const std::string& threshold, const CalibrationFigures& before,
                 const CalibrationFigures& after) {
  const std::string shown = shortened(single_line(name), kWidest);
  return fmt::format("{}{}  {:>6} {:>6}  {:>16}  {}  {}  {}  {}  {}\n", shown,
                     std::string(width - std::min(width, display_width(shown)), ' '), clips, positives,
                     threshold, pair(before.decisions.precision(), after.decisions.precision()),
                     pair(before.decisions.recall(), after.decisions.recall()),
                     pair(before.decisions.f1(), after.decisions.f1()), pair(before.nll, after.nll),
                     pair(before.ece, after.ece));
}

}  // namespace

std::string calibration_text(const CalibrateResult& result) {
  std::size_t width = 3;
  for (const CalibratedTag& tag : result.tags)
    width = std::max(width, std::min(display_width(single_line(tag.tag)), kWidest));
  std::string text =
      fmt::format("{:<{}}  {:>6} {:>6}  {:^16}  {:^16}  {:^16}  {:^16}  {:^16}  {:^16}\n", "tag", width,
                  "clips", "yes", "threshold", "precision", "recall", "F1", "NLL", "ECE");
  for (const CalibratedTag& tag : result.tags) {
    text += line(tag.tag, width, std::to_string(tag.n_clips), std::to_string(tag.n_positives),
                 fmt::format("{:>6} -> {:<6}", share(tag.old_threshold), share(tag.threshold)), tag.before,
                 tag.after);
  }
  text += line("all", width, std::to_string(result.n_clips), "", "", result.before, result.after);
  const auto& calibration = result.bundle.calibration;
  if (calibration && calibration->kind == CalibrationKind::kTemperature)
    text += fmt::format("temperature {:.4g}\n", calibration->temperature);
  return text;
}

}  // namespace earmark
