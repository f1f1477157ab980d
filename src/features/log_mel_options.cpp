// The rules of LogMelOptions.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <type_traits>

#include "earmark/log_mel.h"

namespace earmark {
namespace {

std::string allowed(const Range& range) {
  if (range.max == std::numeric_limits<double>::infinity()) {
    return fmt::format("must be {} {}", range.open_min ? "above" : "at least", range.min);
  }
  return fmt::format("must be {}..{}", range.min, range.max);
}

template <class Value>
std::string broken(std::string_view field, std::string_view rule, const Value& value) {
  return fmt::format("{}: {}, got {}", field, rule, value);
}

}  // namespace

std::vector<std::string> LogMelOptions::problems() const {
  std::vector<std::string> found;
  fields(*this, [&](const char* name, const auto& value, const Range& range, const char*) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>) {
      if (!range.contains(static_cast<double>(value))) found.push_back(broken(name, allowed(range), value));
    }
  });
  const auto require = [&](bool holds, std::string_view field, std::string_view rule, const auto& value) {
    if (!holds) found.push_back(broken(field, rule, value));
  };
  require(win_length <= n_fft, "win_length", fmt::format("must be at most n_fft ({})", n_fft), win_length);
  require(win_length >= (window == Window::kHannSymmetric ? 3 : 2), "win_length",
          "too short: its window is zero everywhere", win_length);
  require(hop_length <= win_length, "hop_length", fmt::format("must be at most win_length ({})", win_length),
          hop_length);
  require(f_min_hz < f_max_hz, "f_min_hz", fmt::format("must be below f_max_hz ({})", f_max_hz), f_min_hz);
  require(f_max_hz <= sample_rate_hz / 2.0, "f_max_hz",
          fmt::format("must be at most sample_rate_hz / 2 ({})", sample_rate_hz / 2.0), f_max_hz);
  require(log == LogKind::kNone || std::max(log_floor, log_offset) >= std::numeric_limits<float>::min(),
          "log_floor", "must be at least 1.18e-38 where log_offset is not, or silence has no logarithm",
          log_floor);
  require(reference == LogReference::kOne || log == LogKind::kDb, "reference", "needs log: db", "max");
  require(top_db == 0.0 || log == LogKind::kDb, "top_db", "needs log: db", top_db);
  require(delta_width % 2 == 1, "delta_width", "must be odd", delta_width);
  return found;
}

}  // namespace earmark
