#include "core/value.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <sstream>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr int kDeepest = 64;
constexpr std::size_t kMostYamlValues = 1'000'000;

[[noreturn]] void wrong_kind(const Value& value, const char* wanted) {
  throw Error(ErrorCode::kBadFile,
              fmt::format("{}expected {}, got {}", value.line > 0 ? fmt::format("line {}: ", value.line) : "",
                          wanted, value.describe()));
}

// YAML 1.2 core schema: what an unquoted scalar means.
Value plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null") return Value();
  if (text == "true" || text == "True") return Value(true);
  if (text == "false" || text == "False") return Value(false);
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (*begin == '+') ++begin;
  std::int64_t integer = 0;
  if (auto [at, error] = std::from_chars(begin, end, integer); error == std::errc() && at == end)
    return Value(integer);
  double real = 0;
  if (auto [at, error] = std::from_chars(begin, end, real);
      error == std::errc() && at == end && std::isfinite(real)) {
    return Value(real);
  }
  return Value(text);
}

// Hears where documents begin, and nothing else.
class DocumentStarts final : public YAML::EventHandler {
 public:
  explicit DocumentStarts(const std::string& name) : name_(name) {}
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++n_ < 2) return;
    throw Error(
        ErrorCode::kBadFile,
        fmt::format("{}:{}: a second document begins here, and only one is read: put it into a file of "
                    "its own, or remove it",
                    name_, mark.line + 1));
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}

 private:
  const std::string& name_;
  int n_ = 0;
};

// yaml-cpp hands out the first of several documents and says nothing of the others. Not by its LoadAll, which
// has no end where a text makes its parser stand still.
void refuse_second_document(const std::string& text, const std::string& name) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStarts starts(name);
  if (parser.HandleNextDocument(starts)) parser.HandleNextDocument(starts);
}

// @param n_left values that may still be made: an alias repeats all that it stands for, and aliases of
// aliases would make a text of a kilobyte a tree of gigabytes.
Value from_yaml(const YAML::Node& node, const std::string& name, int depth, std::size_t& n_left) {
  if (n_left-- == 0) {
    throw Error(ErrorCode::kBadFile, fmt::format("{}: more than {} values once its aliases are written out",
                                                 name, kMostYamlValues));
  }
  if (depth > kDeepest) throw Error(ErrorCode::kBadFile, name + ": nested deeper than 64 levels");
  Value value;
  if (node.IsScalar()) {
    value = node.Tag() == "!" ? Value(node.Scalar()) : plain_scalar(node.Scalar());
  } else if (node.IsSequence()) {
    Value::List list;
    for (const YAML::Node& item : node) list.push_back(from_yaml(item, name, depth + 1, n_left));
    value = Value(std::move(list));
  } else if (node.IsMap()) {
    Value::Map map;
    std::set<std::string> keys;
    for (const auto& member : node) {
      const std::string key = member.first.Scalar();
      if (!keys.insert(key).second) {
        throw Error(ErrorCode::kBadFile,
                    fmt::format("{}:{}: '{}' is given twice", name, member.first.Mark().line + 1, key));
      }
      map.emplace_back(key, from_yaml(member.second, name, depth + 1, n_left));
    }
    value = Value(std::move(map));
  }
  value.line = node.Mark().line + 1;
  return value;
}

// A key that comes twice has its last value, at the place of its first. By sorting: to look each key up among
// all before it would take hours of a hostile text's megabytes.
void settle_duplicates(Value::Map& map) {
  std::vector<std::size_t> order(map.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int compared = map[a].first.compare(map[b].first);
    return compared != 0 ? compared < 0 : a < b;
  });
  std::vector<bool> superseded(map.size(), false);
  bool any = false;
  for (std::size_t i = 1, first = 0; i < order.size(); ++i) {
    if (map[order[i]].first != map[order[first]].first) {
      first = i;
      continue;
    }
    map[order[first]].second = std::move(map[order[i]].second);
    superseded[order[i]] = true;
    any = true;
  }
  if (!any) return;
  Value::Map kept;
  for (std::size_t i = 0; i < map.size(); ++i) {
    if (!superseded[i]) kept.push_back(std::move(map[i]));
  }
  map = std::move(kept);
}

// Builds a Value while nlohmann's reader goes along, without its tree, whose maps look every key up among all
// before it. Depth is the caller's to bound.
class JsonBuilder final : public nlohmann::ordered_json::json_sax_t {
 public:
  explicit JsonBuilder(const std::string& name) : name_(name) {}
  Value take() { return std::move(root_); }

  bool null() override { return add(Value()); }
  bool boolean(bool b) override { return add(Value(b)); }
  bool number_integer(std::int64_t i) override { return add(Value(i)); }
  bool number_unsigned(std::uint64_t i) override {
    // What no signed integer holds is a real number, as in YAML; it must not wrap round to a negative one.
    if (i > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return add(Value(static_cast<double>(i)));
    return add(Value(static_cast<std::int64_t>(i)));
  }
  bool number_float(double x, const std::string&) override { return add(Value(x)); }
  bool string(std::string& text) override { return add(Value(std::move(text))); }
  bool binary(nlohmann::ordered_json::binary_t&) override { return false; }  // JSON as text has none

  bool start_object(std::size_t) override { return open(true); }
  bool key(std::string& text) override {
    open_.back().key = std::move(text);
    return true;
  }
  bool end_object() override {
    Value::Map map = std::move(open_.back().map);
    open_.pop_back();
    settle_duplicates(map);
    return add(Value(std::move(map)));
  }
  bool start_array(std::size_t) override { return open(false); }
  bool end_array() override {
    Value::List list = std::move(open_.back().list);
    open_.pop_back();
    return add(Value(std::move(list)));
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line ...": what stands behind the library's name of
    // it.
    const std::string_view what = error.what();
    throw Error(ErrorCode::kBadFile,
                fmt::format("{}: is no JSON: {}", name_, what.substr(what.find("] ") + 2)));
  }

 private:
  struct Open {
    bool is_map = false;
    Value::Map map;
    Value::List list;
    std::string key;  // whose value comes next
  };

  bool open(bool is_map) {
    open_.push_back({is_map, {}, {}, {}});
    return true;
  }
  bool add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Open& in = open_.back(); in.is_map) {
      in.map.emplace_back(std::move(in.key), std::move(value));
    } else {
      in.list.push_back(std::move(value));
    }
    return true;
  }

  const std::string& name_;
  Value root_;
  std::vector<Open> open_;
};

nlohmann::ordered_json json_of(const Value& value) {
  if (value.is_bool()) return value.as_bool();
  if (value.is_integer()) return value.as_integer();
  if (value.is_number()) return value.as_number();
  if (value.is_string()) return value.as_string();
  if (value.is_list()) {
    auto array = nlohmann::ordered_json::array();
    for (const Value& item : value.as_list()) array.push_back(json_of(item));
    return array;
  }
  if (value.is_map()) {
    auto object = nlohmann::ordered_json::object();
    for (const auto& [key, item] : value.as_map()) object[key] = json_of(item);
    return object;
  }
  return nullptr;
}

// The shortest text that reads back as the same double, and as a real number, not an integer.
std::string real_text(double number) {
  std::string text = fmt::format("{}", number);
  return text.find_first_of(".eni") == std::string::npos ? text + ".0" : text;
}

std::string yaml_scalar(const Value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (value.is_integer()) return std::to_string(value.as_integer());
  if (value.is_number()) return real_text(value.as_number());
  const std::string& text = value.as_string();
  const bool safe = !text.empty() && plain_scalar(text).is_string() &&
                    text.find_first_of(":#{}[],&*!|>'\"%@`\n\t\\") == std::string::npos &&
                    text.front() != '-' && text.front() != '?' && text.front() != ' ' && text.back() != ' ';
  return safe ? text : nlohmann::json(text).dump();
}

// One line, or empty when a part of it is too deep or the line would be too long.
std::string yaml_flow(const Value& value) {
  if (!value.is_list() && !value.is_map()) return yaml_scalar(value);
  std::string text = value.is_list() ? "[" : "{";
  const char* separator = "";
  auto add = [&](const std::string& key, const Value& item) {
    const std::string inner = yaml_flow(item);
    if (inner.empty()) return false;
    text += separator + (key.empty() ? "" : yaml_scalar(Value(key)) + ": ") + inner;
    separator = ", ";
    return true;
  };
  if (value.is_list()) {
    for (const Value& item : value.as_list()) {
      if (!add("", item)) return "";
    }
  } else {
    for (const auto& [key, item] : value.as_map()) {
      if (!add(key, item)) return "";
    }
  }
  text += value.is_list() ? "]" : "}";
  return text.size() <= 100 ? text : "";
}

void yaml_block(const Value& value, int indent, std::string& out) {
  const std::string pad(static_cast<std::size_t>(indent), ' ');
  auto item_text = [&](const std::string& head, const Value& item) {
    const std::string flow = yaml_flow(item);
    if (!flow.empty()) {
      out += pad + head + " " + flow + "\n";
    } else {
      out += pad + head + "\n";
      yaml_block(item, indent + 2, out);
    }
  };
  if (value.is_map()) {
    for (const auto& [key, item] : value.as_map()) item_text(yaml_scalar(Value(key)) + ":", item);
  } else if (value.is_list()) {
    for (const Value& item : value.as_list()) item_text("-", item);
  } else {
    out += pad + yaml_scalar(value) + "\n";
  }
}

}  // namespace

bool Value::as_bool() const {
  if (!is_bool()) wrong_kind(*this, "true or false");
  return std::get<bool>(data_);
}
std::int64_t Value::as_integer() const {
  if (!is_integer()) wrong_kind(*this, "a whole number");
  return std::get<std::int64_t>(data_);
}
double Value::as_number() const {
  if (is_integer()) return static_cast<double>(std::get<std::int64_t>(data_));
  if (!is_number()) wrong_kind(*this, "a number");
  return std::get<double>(data_);
}
const std::string& Value::as_string() const {
  if (!is_string()) wrong_kind(*this, "a text");
  return std::get<std::string>(data_);
}
const Value::List& Value::as_list() const {
  if (!is_list()) wrong_kind(*this, "a list");
  return std::get<List>(data_);
}
const Value::Map& Value::as_map() const {
  if (!is_map()) wrong_kind(*this, "a map");
  return std::get<Map>(data_);
}

const Value* Value::find(std::string_view key) const {
  if (!is_map()) return nullptr;
  for (const auto& [name, value] : std::get<Map>(data_)) {
    if (name == key) return &value;
  }
  return nullptr;
}

const Value& Value::at(std::string_view key) const {
  const Value* found = find(key);
  if (found == nullptr) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("{}'{}' is missing", line > 0 ? fmt::format("line {}: ", line) : "", key));
  }
  return *found;
}

Value& Value::set(std::string_view key, Value value) {
  if (is_null()) data_ = Map();
  if (!is_map()) wrong_kind(*this, "a map");
  auto& map = std::get<Map>(data_);
  for (auto& [name, old] : map) {
    if (name == key) return old = std::move(value);
  }
  map.emplace_back(std::string(key), std::move(value));
  return map.back().second;
}

void Value::push_back(Value value) {
  if (is_null()) data_ = List();
  if (!is_list()) wrong_kind(*this, "a list");
  std::get<List>(data_).push_back(std::move(value));
}

std::string Value::describe() const {
  if (is_string()) return "'" + as_string() + "'";
  if (is_list()) return fmt::format("a list of {}", as_list().size());
  if (is_map()) return "a map";
  return yaml_scalar(*this);
}

Value parse_yaml(const std::string& text, const std::string& name) {
  try {
    std::size_t n_left = kMostYamlValues;
    const YAML::Node document = YAML::Load(text);
    refuse_second_document(text, name);
    return from_yaml(document, name, 0, n_left);
  } catch (const YAML::Exception& e) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("{}:{}:{}: {}", name, e.mark.line + 1, e.mark.column + 1, e.msg));
  }
}

Value parse_json(std::string_view text, const std::string& name) {
  // The depth is checked before nlohmann's recursive reader sees the text.
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepest) throw Error(ErrorCode::kBadFile, name + ": nested deeper than 64 levels");
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  JsonBuilder builder(name);
  nlohmann::ordered_json::sax_parse(text, &builder);
  return builder.take();
}

std::string to_yaml(const Value& value) {
  std::string text;
  yaml_block(value, 0, text);
  return text;
}

std::string to_json(const Value& value, int indent) {
  return json_of(value).dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace earmark
