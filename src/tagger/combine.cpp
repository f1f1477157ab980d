#include "tagger/combine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "architectures/model_options.h"
#include "earmark/error.h"
#include "tagger/score_tree.h"
#include "tagger/scorer.h"

namespace earmark {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void compare_tags(const std::vector<std::string>& first, const std::vector<std::string>& own,
                  std::size_t number, std::vector<std::string>& found) {
  constexpr std::size_t kShown = 3;
  const auto tell = [&](const std::vector<std::string>& wanted, const std::vector<std::string>& there,
                        const char* how) {
    std::vector<std::string> lacking;
    for (const std::string& tag : wanted) {
      if (!holds(there, tag)) lacking.push_back("'" + tag + "'");
    }
    if (lacking.empty()) return;
    const std::size_t n = lacking.size();
    lacking.resize(std::min(n, kShown));
    found.push_back(fmt::format("bundle {}: {}: {}{}", number, how, fmt::join(lacking, ", "),
                                n > kShown ? fmt::format(" and {} more", n - kShown) : ""));
  };
  tell(first, own, "lacks tags of the first one");
  tell(own, first, "has tags that the first one lacks");
}

// Outputs that are no tags of a hierarchy (data.branch.negatives: dummy) are not told, so what is divided by
// the sum of all of them cannot be.
bool divides_by_others(const Bundle& bundle, const std::vector<std::string>& tags) {
  const bool sums =
      bundle.sum_to_one || std::any_of(bundle.groups.begin(), bundle.groups.end(),
                                       [](const ScoreGroup& group) { return group.sum_to_one; });
  return sums && bundle.networks.size() > 1 &&
         !std::all_of(bundle.tags.begin(), bundle.tags.end(),
                      [&](const std::string& tag) { return holds(tags, tag); });
}

bool holds_a_tree(const Bundle& bundle) {
  return bundle.combine == CombineRule::kHierarchy ||
         std::any_of(bundle.groups.begin(), bundle.groups.end(),
                     [](const ScoreGroup& group) { return group.combine == CombineRule::kHierarchy; });
}

// Where a tag stands; names.size(): nowhere.
std::size_t place_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

// The bundle's parents with its tags in another order.
std::vector<int> parents_among(const Bundle& bundle, const std::vector<std::string>& tags) {
  std::vector<int> parents;
  for (const std::string& tag : tags) {
    const int parent = bundle.parents[place_of(bundle.tags, tag)];
    const auto above = static_cast<std::size_t>(parent);
    parents.push_back(parent < 0 ? -1 : static_cast<int>(place_of(tags, bundle.tags[above])));
  }
  return parents;
}

// The tree of tags that hierarchies among the bundles share; else the first one's.
std::vector<int> shared_parents(const std::vector<Bundle>& bundles, std::vector<std::string>& found) {
  const std::vector<std::string>& tags = bundles.front().tags;
  std::optional<std::vector<int>> shared;
  for (std::size_t i = 0; i < bundles.size(); ++i) {
    if (!holds_a_tree(bundles[i])) continue;
    const std::vector<int> own = parents_among(bundles[i], tags);
    if (shared && *shared != own)
      found.push_back(fmt::format("bundle {}: has its tags in another tree than a bundle before it", i + 1));
    shared = own;
  }
  return shared.value_or(bundles.front().parents);
}

std::vector<std::string> problems_of(const CombineRequest& request) {
  std::vector<std::string> found;
  const Bundle& first = request.bundles.front();
  for (std::size_t i = 0; i < request.bundles.size(); ++i) {
    const Bundle& bundle = request.bundles[i];
    if (request.rule == CombineRule::kHierarchy && holds_a_tree(bundle))
      found.push_back(fmt::format("bundle {}: is a hierarchy, which cannot be part of another one", i + 1));
    if (request.rule == CombineRule::kHierarchy && divides_by_others(bundle, request.tags))
      found.push_back(
          fmt::format("bundle {}: divides its scores by their sum, also over outputs that are no tags of the "
                      "hierarchy; combine its networks with --row-sum free, or by mean",
                      i + 1));
    if (!request.segment_s && bundle.segment_s != first.segment_s)
      found.push_back(
          fmt::format("bundle {}: hears segments of {:g} s, the first one of {:g} s; say one length for all "
                      "(--segment-s)",
                      i + 1, bundle.segment_s, first.segment_s));
    if (bundle.padding != first.padding)
      found.push_back(
          fmt::format("bundle {}: completes short segments in another way than the first", i + 1));
    if (request.rule != CombineRule::kHierarchy) compare_tags(first.tags, bundle.tags, i + 1, found);
  }
  if (request.rule != CombineRule::kHierarchy && found.empty()) shared_parents(request.bundles, found);
  if (!request.weights.empty() && request.weights.size() != request.bundles.size())
    found.push_back(
        fmt::format("weights: one a bundle ({}), got {}", request.bundles.size(), request.weights.size()));
  double sum = 0.0;
  for (const double weight : request.weights) {
    if (!(weight >= 0.0) || !std::isfinite(weight))
      found.push_back(fmt::format("weights: must be finite and not negative, got {}", weight));
    sum += weight;
  }
  if (std::isinf(sum) && found.empty())
    found.emplace_back("weights: their sum is no number any more; divide all of them by the largest");
  if (!request.weights.empty() && std::all_of(request.weights.begin(), request.weights.end(),
                                              [](double weight) { return weight == 0.0; }))
    found.emplace_back("weights: one at least must be above 0, got none");
  if (request.sum_to_one.value_or(false) && request.rule != CombineRule::kGeometric)
    found.emplace_back(
        "row sum: only geometric bundles divide a clip's scores by their sum; leave --row-sum out");
  return found;
}

// What each network of one bundle counts in the new one, where the bundle itself counts `own`: together as
// much as the bundle did by itself.
std::vector<double> weights_within(const Bundle& bundle, double own) {
  const std::size_t n = bundle.networks.size();
  if (bundle.weights.empty()) return std::vector<double>(n, own / static_cast<double>(n));
  // Exponents that stand as they are go on doing so; other weights say shares of one.
  double whole = 0.0;
  for (const double weight : bundle.weights) whole += weight;
  if (bundle.sum_to_one) whole = 1.0;
  std::vector<double> weights = bundle.weights;
  for (double& weight : weights) weight *= own / whole;
  return weights;
}

// The tags that a network of a hierarchy answers for; an output that is none of the hierarchy's has no name.
std::vector<std::string> known_tags(const std::vector<std::string>& own,
                                    const std::vector<std::string>& all) {
  std::vector<std::string> known = own;
  for (std::string& tag : known) {
    if (!holds(all, tag)) tag.clear();
  }
  return known;
}

// Whether the bundle is one network and nothing else.
bool is_one_network(const Bundle& bundle) {
  return bundle.networks.size() == 1 && bundle.groups.empty() && bundle.members.empty() &&
         !bundle.calibration && bundle.combine != CombineRule::kHierarchy;
}

// Whether the rule over the bundle's networks may be the new bundle's over all of them: a mean of means. What
// was divided by its sum cannot be multiplied again.
bool may_join(const Bundle& bundle, const Bundle& made) {
  return bundle.groups.empty() && bundle.members.empty() && !bundle.calibration &&
         bundle.combine == made.combine && made.combine != CombineRule::kHierarchy &&
         !(bundle.sum_to_one && !made.sum_to_one);
}

std::optional<Calibration> calibration_among(std::optional<Calibration> calibration,
                                             const std::vector<std::string>& own,
                                             const std::vector<std::string>& tags) {
  if (!calibration || calibration->kind != CalibrationKind::kPlatt) return calibration;
  std::vector<double> slopes, offsets;
  for (const std::string& tag : tags) {
    const std::size_t place = place_of(own, tag);
    slopes.push_back(place < own.size() ? calibration->slopes[place] : 1.0);
    offsets.push_back(place < own.size() ? calibration->offsets[place] : 0.0);
  }
  calibration->slopes = std::move(slopes);
  calibration->offsets = std::move(offsets);
  return calibration;
}

// Adds the bundle's rules as groups; `first` is the number of its first network among `n_networks`.
// @return the number of the group that gives the bundle's scores.
int add_groups(Bundle& made, const Bundle& bundle, std::size_t first, std::size_t n_networks) {
  const std::size_t n_own = bundle.networks.size(), n_before = made.groups.size();
  std::vector<ScoreGroup> groups = bundle.groups;
  groups.push_back(root_group(bundle));
  groups.back().calibration = bundle.calibration;
  for (ScoreGroup& group : groups) {
    for (int& member : group.members) {
      const auto own = static_cast<std::size_t>(member);
      member = static_cast<int>(own < n_own ? first + own : n_networks + n_before + (own - n_own));
    }
    group.calibration = calibration_among(std::move(group.calibration), bundle.tags, made.tags);
    made.groups.push_back(std::move(group));
  }
  return static_cast<int>(n_networks + made.groups.size() - 1);
}

// Each bundle as a member of the new one's rule: its network, its networks, or a group.
void add_members(Bundle& made, const CombineRequest& request) {
  std::size_t n_networks = 0, first = 0;
  for (const Bundle& bundle : request.bundles) n_networks += bundle.networks.size();
  for (std::size_t i = 0; i < request.bundles.size(); ++i) {
    const Bundle& bundle = request.bundles[i];
    const double own =
        request.weights.empty() ? 1.0 / static_cast<double>(request.bundles.size()) : request.weights[i];
    std::vector<double> weights{own};
    if (is_one_network(bundle)) {
      made.members.push_back(static_cast<int>(first));
    } else if (may_join(bundle, made)) {
      weights = weights_within(bundle, own);
      for (std::size_t k = 0; k < bundle.networks.size(); ++k)
        made.members.push_back(static_cast<int>(first + k));
    } else {
      made.members.push_back(add_groups(made, bundle, first, n_networks));
    }
    if (made.combine != CombineRule::kHierarchy)
      made.weights.insert(made.weights.end(), weights.begin(), weights.end());
    first += bundle.networks.size();
  }
  const bool exponent = n_networks == 1 && made.sum_to_one && !request.weights.empty();
  if (made.groups.empty() && !exponent) made.members.clear();  // all networks, in order
}

bool all_give_one_tag(const std::vector<Bundle>& bundles) {
  return std::all_of(bundles.begin(), bundles.end(), [](const Bundle& bundle) {
    return std::all_of(bundle.networks.begin(), bundle.networks.end(),
                       [](const BundledNetwork& network) { return gives_one_tag(network.kind); });
  });
}

}  // namespace

Bundle combine_bundles(CombineRequest request, MakeNetworkFn& make_network) {
  if (request.bundles.empty())
    throw Error(ErrorCode::kInvalidOption, "bundles: at least one is needed, got none");
  if (const auto problems = problems_of(request); !problems.empty())
    throw Error(ErrorCode::kInvalidOption, "the bundles cannot be combined:", problems);
  const bool hierarchy = request.rule == CombineRule::kHierarchy;
  Bundle made;
  const Bundle& first = request.bundles.front();
  made.tags = hierarchy ? request.tags : first.tags;
  std::vector<std::string> none;
  made.parents = hierarchy ? request.parents : shared_parents(request.bundles, none);
  made.segment_s = request.segment_s.value_or(first.segment_s);
  made.padding = first.padding;
  made.events = first.events;
  made.combine = request.rule;
  made.top = request.top;
  for (const std::string& tag : made.tags) {
    double threshold = 0.5;
    for (const Bundle& bundle : request.bundles) {
      const auto place = std::find(bundle.tags.begin(), bundle.tags.end(), tag);
      if (place == bundle.tags.end()) continue;
      threshold = bundle.thresholds[static_cast<std::size_t>(place - bundle.tags.begin())];
      break;
    }
    made.thresholds.push_back(threshold);
  }
  made.sum_to_one = request.sum_to_one.value_or(request.rule == CombineRule::kGeometric &&
                                                all_give_one_tag(request.bundles));
  add_members(made, request);
  Value::List origins;
  for (Bundle& bundle : request.bundles) {
    origins.push_back(bundle.provenance);
    for (std::size_t k = 0; k < bundle.networks.size(); ++k) {
      // A network answers in the order of its own bundle's tags.
      const std::vector<std::string>& named = bundle.networks[k].tags;
      const std::vector<std::string>& own_tags = named.empty() ? bundle.tags : named;
      if (own_tags != made.tags) bundle.networks[k].tags = known_tags(own_tags, made.tags);
      made.networks.push_back(std::move(bundle.networks[k]));
      made.tensors.push_back(std::move(bundle.tensors[k]));
    }
  }
  made.provenance = Value(Value::Map{{"bundles", Value(std::move(origins))}});
  // Weights stay in the precision that each was stored in.
  complete_self_test(made, make_network, Precision::kFloat32);
  return made;
}

Bundle extract_network(const Bundle& bundle, std::size_t index) {
  if (index >= bundle.networks.size())
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("network: must be 0..{}, got {}", bundle.networks.size() - 1, index));
  Bundle made;
  made.networks = {bundle.networks[index]};
  made.tensors = {bundle.tensors[index]};
  made.segment_s = bundle.segment_s;
  made.padding = bundle.padding;
  made.events = bundle.events;
  const std::vector<std::string>& own = bundle.networks[index].tags;
  for (std::size_t k = 0; k < bundle.tags.size(); ++k) {
    if (!own.empty() && !holds(own, bundle.tags[k])) continue;
    made.tags.push_back(bundle.tags[k]);
    made.thresholds.push_back(bundle.thresholds[k]);
  }
  const Value* origins = bundle.provenance.is_map() ? bundle.provenance.find("bundles") : nullptr;
  const bool told =
      origins != nullptr && origins->is_list() && origins->as_list().size() == bundle.networks.size();
  made.provenance = told ? origins->as_list()[index] : bundle.provenance;
  return made;
}

}  // namespace earmark
