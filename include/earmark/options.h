// options.h: one declaration of each option. A struct of options lists its fields once, with name,
// range and a line of documentation; recipes, bundles, --help and docs/recipes.md all read that list.
//
//   struct MaskOptions {
//     int max_frames = 70;
//     template <class Self, class Visitor>
//     static void fields(Self& self, Visitor&& visit) {
//       visit("max_frames", self.max_frames, Range{0, 10000}, "longest mask, frames");
//     }
//   };
#pragma once
#include <array>
#include <limits>
#include <string_view>
#include <utility>

namespace earmark {

/// Allowed interval of a number; of a list: of each of its numbers.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool open_min = false;  ///< min itself is not allowed
  bool open_max = false;
  bool contains(double x) const noexcept {
    return (open_min ? x > min : x >= min) && (open_max ? x < max : x <= max);
  }
};
inline constexpr Range kAny{};
inline constexpr Range kPositive{0.0, std::numeric_limits<double>::infinity(), true, false};
inline constexpr Range kNotNegative{0.0, std::numeric_limits<double>::infinity(), false, false};
inline constexpr Range kProbability{0.0, 1.0, false, false};

/// Specialise for each enum that is an option: `static constexpr std::array kNames{std::pair{E::kA, "a"},
/// ...}` with std::string_view names, in the order they are to be listed. A value's first name is the one
/// that is written; further ones, behind all others, are read.
template <class E>
struct EnumNames;

}  // namespace earmark
