#include "train/inheritance.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "earmark/error.h"
#include "tagger/combine.h"
#include "tagger/embedder.h"

namespace earmark {
namespace {

// "generic (44 tensors), head.prob.weight": names by their first part, a single one whole.
std::string grouped(const std::vector<std::string>& names) {
  std::map<std::string, std::vector<std::string>> groups;
  for (const std::string& name : names) groups[name.substr(0, name.find('.'))].push_back(name);
  std::vector<std::string> told;
  for (const auto& [group, members] : groups)
    told.push_back(members.size() == 1 ? members.front()
                                       : fmt::format("{} ({} tensors)", group, members.size()));
  return fmt::format("{}", fmt::join(told, ", "));
}

// What both networks have an option for and have set otherwise: a layout or a number of heads that no shape
// tells would make the weights answer something else.
std::vector<std::string> differing_options(const Value& own, const Value& theirs) {
  std::vector<std::string> told;
  if (!own.is_map() || !theirs.is_map()) return told;
  for (const auto& [name, value] : own.as_map()) {
    const Value* other = theirs.find(name);
    const bool free = name == "n_tags" || name.find("dropout") != std::string::npos;
    if (!free && other != nullptr && !(*other == value))
      told.push_back(fmt::format("model.{}: the recipe has {}, the bundle {}", name, value.describe(),
                                 other->describe()));
  }
  return told;
}

void refuse_what_does_not_fit(const Inheritance& found, const std::vector<std::string>& may_lack) {
  const StateMismatch& mismatch = found.mismatch;
  std::vector<std::string> problems = found.options;
  problems.insert(problems.end(), mismatch.shapes.begin(), mismatch.shapes.end());
  for (const std::string& name : mismatch.missing) {
    if (std::find(may_lack.begin(), may_lack.end(), name) == may_lack.end())
      problems.push_back(name + ": is missing in the bundle");
  }
  if (!problems.empty()) {
    throw Error(
        ErrorCode::kBadBundle,
        "--init: the bundle's network is not the recipe's (train.init=matching takes what fits):", problems);
  }
}

}  // namespace

Bundle network_to_inherit(Bundle bundle, const std::string& kind, const std::string& name) {
  if (bundle.networks.size() == 1) return bundle;
  std::vector<std::size_t> fitting;
  for (std::size_t i = 0; i < bundle.networks.size(); ++i) {
    if (bundle.networks[i].kind == kind) fitting.push_back(i);
  }
  if (fitting.size() == 1) return extract_network(bundle, fitting.front());
  throw Error(
      ErrorCode::kInvalidOption,
      fmt::format(
          "--init: {} has {} networks, of which {} are of the recipe's kind, {}; `earmark model extract` "
          "makes a bundle of one of them",
          name, bundle.networks.size(), fitting.size(), kind));
}

Inheritance inherit(TaggingNetwork& network, const Value& options, const Bundle& init, InitRule rule,
                    bool same_tags) {
  if (rule == InitRule::kNone)
    throw Error(ErrorCode::kInvalidOption, "--init: the recipe takes no weights (train.init: none)");
  TensorMap state = init.tensors.front();
  take_tensors(state, "embedder.");
  std::vector<std::string> new_head;
  if (rule == InitRule::kWhole && !same_tags) {
    new_head = network.head_names();
    for (const std::string& name : new_head) state.erase(name);
  }
  const std::size_t n_given = state.size();
  Inheritance result;
  result.options = differing_options(options, init.networks.front().options);
  result.mismatch = load_matching_state(network, state);
  if (rule == InitRule::kWhole) refuse_what_does_not_fit(result, new_head);
  if (result.mismatch.unused.size() + result.mismatch.shapes.size() == n_given)
    throw Error(ErrorCode::kBadBundle,
                "--init: no tensor of the bundle has a name and shape of the recipe's network");
  const auto is_new = [&](const std::string& name) {
    const auto& missing = result.mismatch.missing;
    const auto& shapes = result.mismatch.shapes;
    return std::find(missing.begin(), missing.end(), name) != missing.end() ||
           std::any_of(shapes.begin(), shapes.end(),
                       [&](const std::string& told) { return told.starts_with(name + ":"); });
  };
  for (const auto& [name, tensor] : named_state(network)) {
    result.n_all += tensor.numel();
    if (!is_new(name)) result.n_weights += tensor.numel();
  }
  return result;
}

std::string to_text(const Inheritance& inheritance) {
  constexpr double kMillion = 1e6;
  const StateMismatch& mismatch = inheritance.mismatch;
  std::string text = fmt::format("init: {:.3g} of {:.3g} million weights begin with the bundle's",
                                 static_cast<double>(inheritance.n_weights) / kMillion,
                                 static_cast<double>(inheritance.n_all) / kMillion);
  if (!mismatch.missing.empty()) text += "\n  new: " + grouped(mismatch.missing);
  for (const std::string& shape : mismatch.shapes) text += "\n  new, of another shape: " + shape;
  for (const std::string& option : inheritance.options) text += "\n  set otherwise: " + option;
  if (!mismatch.unused.empty()) text += "\n  left in the bundle: " + grouped(mismatch.unused);
  return text;
}

}  // namespace earmark
