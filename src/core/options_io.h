// options_io.h: structs of options <-> Value, driven by the one declaration in each struct
// (earmark/options.h). Reading collects every problem, with the path of the field, the value found
// and what is allowed; nothing is taken silently: a key that no field reads is a problem too.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/value.h"
#include "earmark/options.h"

namespace earmark {

/// Where a value stands: dotted path for messages, and the list that problems are added to.
struct ReadContext {
  std::string path;
  std::vector<std::string>* problems;

  ReadContext in(std::string_view name) const;
  ReadContext in(std::size_t index) const;
  void add(const Value& value, const std::string& rule) const;  ///< "path: rule, got X (line N)"
};

/// One documented option, for --help and docs/recipes.md.
struct OptionDoc {
  std::string path;      ///< dotted
  std::string type;      ///< "number", "one of: a, b"
  std::string fallback;  ///< the default
  std::string doc;
};

/// The double whose shortest text is the float's shortest text: 0.1f -> 0.1, not 0.10000000149.
double shortest_double(float value);

namespace detail {

std::string range_text(const Range& range);
std::string nearest_name(std::string_view wrong, const std::vector<std::string>& names);
void read_unknown(const Value& map, const std::vector<std::string>& known, const ReadContext& context);
bool read_number(const Value& value, const Range& range, bool whole, const ReadContext& context, double& out);
bool read_integer(const Value& value, const Range& range, double low, double high, const ReadContext& context,
                  std::int64_t& out);

template <class T>
concept HasFields = requires(T& t) {
  T::fields(t, [](auto&&...) {});
};
// A type that reads, writes and documents itself, as it has a form of its own ("20 epochs").
template <class T>
concept HasOwnForm = requires(const T& t, T& out, const Value& value, const Range& range) {
  { T::from_value(value, range, out) } -> std::same_as<bool>;
  { t.to_value() } -> std::same_as<Value>;
  { T::type_text(range) } -> std::same_as<std::string>;
};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsVariant : std::false_type {};
template <class... T>
struct IsVariant<std::variant<T...>> : std::true_type {};

template <class T>
void read_field(const Value& value, T& out, const Range& range, const ReadContext& context);
template <class T>
Value write_field(const T& in);
template <class T>
void document(const T& value, const std::string& path, std::vector<OptionDoc>& out);

template <class Variant, std::size_t Index = 0>
bool emplace_kind(const std::string& kind, Variant& out) {
  if constexpr (Index < std::variant_size_v<Variant>) {
    using Candidate = std::variant_alternative_t<Index, Variant>;
    if (kind == Candidate::kKind) {
      if (out.index() != Index) out = Candidate();
      return true;
    }
    return emplace_kind<Variant, Index + 1>(kind, out);
  } else {
    return false;
  }
}

template <class Variant, std::size_t Index = 0>
void kind_names(std::vector<std::string>& out) {
  if constexpr (Index < std::variant_size_v<Variant>) {
    out.emplace_back(std::variant_alternative_t<Index, Variant>::kKind);
    kind_names<Variant, Index + 1>(out);
  }
}

std::string join(const std::vector<std::string>& names);

/// Those to be told: older names of a value, which are read too, stand behind its own.
template <class E>
std::vector<std::string> enum_names() {
  std::vector<std::string> names;
  std::vector<E> told;
  for (const auto& [value, name] : EnumNames<E>::kNames) {
    if (std::find(told.begin(), told.end(), value) != told.end()) continue;
    told.push_back(value);
    names.emplace_back(name);
  }
  return names;
}

template <class T>
void read_struct(const Value& value, T& out, const ReadContext& context,
                 std::vector<std::string> known = {}) {
  if (!value.is_map()) return context.add(value, "must be a map of options");
  T::fields(out, [&](std::string_view name, auto& field, const Range& range, std::string_view) {
    known.emplace_back(name);
    if (const Value* member = value.find(name)) read_field(*member, field, range, context.in(name));
  });
  read_unknown(value, known, context);
}

template <class Variant>
void read_variant(const Value& value, Variant& out, const ReadContext& context) {
  // "kind" alone may stand for the whole map: `loss: bce`.
  const Value* kind = value.is_string() ? &value : value.find("kind");
  std::vector<std::string> kinds;
  kind_names<Variant>(kinds);
  if (kind == nullptr) {
    // Without a kind the present one is kept, so that overrides can name single fields.
    if (!value.is_map()) return context.add(value, "must be a map with `kind`, one of: " + join(kinds));
  } else if (!kind->is_string() || !emplace_kind(kind->as_string(), out)) {
    return context.in("kind").add(*kind, "must be one of: " + join(kinds));
  }
  if (value.is_map()) std::visit([&](auto& chosen) { read_struct(value, chosen, context, {"kind"}); }, out);
}

template <class T>
void read_field(const Value& value, T& out, const Range& range, const ReadContext& context) {
  if constexpr (IsOptional<T>::value) {
    if (value.is_null() || (value.is_string() && value.as_string() == "none")) {
      out.reset();
    } else {
      typename T::value_type inner{};
      if (out) inner = *out;
      read_field(value, inner, range, context);
      out = inner;
    }
  } else if constexpr (HasOwnForm<T>) {
    if (!T::from_value(value, range, out)) context.add(value, "must be a " + T::type_text(range));
  } else if constexpr (IsVariant<T>::value) {
    read_variant(value, out, context);
  } else if constexpr (HasFields<T>) {
    read_struct(value, out, context);
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto& [candidate, name] : EnumNames<T>::kNames) {
      if (value.is_string() && value.as_string() == name) {
        out = candidate;
        return;
      }
    }
    context.add(value, "must be one of: " + join(enum_names<T>()));
  } else if constexpr (std::is_same_v<T, bool>) {
    if (value.is_bool()) {
      out = value.as_bool();
    } else {
      context.add(value, "must be true or false");
    }
  } else if constexpr (std::is_integral_v<T>) {
    std::int64_t integer = 0;
    const double high = sizeof(T) == 8 ? 9.2e18 : static_cast<double>(std::numeric_limits<T>::max());
    const double low = std::is_unsigned_v<T> ? 0.0 : -high;
    if (read_integer(value, range, low, high, context, integer)) out = static_cast<T>(integer);
  } else if constexpr (std::is_floating_point_v<T>) {
    double number = 0;
    if (read_number(value, range, false, context, number)) out = static_cast<T>(number);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (value.is_string()) {
      out = value.as_string();
    } else {
      context.add(value, "must be a text");
    }
  } else if constexpr (std::is_same_v<T, Value>) {
    out = value;
  } else {
    static_assert(IsVector<T>::value,
                  "an option must be a number, text, enum, optional, list, struct or variant");
    if (!value.is_list()) return context.add(value, "must be a list");
    out.clear();
    std::size_t index = 0;
    for (const Value& item : value.as_list()) {
      typename T::value_type element{};
      read_field(item, element, range, context.in(index++));
      out.push_back(std::move(element));
    }
  }
}

template <class T>
Value write_struct(const T& in) {
  Value map{Value::Map()};
  T::fields(in, [&](std::string_view name, const auto& field, const Range&, std::string_view) {
    map.set(name, write_field(field));
  });
  return map;
}

template <class T>
Value write_field(const T& in) {
  if constexpr (IsOptional<T>::value) {
    return in ? write_field(*in) : Value();
  } else if constexpr (HasOwnForm<T>) {
    return in.to_value();
  } else if constexpr (IsVariant<T>::value) {
    return std::visit(
        [](const auto& chosen) {
          Value map{Value::Map()};
          map.set("kind", Value(std::string(std::decay_t<decltype(chosen)>::kKind)));
          const Value fields = write_struct(chosen);
          for (const auto& [name, value] : fields.as_map()) map.set(name, value);
          return map;
        },
        in);
  } else if constexpr (HasFields<T>) {
    return write_struct(in);
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto& [candidate, name] : EnumNames<T>::kNames) {
      if (candidate == in) return Value(std::string(name));
    }
    return Value();
  } else if constexpr (std::is_same_v<T, bool>) {
    return Value(in);
  } else if constexpr (std::is_integral_v<T>) {
    return Value(static_cast<std::int64_t>(in));
  } else if constexpr (std::is_same_v<T, float>) {
    return Value(shortest_double(in));
  } else if constexpr (std::is_floating_point_v<T> || std::is_same_v<T, std::string> ||
                       std::is_same_v<T, Value>) {
    return Value(in);
  } else {
    Value::List list;
    for (const auto& item : in) list.push_back(write_field(item));
    return Value(std::move(list));
  }
}

// Only what differs from the defaults of its own struct.
template <class T>
Value write_changed(const T& in) {
  if constexpr (IsVariant<T>::value) {
    return std::visit(
        [](const auto& chosen) {
          Value map{Value::Map()};
          map.set("kind", Value(std::string(std::decay_t<decltype(chosen)>::kKind)));
          const Value changed = write_changed(chosen);
          for (const auto& [name, value] : changed.as_map()) map.set(name, value);
          return map;
        },
        in);
  } else if constexpr (HasFields<T>) {
    Value map{Value::Map()};
    const T fallback{};
    std::vector<Value> defaults;
    T::fields(fallback, [&](std::string_view, const auto& field, const Range&, std::string_view) {
      defaults.push_back(write_field(field));
    });
    std::size_t index = 0;
    T::fields(in, [&](std::string_view name, const auto& field, const Range&, std::string_view) {
      if (!(write_field(field) == defaults[index++])) map.set(name, write_changed(field));
    });
    return map;
  } else if constexpr (IsVector<T>::value) {
    Value::List list;
    for (const auto& item : in) list.push_back(write_changed(item));
    return Value(std::move(list));
  } else {
    return write_field(in);
  }
}

template <class T>
std::string type_text(const Range& range) {
  if constexpr (IsOptional<T>::value) {
    return type_text<typename T::value_type>(range) + " or null";
  } else if constexpr (IsVector<T>::value) {
    return "list of " + type_text<typename T::value_type>(range);
  } else if constexpr (HasOwnForm<T>) {
    return T::type_text(range);
  } else if constexpr (std::is_enum_v<T>) {
    return "one of: " + join(enum_names<T>());
  } else if constexpr (std::is_same_v<T, Value>) {
    return "map";
  } else if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (std::is_integral_v<T>) {
    return "whole number" + range_text(range);
  } else if constexpr (std::is_floating_point_v<T>) {
    return "number" + range_text(range);
  } else if constexpr (IsVariant<T>::value) {
    std::vector<std::string> kinds;
    kind_names<T>(kinds);
    return "one of: " + join(kinds);
  } else {
    return "text";
  }
}

template <class Variant, std::size_t Index = 0>
void document_kinds(const std::string& path, std::vector<OptionDoc>& out) {
  if constexpr (Index < std::variant_size_v<Variant>) {
    using Candidate = std::variant_alternative_t<Index, Variant>;
    document(Candidate(), path + "(" + std::string(Candidate::kKind) + ")", out);
    document_kinds<Variant, Index + 1>(path, out);
  }
}

template <class T>
void document(const T& value, const std::string& path, std::vector<OptionDoc>& out) {
  T::fields(value, [&](std::string_view name, const auto& field, const Range& range, std::string_view doc) {
    using Field = std::decay_t<decltype(field)>;
    const std::string here = path.empty() ? std::string(name) : path + "." + std::string(name);
    if constexpr (HasFields<Field>) {
      out.push_back({here, "map", "", std::string(doc)});
      document(field, here, out);
    } else if constexpr (IsVariant<Field>::value) {
      out.push_back(
          {here, type_text<Field>(range), write_field(field).at("kind").as_string(), std::string(doc)});
      document_kinds<Field>(here, out);
    } else if constexpr (IsVector<Field>::value) {
      out.push_back({here, type_text<Field>(range), to_json(write_field(field)), std::string(doc)});
      if constexpr (IsVariant<typename Field::value_type>::value) {
        document_kinds<typename Field::value_type>(here, out);
      }
    } else {
      out.push_back({here, type_text<Field>(range), to_json(write_field(field)), std::string(doc)});
    }
  });
}

}  // namespace detail

/// Reads `map` over the present values of `options`; every problem goes to `problems`.
template <class T>
void read_options(const Value& map, T& options, const std::string& path, std::vector<std::string>& problems) {
  detail::read_field(map, options, kAny, ReadContext{path, &problems});
}

/// Every field, defaults included, in declaration order.
template <class T>
Value write_options(const T& options) {
  return detail::write_field(options);
}

/// Only the fields that differ from their defaults: an identity that stays the same when options are added.
template <class T>
Value write_changed_options(const T& options) {
  return detail::write_changed(options);
}

/// Each field outside its declared Range as "path: rule, got value": for structs filled in by code.
template <class T>
std::vector<std::string> range_problems(const T& options) {
  std::vector<std::string> problems;
  T copy = options;
  read_options(write_options(options), copy, "", problems);
  return problems;
}

template <class T>
std::vector<OptionDoc> document_options(const std::string& path = "") {
  std::vector<OptionDoc> out;
  detail::document(T(), path, out);
  return out;
}

/// Sets a dotted path in a tree; list elements by number: augment.0.probability.
/// @param whole the text it came from, for messages. @throws Error(kInvalidOption).
void override_value(Value& tree, std::string_view path, Value value, std::string_view whole);

}  // namespace earmark
