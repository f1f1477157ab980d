// calibration.h: the map that makes scores honest: of the clips that score 0.8, some 80 % should have the
// tag. Fitted by eval/calibration.h, kept in a bundle, applied to every score that the bundle gives.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "earmark/options.h"

namespace earmark {

enum class CalibrationKind {
  kTemperature,  ///< one number for all tags: the order of a clip's tags stays
  kPlatt,        ///< a line a tag: the order of a tag's clips stays, that of a clip's tags may not
};
template <>
struct EnumNames<CalibrationKind> {
  static constexpr std::array kNames{
      std::pair{CalibrationKind::kTemperature, std::string_view("temperature")},
      std::pair{CalibrationKind::kPlatt, std::string_view("platt")}};
};

/// ln(s / (1 - s)) of a score brought into 1e-12 .. 1 - 2^-24, the largest float below 1, so that it is
/// finite for every score.
double logit_of(double score) noexcept;
/// 1 / (1 + exp(-x)), of any x without overflow.
double sigmoid_of(double x) noexcept;

/// score -> sigmoid(logit / temperature), or sigmoid(slope * logit + offset) of the tag's own line. Never
/// decreasing in the score. Thread-safety: a plain value.
struct Calibration {
  CalibrationKind kind = CalibrationKind::kTemperature;
  double temperature = 1.0;     ///< of kTemperature
  std::vector<double> slopes;   ///< [n_tags], of kPlatt; above 0
  std::vector<double> offsets;  ///< [n_tags], of kPlatt
  bool operator==(const Calibration&) const = default;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("kind", self.kind, kAny, "temperature: one for all tags; platt: a line a tag");
    visit("temperature", self.temperature, kPositive, "that logits are divided by; 1 where it does nothing");
    visit("slopes", self.slopes, kPositive, "platt: what a tag's logit is multiplied by; else empty");
    visit("offsets", self.offsets, kAny, "platt: what is then added to it; else empty");
  }

  /// Each broken rule as "field: rule, got value"; empty when it fits `n_tags` tags. Ranges apart.
  std::vector<std::string> problems(std::size_t n_tags) const;

  /// Whether a tag's scores become others: a temperature of 1, and a line of slope 1 and offset 0, leave
  /// every bit as it is.
  bool changes(std::size_t tag) const noexcept;
  /// Precondition: problems() is empty and tag < n_tags. @return 0..1.
  double of(double score, std::size_t tag) const noexcept;
  /// The score that `calibrated` came from. @return 0..1.
  double undone(double calibrated, std::size_t tag) const noexcept;
  /// @param scores [n_tags] of one clip, changed in place; in double, rounded once.
  void apply(std::span<float> scores) const noexcept;
};

}  // namespace earmark
