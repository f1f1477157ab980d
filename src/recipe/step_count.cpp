#include "recipe/step_count.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "core/options_io.h"

namespace earmark {
namespace {

constexpr double kMost = 1e15;

bool fits(double n, const Range& range) { return range.contains(n) && n <= kMost && n >= -kMost; }

}  // namespace

std::string StepCount::text() const {
  return in_epochs ? fmt::format("{} epoch{}", n, n == 1 ? "" : "s") : fmt::format("{}", n);
}

bool StepCount::from_value(const Value& value, const Range& range, StepCount& out) {
  if (value.is_integer()) {
    if (!fits(value.as_number(), range)) return false;
    out = StepCount(value.as_integer());
    return true;
  }
  if (!value.is_string()) return false;
  const std::string& text = value.as_string();
  long n = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (error != std::errc() || (unit != " epochs" && unit != " epoch") || !fits(static_cast<double>(n), range))
    return false;
  out.n = n;
  out.in_epochs = true;
  return true;
}

Value StepCount::to_value() const { return in_epochs ? Value(text()) : Value(static_cast<std::int64_t>(n)); }

std::string StepCount::type_text(const Range& range) {
  return fmt::format("whole number{}, or so many epochs (\"20 epochs\")", detail::range_text(range));
}

}  // namespace earmark
