#include "tagger/combine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "architectures/model_options.h"
#include "core/options_io.h"
#include "earmark/error.h"
#include "tagger/scorer.h"

namespace earmark {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string name_of(CombineRule rule) { return detail::write_field(rule).as_string(); }

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

std::vector<std::string> problems_of(const CombineRequest& request) {
  std::vector<std::string> found;
  const Bundle& first = request.bundles.front();
  for (std::size_t i = 0; i < request.bundles.size(); ++i) {
    const Bundle& bundle = request.bundles[i];
    if (bundle.calibration)
      found.push_back(fmt::format(
          "bundle {}: its calibration was fitted to its own scores and would be lost; combine the "
          "bundles without one and calibrate the result (`earmark model calibrate`)",
          i + 1));
    if (bundle.combine == CombineRule::kHierarchy)
      found.push_back(
          fmt::format("bundle {}: is a hierarchy, which cannot be part of another bundle", i + 1));
    if (bundle.networks.size() > 1 &&
        (request.rule == CombineRule::kHierarchy || bundle.combine != request.rule))
      found.push_back(
          fmt::format("bundle {}: its {} networks are combined by the rule '{}', these by '{}', and a bundle "
                      "has one rule; "
                      "combine what `earmark predict` writes of each",
                      i + 1, bundle.networks.size(), name_of(bundle.combine), name_of(request.rule)));
    if (bundle.networks.size() > 1 && bundle.sum_to_one && !request.sum_to_one.value_or(true))
      found.push_back(fmt::format(
          "bundle {}: divides each clip's scores by their sum, which --row-sum free cannot take back",
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
  made.parents = hierarchy ? request.parents : first.parents;
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
  Value::List origins;
  for (std::size_t i = 0; i < request.bundles.size(); ++i) {
    Bundle& bundle = request.bundles[i];
    origins.push_back(bundle.provenance);
    const double own =
        request.weights.empty() ? 1.0 / static_cast<double>(request.bundles.size()) : request.weights[i];
    if (!hierarchy) {
      const std::vector<double> weights = weights_within(bundle, own);
      made.weights.insert(made.weights.end(), weights.begin(), weights.end());
    }
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
