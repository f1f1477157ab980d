#include "recipe/stages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "earmark/error.h"
#include "recipe/recipe.h"
#include "recipe/run_folder.h"

namespace earmark {
namespace {

// A map that chooses a kind stands in place of the whole option, another one says some of its fields.
void add_overrides(const std::string& path, const Value& value, std::vector<std::string>& overrides) {
  if (!value.is_map() || value.find("kind") != nullptr) {
    overrides.push_back(path + "=" + to_json(value));
    return;
  }
  for (const auto& [name, member] : value.as_map())
    add_overrides(path.empty() ? name : path + "." + name, member, overrides);
}

bool is_folder_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
}

// What stands earlier in the list: stages that leave bundles, and how many; stages that leave labels.
struct Earlier {
  std::map<std::string, std::size_t> bundles;
  std::map<std::string, bool> labels;
  std::map<std::string, std::set<double>> segments_s;  // of a stage's bundles
  std::set<std::string> trees;                         // stages whose bundle holds a hierarchy
};

class Checker {
 public:
  Checker(const Recipe& recipe, std::vector<std::string>& found) : recipe_(recipe), found_(found) {}

  void check(std::size_t index) {
    path_ = fmt::format("stages[{}].", index);
    const StageOptions& stage = recipe_.stages[index];
    const std::string& name = name_of(stage);
    if (!is_folder_name(name))
      add("name", fmt::format("must be letters, digits, '_', '-' and '.', got '{}'", name));
    if (is_run_file(name))
      add("name", fmt::format("must not be that of a file of the run itself, got '{}'", name));
    if (earlier_.bundles.contains(name) || earlier_.labels.contains(name))
      add("name", fmt::format("each only once, got '{}' again", name));
    std::visit([&](const auto& chosen) { check_kind(chosen); }, stage);
  }
  /// How many bundles the last stage leaves.
  std::size_t n_last() const { return n_last_; }

 private:
  void add(const std::string& field, const std::string& rule) {
    found_.push_back(path_ + field + ": " + rule);
  }

  void check_set(const Value& set) {
    if (!set.is_null() && !set.is_map())
      add("set", fmt::format("must be a map of key.path: value, got {}", set.describe()));
  }
  void check_each(const Value& each) {
    if (each.is_null()) return;
    if (!each.is_map())
      return add("each", fmt::format("must be a map of key.path: list, got {}", each.describe()));
    for (const auto& [key, values] : each.as_map()) {
      if (!values.is_list() || values.as_list().empty())
        add("each." + key, fmt::format("must be a list of values, got {}", values.describe()));
    }
  }
  std::optional<Recipe> check_recipe(const std::vector<std::string>& overrides, const std::string& name) {
    try {
      return without_stages(recipe_, overrides, "stage " + name);
    } catch (const Error& e) {
      found_.emplace_back(e.what());
      return std::nullopt;
    }
  }
  void check_one(const std::string& field, const std::string& from) {
    if (from.empty()) return;
    const auto found = earlier_.bundles.find(from);
    if (found == earlier_.bundles.end() || found->second != 1)
      add(field, fmt::format("must name an earlier stage that leaves one bundle, got '{}'", from));
  }
  std::size_t check_from(const std::vector<std::string>& from) {
    if (from.empty()) add("from", "must name at least one earlier stage, got []");
    std::size_t n = 0;
    for (const std::string& name : from) {
      const auto found = earlier_.bundles.find(name);
      if (found == earlier_.bundles.end()) {
        add("from", fmt::format("must name earlier stages that leave bundles, got '{}'", name));
      } else {
        n += found->second;
      }
    }
    return n;
  }

  // One bundle hears segments of one length.
  void check_segments(const CombineStage& stage) {
    std::set<double>& all = earlier_.segments_s[stage.name];
    for (const std::string& name : stage.from) {
      const auto own = earlier_.segments_s.find(name);
      if (own != earlier_.segments_s.end()) all.insert(own->second.begin(), own->second.end());
    }
    if (all.size() > 1)
      add("from", fmt::format("must have one tagging.segment_s, got {} s", fmt::join(all, " s, ")));
  }
  void check_trees(const CombineStage& stage) {
    const bool hierarchy = stage.rule == CombineRule::kHierarchy;
    for (const std::string& name : stage.from) {
      if (!earlier_.trees.contains(name)) continue;
      if (hierarchy)
        add("from", fmt::format("'{}' is a hierarchy, which cannot be part of another one", name));
      earlier_.trees.insert(stage.name);
    }
    if (hierarchy) earlier_.trees.insert(stage.name);
  }

  void check_kind(const TrainStage& stage) {
    check_set(stage.set);
    check_each(stage.each);
    check_one("init", stage.init);
    check_one("embedder", stage.embedder);
    if (!stage.labels.empty() && !earlier_.labels.contains(stage.labels))
      add("labels", fmt::format("must name an earlier relabel stage, got '{}'", stage.labels));
    const std::vector<TrainUnit> units = units_of(stage, 0);
    for (const TrainUnit& unit : units) {
      const auto own = check_recipe(unit.overrides, unit.name);
      if (own && !stage.init.empty() && own->train.init == InitRule::kNone)
        add("init", fmt::format("'{}' is never taken where train.init is none", stage.init));
      if (own && own->data.folds.n > 0 && unit.fold > own->data.folds.n)
        add("folds", fmt::format("data.folds.n is {}, got fold {}", own->data.folds.n, unit.fold));
      if (own) earlier_.segments_s[stage.name].insert(own->tagging.segment_s);
    }
    leave(stage.name, units.size());
  }
  void check_kind(const RelabelStage& stage) {
    check_set(stage.set);
    for (const std::string& change : as_overrides(stage.set)) {
      if (!change.starts_with("data.") && !change.starts_with("data="))
        add("set", fmt::format("no network is trained here: only data.* is read, got '{}'", change));
    }
    check_from(stage.from);
    check_recipe(as_overrides(stage.set), stage.name);
    earlier_.labels[stage.name] = true;
    n_last_ = 0;
  }
  void check_kind(const CombineStage& stage) {
    const std::size_t n = check_from(stage.from);
    if (!stage.weights.empty() && stage.weights.size() != n)
      add("weights", fmt::format("one a bundle ({}), got {}", n, stage.weights.size()));
    if (!stage.weights.empty() &&
        std::all_of(stage.weights.begin(), stage.weights.end(), [](double w) { return w == 0.0; }))
      add("weights", "must not all be 0");
    check_segments(stage);
    check_trees(stage);
    if (stage.rule == CombineRule::kHierarchy && n < 2)
      add("from", fmt::format("a hierarchy needs a top and branches, got {} bundle", n));
    leave(stage.name, 1);
  }
  void leave(const std::string& name, std::size_t n) {
    earlier_.bundles[name] = n;
    n_last_ = n;
  }

  const Recipe& recipe_;
  std::vector<std::string>& found_;
  std::string path_;
  Earlier earlier_;
  std::size_t n_last_ = 0;
};

// A value as part of a folder's name, or its place in the list where it cannot be one.
std::string folder_suffix(const Value::List& list, const Value& value) {
  if (value.is_integer()) return std::to_string(value.as_integer());
  if (value.is_string() && is_folder_name(value.as_string())) return "-" + value.as_string();
  return fmt::format("-{}", &value - list.data());
}

}  // namespace

std::vector<std::string> as_overrides(const Value& set) {
  std::vector<std::string> overrides;
  if (set.is_map()) add_overrides("", set, overrides);
  return overrides;
}

const std::string& name_of(const StageOptions& stage) {
  return std::visit([](const auto& chosen) -> const std::string& { return chosen.name; }, stage);
}

std::vector<TrainUnit> units_of(const TrainStage& stage, int run_fold) {
  std::vector<TrainUnit> units{{stage.name, as_overrides(stage.set), run_fold}};
  const auto multiply = [&units](const auto& values, const auto& change) {
    if (values.empty()) return;
    std::vector<TrainUnit> more;
    for (const TrainUnit& unit : units) {
      for (const auto& value : values) {
        more.push_back(unit);
        change(more.back(), value);
      }
    }
    units = std::move(more);
  };
  multiply(stage.seeds, [](TrainUnit& unit, long seed) {
    unit.name += fmt::format("-seed{}", seed);
    unit.overrides.push_back(fmt::format("seed={}", seed));
  });
  multiply(stage.folds, [](TrainUnit& unit, int fold) {
    unit.name += fmt::format("-fold{}", fold);
    unit.fold = fold;
  });
  multiply(stage.branches, [](TrainUnit& unit, const std::string& branch) {
    unit.name += "-" + branch;
    unit.overrides.push_back("data.branch.of=" + to_json(Value(branch)));
  });
  if (stage.each.is_map()) {
    for (const auto& [key, values] : stage.each.as_map()) {
      if (!values.is_list()) continue;
      const std::string field = key.substr(key.rfind('.') + 1);
      multiply(values.as_list(),
               [&key = key, &field, &list = values.as_list()](TrainUnit& unit, const Value& value) {
                 unit.name += fmt::format("-{}{}", field, folder_suffix(list, value));
                 unit.overrides.push_back(key + "=" + to_json(value));
               });
    }
  }
  return units;
}

Recipe without_stages(const Recipe& recipe, const std::vector<std::string>& overrides,
                      const std::string& name) {
  Recipe alone = recipe;
  alone.stages.clear();
  return parse_recipe(recipe_to_yaml(alone), name, overrides);
}

std::vector<std::string> stage_problems(const Recipe& recipe) {
  std::vector<std::string> found;
  if (recipe.stages.empty()) return found;
  Checker checker(recipe, found);
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) checker.check(i);
  if (checker.n_last() != 1)
    found.push_back(
        fmt::format("stages: the last must leave one bundle, got {}; a combine stage makes one of several",
                    checker.n_last()));
  return found;
}

}  // namespace earmark
