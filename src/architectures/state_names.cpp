#include "architectures/state_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/options_io.h"
#include "core/value.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::string_view kWrappers[] = {"module.", "model.", "net.", "network."};
constexpr std::string_view kCounter = "num_batches_tracked";
constexpr std::string_view kFirstOutput = ":0";  // behind the name of a TensorFlow variable

struct StateNameTable {
  std::vector<StateNameRule> names;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("names", self.names, kAny, "rules, the first that fits is taken");
  }
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

StateNameTable table_of(const std::string& kind) {
  StateNameTable table;
  for (const EmbeddedText& text : kStateNameTexts) {
    if (text.name != kind) continue;
    const std::string file = kind + ".yaml";
    std::vector<std::string> problems;
    read_options(parse_yaml(std::string(text.text), file), table, file, problems);
    if (!problems.empty())
      throw Error(ErrorCode::kInternal, "a table of state names does not read:", problems);
  }
  return table;
}

// The prefixes of wrappers that most names begin with, as one.
std::string wrapper_of(const TensorMap& state) {
  std::string wrapper;
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view candidate : kWrappers) {
      const std::string longer = wrapper + std::string(candidate);
      const auto n = std::count_if(state.begin(), state.end(),
                                   [&](const auto& item) { return item.first.starts_with(longer); });
      if (2 * static_cast<std::size_t>(n) > state.size()) {
        wrapper = longer;
        again = true;
        break;
      }
    }
  }
  return wrapper;
}

}  // namespace

std::optional<std::string> renamed(const StateNameRule& rule, std::string_view name) {
  std::string_view number, rest;
  std::size_t at = 0;
  for (std::size_t i = 0; i < rule.from.size(); ++i) {
    if (rule.from[i] == '*') {
      rest = name.substr(at);
      at = name.size();
    } else if (rule.from[i] == '#') {
      const std::size_t begin = at;
      while (at < name.size() && is_digit(name[at])) ++at;
      number = name.substr(begin, at - begin);
      if (number.empty()) return std::nullopt;
    } else if (at < name.size() && name[at] == rule.from[i]) {
      ++at;
    } else {
      return std::nullopt;
    }
  }
  if (at != name.size()) return std::nullopt;
  std::string made;
  for (const char c : rule.to) {
    if (c == '#') {
      made += number;
    } else if (c == '*') {
      made += rest;
    } else {
      made += c;
    }
  }
  return made;
}

Tensor permuted(const Tensor& tensor, const std::vector<int>& axes, const std::string& name) {
  const std::size_t rank = axes.size();
  if (tensor.shape.size() != rank) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("{}: must have {} dimensions, got {}", name, rank, tensor.shape_text()));
  }
  Tensor made{tensor.dtype, {}, {}};
  std::vector<std::byte> bytes(tensor.bytes.size());
  std::vector<std::size_t> steps(rank, 1);  // of the foreign axes, in elements
  for (std::size_t i = rank; i-- > 1;) steps[i - 1] = steps[i] * static_cast<std::size_t>(tensor.shape[i]);
  std::vector<std::size_t> own_steps;
  for (const int axis : axes) {
    made.shape.push_back(tensor.shape[static_cast<std::size_t>(axis)]);
    own_steps.push_back(steps[static_cast<std::size_t>(axis)]);
  }
  const std::size_t size = size_of(tensor.dtype), n = tensor.n_elements();
  std::vector<std::size_t> index(rank, 0);
  std::size_t from = 0;
  for (std::size_t to = 0; to < n; ++to) {
    std::memcpy(bytes.data() + to * size, tensor.bytes.data() + from * size, size);
    for (std::size_t axis = rank; axis-- > 0;) {  // the next index, as an odometer counts
      from += own_steps[axis];
      if (++index[axis] < static_cast<std::size_t>(made.shape[axis])) break;
      from -= index[axis] * own_steps[axis];
      index[axis] = 0;
    }
  }
  made.bytes = std::move(bytes);
  return made;
}

TranslatedState translate_state(const std::string& kind, const TensorMap& state) {
  const StateNameTable table = table_of(kind);
  const std::string wrapper = wrapper_of(state);
  TranslatedState result;
  std::size_t n_counters = 0;
  for (const auto& [name, tensor] : state) {
    std::string own = name.starts_with(wrapper) ? name.substr(wrapper.size()) : name;
    if (own.ends_with(kFirstOutput)) own.resize(own.size() - kFirstOutput.size());
    if (own.ends_with(kCounter)) {
      ++n_counters;
      continue;
    }
    const StateNameRule* used = nullptr;
    for (const StateNameRule& rule : table.names) {
      if (const auto made = renamed(rule, own)) {
        own = *made;
        used = &rule;
        break;
      }
    }
    result.by_table = result.by_table || used != nullptr;
    Tensor value = used != nullptr && !used->permute.empty() ? permuted(tensor, used->permute, name) : tensor;
    if (used != nullptr && used->column && value.shape.size() == 1) value.shape.push_back(1);
    if (!result.tensors.emplace(own, std::move(value)).second) {
      throw Error(ErrorCode::kBadFile,
                  fmt::format("{} and {}: both are {} of the network", result.origin[own], name, own));
    }
    result.origin[own] = name;
  }
  if (n_counters > 0)
    result.left.push_back(fmt::format("{}: {} counters of training steps", kCounter, n_counters));
  return result;
}

}  // namespace earmark
