#include "core/options_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "earmark/error.h"

namespace earmark {

ReadContext ReadContext::in(std::string_view name) const {
  return {path.empty() ? std::string(name) : fmt::format("{}.{}", path, name), problems};
}

ReadContext ReadContext::in(std::size_t index) const {
  return {fmt::format("{}[{}]", path, index), problems};
}

void ReadContext::add(const Value& value, const std::string& rule) const {
  problems->push_back(fmt::format("{}: {}, got {}{}", path, rule, value.describe(),
                                  value.line > 0 ? fmt::format(" (line {})", value.line) : ""));
}

double shortest_double(float value) {
  const std::string text = fmt::format("{}", value);
  double out = value;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

namespace detail {

std::string join(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::string range_text(const Range& range) {
  const bool low = std::isfinite(range.min), high = std::isfinite(range.max);
  if (low && high) {
    return fmt::format(" in {}{}, {}{}", range.open_min ? "(" : "[", range.min, range.max,
                       range.open_max ? ")" : "]");
  }
  if (low) return fmt::format(" {} {}", range.open_min ? ">" : ">=", range.min);
  if (high) return fmt::format(" {} {}", range.open_max ? "<" : "<=", range.max);
  return "";
}

std::string nearest_name(std::string_view wrong, const std::vector<std::string>& names) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(wrong.size() / 3, 2) + 1;
  for (const std::string& name : names) {
    std::vector<std::size_t> row(name.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= wrong.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= name.size(); ++j) {
        const std::size_t replaced = diagonal + (wrong[i - 1] == name[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = name;
    }
  }
  return best;
}

void read_unknown(const Value& map, const std::vector<std::string>& known, const ReadContext& context) {
  for (const auto& [key, value] : map.as_map()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = nearest_name(key, known);
    context.problems->push_back(
        fmt::format("{}: is not an option here{}{}", context.in(key).path,
                    near.empty() ? "; options: " + join(known) : ", did you mean '" + near + "'?",
                    value.line > 0 ? fmt::format(" (line {})", value.line) : ""));
  }
}

bool read_number(const Value& value, const Range& range, bool whole, const ReadContext& context,
                 double& out) {
  if (!value.is_number() || !range.contains(value.as_number()) || (whole && !value.is_integer())) {
    context.add(value, fmt::format("must be a {}{}", whole ? "whole number" : "number", range_text(range)));
    return false;
  }
  out = value.as_number();
  return true;
}

bool read_integer(const Value& value, const Range& range, double low, double high, const ReadContext& context,
                  std::int64_t& out) {
  const Range narrowed{std::max(range.min, low), std::min(range.max, high), range.open_min, range.open_max};
  // The type's own limits are only mentioned when the option has none of its own that is tighter.
  double ignored = 0;
  if (!value.is_integer() || !narrowed.contains(value.as_number())) {
    return read_number(value, value.is_integer() && range.contains(value.as_number()) ? narrowed : range,
                       true, context, ignored);
  }
  out = value.as_integer();
  return true;
}

}  // namespace detail
void override_value(Value& tree, std::string_view path, Value value, std::string_view whole) {
  const std::size_t dot = path.find('.');
  const std::string_view head = path.substr(0, dot);
  if (head.empty())
    throw Error(ErrorCode::kInvalidOption, fmt::format("--set {}: an empty name in the path", whole));
  if (tree.is_list()) {
    Value::List list = tree.as_list();
    std::size_t index = list.size();
    const std::string digits(head);
    if (digits.find_first_not_of("0123456789") == std::string::npos && digits.size() < 9)
      index = std::stoul(digits);
    if (index >= list.size()) {
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("--set {}: '{}' is no index of a list of {}", whole, head, list.size()));
    }
    if (dot == std::string_view::npos) {
      list[index] = std::move(value);
    } else {
      override_value(list[index], path.substr(dot + 1), std::move(value), whole);
    }
    tree = Value(std::move(list));
    return;
  }
  if (!tree.is_map() && !tree.is_null()) {
    // `loss: bce` names a kind; an option of it may still be set.
    Value map;
    if (tree.is_string()) map.set("kind", tree);
    tree = std::move(map);
  }
  if (dot == std::string_view::npos) {
    tree.set(head, std::move(value));
    return;
  }
  Value inner = tree.find(head) != nullptr ? *tree.find(head) : Value();
  override_value(inner, path.substr(dot + 1), std::move(value), whole);
  tree.set(head, std::move(inner));
}

}  // namespace earmark
