#include "core/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace earmark {
namespace {

constexpr double kSmallest = 1e-12, kLargest = 1.0 - 0x1p-24;

}  // namespace

double logit_of(double score) noexcept {
  const double s = std::clamp(score, kSmallest, kLargest);
  return std::log(s) - std::log1p(-s);
}

double sigmoid_of(double x) noexcept {
  if (x >= 0.0) return 1.0 / (1.0 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1.0 + e);
}

std::vector<std::string> Calibration::problems(std::size_t n_tags) const {
  std::vector<std::string> found;
  const std::size_t expected = kind == CalibrationKind::kPlatt ? n_tags : 0;
  const auto check = [&](const char* name, std::size_t n) {
    if (n == expected) return;
    found.push_back(expected == 0
                        ? fmt::format("{}: must be empty with kind temperature, got {} numbers", name, n)
                        : fmt::format("{}: one a tag ({}), got {}", name, expected, n));
  };
  check("slopes", slopes.size());
  check("offsets", offsets.size());
  if (kind == CalibrationKind::kPlatt && temperature != 1.0)
    found.push_back(fmt::format("temperature: must be 1 with kind platt, got {}", temperature));
  return found;
}

bool Calibration::changes(std::size_t tag) const noexcept {
  return kind == CalibrationKind::kPlatt ? slopes[tag] != 1.0 || offsets[tag] != 0.0 : temperature != 1.0;
}

double Calibration::of(double score, std::size_t tag) const noexcept {
  if (!changes(tag)) return score;
  const double logit = logit_of(score);
  return sigmoid_of(kind == CalibrationKind::kPlatt ? slopes[tag] * logit + offsets[tag]
                                                    : logit / temperature);
}

double Calibration::undone(double calibrated, std::size_t tag) const noexcept {
  if (!changes(tag)) return calibrated;
  const double logit = logit_of(calibrated);
  return sigmoid_of(kind == CalibrationKind::kPlatt ? (logit - offsets[tag]) / slopes[tag]
                                                    : logit * temperature);
}

void Calibration::apply(std::span<float> scores) const noexcept {
  for (std::size_t k = 0; k < scores.size(); ++k)
    scores[k] = static_cast<float>(of(static_cast<double>(scores[k]), k));
}

}  // namespace earmark
