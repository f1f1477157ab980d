// value.h: the tree that recipes (YAML) and bundle metadata (JSON) are read into and written from.
// Maps keep their order; each value remembers the line it came from, for error messages.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace earmark {

class Value {
 public:
  using List = std::vector<Value>;
  using Member = std::pair<std::string, Value>;
  using Map = std::vector<Member>;

  Value() = default;
  Value(bool b) : data_(b) {}                            // NOLINT(google-explicit-constructor)
  Value(std::int64_t i) : data_(i) {}                    // NOLINT(google-explicit-constructor)
  Value(int i) : data_(static_cast<std::int64_t>(i)) {}  // NOLINT(google-explicit-constructor)
  Value(double d) : data_(d) {}                          // NOLINT(google-explicit-constructor)
  Value(std::string s) : data_(std::move(s)) {}          // NOLINT(google-explicit-constructor)
  Value(const char* s) : data_(std::string(s)) {}        // NOLINT(google-explicit-constructor)
  Value(List list) : data_(std::move(list)) {}           // NOLINT(google-explicit-constructor)
  Value(Map map) : data_(std::move(map)) {}              // NOLINT(google-explicit-constructor)

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_list() const { return std::holds_alternative<List>(data_); }
  bool is_map() const { return std::holds_alternative<Map>(data_); }

  /// Each throws Error(kBadFile) when the value is of another kind.
  bool as_bool() const;
  std::int64_t as_integer() const;
  double as_number() const;
  const std::string& as_string() const;
  const List& as_list() const;
  const Map& as_map() const;

  /// Member of a map, or nullptr (also when this is no map).
  const Value* find(std::string_view key) const;
  /// Member of a map. @throws Error(kBadFile) when it is missing.
  const Value& at(std::string_view key) const;
  /// Adds or replaces a member; a null value becomes a map first.
  Value& set(std::string_view key, Value value);
  /// Appends to a list; a null value becomes a list first.
  void push_back(Value value);

  /// "true", "3", "'dog'", "a list" ...: what was found, for error messages.
  std::string describe() const;

  int line = 0;  ///< 1-based line in the text it was read from; 0 when it came from none

  friend bool operator==(const Value& a, const Value& b) { return a.data_ == b.data_; }

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data_;
};

/// @throws Error(kBadFile) with line and column; documents deeper than 64 levels are refused, keys that come
/// twice, and a second document.
Value parse_yaml(const std::string& text, const std::string& name);
/// @throws Error(kBadFile) likewise; of a key that comes twice the last value counts, at the first one's
/// place.
Value parse_json(std::string_view text, const std::string& name);

/// Block style, flow style for maps and lists of plain values that fit on one line.
std::string to_yaml(const Value& value);
/// `indent` < 0: one line. Numbers keep enough digits to read back the same; NaN and infinity become null.
std::string to_json(const Value& value, int indent = -1);

}  // namespace earmark
