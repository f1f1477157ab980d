#include "tagger/score_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace earmark {
namespace {

// Members' scores as the rule sees them: one place a tag, NaN where nobody answers.
using Scores = std::vector<float>;

Scores mean_of(const ScoreGroup& group, const std::vector<const Scores*>& members) {
  std::vector<double> total(members.front()->size(), 0.0);
  double weight_sum = 0.0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const double weight = group.weights.empty() ? 1.0 : group.weights[i];
    weight_sum += weight;
    for (std::size_t k = 0; k < total.size(); ++k) total[k] += weight * static_cast<double>((*members[i])[k]);
  }
  Scores scores(total.size());
  for (std::size_t k = 0; k < total.size(); ++k) scores[k] = static_cast<float>(total[k] / weight_sum);
  return scores;
}

Scores geometric_mean_of(const ScoreGroup& group, const std::vector<const Scores*>& members) {
  std::vector<double> logs(members.front()->size(), 0.0);
  double weight_sum = 0.0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const double weight =
        group.weights.empty() ? 1.0 / static_cast<double>(members.size()) : group.weights[i];
    weight_sum += weight;
    for (std::size_t k = 0; k < logs.size(); ++k)
      logs[k] += weight * std::log(static_cast<double>((*members[i])[k]) + 1e-20);
  }
  double largest = -std::numeric_limits<double>::infinity(), sum = 0.0;
  for (const double x : logs) largest = std::fmax(largest, x);  // passes over NaN
  for (double& x : logs) {
    x = std::exp(group.sum_to_one ? x - largest : x / weight_sum);
    if (!std::isnan(x)) sum += x;
  }
  Scores scores(logs.size());
  for (std::size_t k = 0; k < logs.size(); ++k)
    scores[k] = static_cast<float>(group.sum_to_one ? logs[k] / sum : logs[k]);
  return scores;
}

using Answers = std::vector<bool>;  // [n_tags]

Answers answers_of(const BundledNetwork& network, const std::vector<std::string>& tags) {
  Answers own(tags.size(), network.tags.empty());
  for (const std::string& tag : network.tags) {
    const auto place = std::find(tags.begin(), tags.end(), tag);
    if (place != tags.end()) own[static_cast<std::size_t>(place - tags.begin())] = true;
  }
  return own;
}

}  // namespace

ScoreGroup root_group(const Bundle& bundle) {
  ScoreGroup root{bundle.members, bundle.combine, bundle.weights, bundle.sum_to_one, bundle.top, {}};
  if (root.members.empty()) {
    root.members.resize(bundle.networks.size());
    std::iota(root.members.begin(), root.members.end(), 0);
  }
  return root;
}

ScoreTree::ScoreTree(const Bundle& bundle)
    : n_networks_(bundle.networks.size()), parents_(bundle.parents), groups_(bundle.groups) {
  groups_.push_back(root_group(bundle));
  const bool alone = n_networks_ == 1 && bundle.groups.empty() && bundle.members.empty();
  if (alone) groups_.back().weights.clear();
  for (const BundledNetwork& network : bundle.networks) answers_.push_back(answers_of(network, bundle.tags));
  for (const ScoreGroup& group : groups_) {
    const auto first = static_cast<std::size_t>(group.members.front());
    answers_.push_back(group.combine == CombineRule::kHierarchy ? Answers(bundle.tags.size(), true)
                                                                : answers_[first]);
  }
}

// A tag that the top does not answer for is not read; one that a branch answers for without a number has
// none.
std::vector<float> ScoreTree::by_hierarchy(const ScoreGroup& group,
                                           const std::vector<const Scores*>& members) const {
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  const auto answers = [&](std::size_t member, std::size_t tag) {
    return answers_[static_cast<std::size_t>(group.members[member])][tag];
  };
  Scores top = *members.front();
  Scores branches(top.size(), kNone);
  std::vector<bool> broken(top.size(), false);
  for (std::size_t k = 0; k < top.size(); ++k) {
    if (!answers(0, k)) top[k] = 0.0f;
    for (std::size_t i = 1; i < members.size(); ++i) {
      if (!answers(i, k)) continue;
      branches[k] = (*members[i])[k];
      broken[k] = std::isnan(branches[k]);
    }
  }
  Scores scores = hierarchy_scores(parents_, top, branches, group.top);
  for (std::size_t k = 0; k < scores.size(); ++k) {
    if (broken[k]) scores[k] = kNone;
  }
  return scores;
}

std::vector<float> ScoreTree::combined(const ScoreGroup& group,
                                       const std::vector<std::vector<float>>& nodes) const {
  std::vector<const Scores*> members;
  for (const int member : group.members) members.push_back(&nodes[static_cast<std::size_t>(member)]);
  if (group.combine == CombineRule::kHierarchy) return by_hierarchy(group, members);
  const bool exponents = group.sum_to_one && !group.weights.empty();
  if (members.size() == 1 && !exponents) return *members.front();
  return group.combine == CombineRule::kGeometric ? geometric_mean_of(group, members)
                                                  : mean_of(group, members);
}

std::vector<float> ScoreTree::scores(const std::function<std::vector<float>(std::size_t network)>& scores_of,
                                     bool calibrated) const {
  std::vector<Scores> nodes;
  for (std::size_t i = 0; i < n_networks_; ++i) nodes.push_back(scores_of(i));
  for (const ScoreGroup& group : groups_) {  // each has only what stands before it
    nodes.push_back(combined(group, nodes));
    if (calibrated && group.calibration) group.calibration->apply(nodes.back());
    for (const int member : group.members) nodes[static_cast<std::size_t>(member)] = {};  // has its one use
  }
  return std::move(nodes.back());
}

namespace {

// Walks the groups in order and keeps which tags each network and group answers for.
class TreeCheck {
 public:
  explicit TreeCheck(const Bundle& bundle) : bundle_(bundle), used_(bundle.networks.size()) {
    for (const BundledNetwork& network : bundle.networks)
      answers_.push_back(answers_of(network, bundle.tags));
  }

  std::vector<std::string> problems() {
    if (bundle_.groups.size() > kMostGroups)
      return {fmt::format("groups: at most {}, got {}", kMostGroups, bundle_.groups.size())};
    if (!bundle_.groups.empty() && bundle_.members.empty())
      return {"members: must be there where there are groups, got none"};
    for (std::size_t g = 0; g < bundle_.groups.size() && found_.empty(); ++g) {
      const ScoreGroup& group = bundle_.groups[g];
      const std::string path = fmt::format("groups[{}].", g);
      if (group.members.empty()) found_.push_back(path + "members: at least one is needed, got none");
      check(group, path);
      if (group.calibration) {
        for (const std::string& p : group.calibration->problems(bundle_.tags.size()))
          found_.push_back(path + "calibration." + p);
      }
    }
    if (found_.empty()) check(root_group(bundle_), "");
    const std::size_t n_members = bundle_.networks.size() + bundle_.groups.size();
    for (std::size_t node = 0; node < n_members && found_.empty(); ++node) {
      if (!used_[node]) found_.push_back(name_of(node) + ": is no member of anything");
    }
    if (found_.empty()) check_that_all_are_answered();
    return std::move(found_);
  }

 private:
  std::string name_of(std::size_t node) const {
    const std::size_t n = bundle_.networks.size();
    return node < n ? fmt::format("networks[{}]", node) : fmt::format("groups[{}]", node - n);
  }

  void check(const ScoreGroup& group, const std::string& path) {
    const std::size_t n_before = found_.size();
    for (const int member : group.members) {
      const auto node = static_cast<std::size_t>(member);
      if (member < 0 || node >= answers_.size()) {
        found_.push_back(fmt::format("{}members: must be networks and earlier groups, 0..{}, got {}", path,
                                     answers_.size() - 1, member));
      } else if (used_[node]) {
        found_.push_back(
            fmt::format("{}members: {} stands there twice, or in two places", path, name_of(node)));
      } else {
        used_[node] = true;
      }
    }
    if (!group.weights.empty() && group.weights.size() != group.members.size()) {
      found_.push_back(fmt::format("{}weights: one a {} ({}), got {}", path,
                                   path.empty() && bundle_.members.empty() ? "network" : "member",
                                   group.members.size(), group.weights.size()));
    }
    const double sum = std::accumulate(group.weights.begin(), group.weights.end(), 0.0);
    if (!group.weights.empty() && !(sum > 0.0)) found_.push_back(path + "weights: must not all be 0");
    if (std::isinf(sum)) found_.push_back(path + "weights: must have a sum that is a number, got infinity");
    Answers answers(bundle_.tags.size(), true);
    if (found_.size() == n_before && !group.members.empty()) {
      if (group.combine == CombineRule::kHierarchy) {
        check_hierarchy(group, path);
      } else {
        answers = check_same_tags(group);
      }
    }
    if (found_.empty()) {
      for (const int member : group.members)
        answers_[static_cast<std::size_t>(member)] = {};  // has its one use
    }
    answers_.push_back(std::move(answers));
    used_.push_back(false);
  }

  // What is averaged must be there of every member.
  Answers check_same_tags(const ScoreGroup& group) {
    const auto first = static_cast<std::size_t>(group.members.front());
    for (const int member : group.members) {
      const auto node = static_cast<std::size_t>(member);
      if (answers_[node] != answers_[first])
        found_.push_back(fmt::format("{}.tags: must be those of {}, with which it is averaged", name_of(node),
                                     name_of(first)));
    }
    return answers_[first];
  }

  void check_hierarchy(const ScoreGroup& group, const std::string& path) {
    if (bundle_.parents.empty()) {
      found_.push_back("parents: " + path + "combine hierarchy needs them, got none");
      return;
    }
    const auto top = static_cast<std::size_t>(group.members.front());
    std::vector<bool> of_branches(bundle_.tags.size(), false);
    for (std::size_t k = 0; k < bundle_.tags.size(); ++k) {
      const bool is_read = group.top == HierarchyTop::kJoint || bundle_.parents[k] < 0;
      if (is_read && !answers_[top][k])
        found_.push_back(fmt::format("{}.tags: the top must answer for '{}'", name_of(top), bundle_.tags[k]));
      for (std::size_t i = 1; i < group.members.size(); ++i) {
        const auto branch = static_cast<std::size_t>(group.members[i]);
        if (answers_[branch][k] && of_branches[k])
          found_.push_back(
              fmt::format("{}.tags: '{}' is answered for twice", name_of(branch), bundle_.tags[k]));
        of_branches[k] = of_branches[k] || answers_[branch][k];
      }
    }
  }

  // By the bundle as a whole; where one rule is all there is, the network that lacks tags is named.
  void check_that_all_are_answered() {
    const Answers& whole = answers_.back();
    const auto n = std::count(whole.begin(), whole.end(), true);
    if (static_cast<std::size_t>(n) == whole.size()) return;
    const auto lacking = static_cast<std::size_t>(root_group(bundle_).members.front());
    found_.push_back(fmt::format("{}.tags: all {} are needed, got {}", name_of(lacking), whole.size(), n));
  }

  const Bundle& bundle_;
  std::vector<Answers> answers_;  // of the networks, then of the groups
  std::vector<bool> used_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> score_tree_problems(const Bundle& bundle) { return TreeCheck(bundle).problems(); }

}  // namespace earmark
