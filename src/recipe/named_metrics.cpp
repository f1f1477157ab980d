#include "recipe/named_metrics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/options_io.h"
#include "data/label_noise.h"
#include "data/splits.h"
#include "data/truth.h"
#include "earmark/error.h"

namespace earmark {
namespace {

// Of the path "a.b" the value at a, then b; null where there is none.
const Value* find_path(const Value& tree, const std::string& path) {
  const Value* at = &tree;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t dot = std::min(path.find('.', begin), path.size());
    if (!at->is_map()) return nullptr;
    at = at->find(path.substr(begin, dot - begin));
    if (at == nullptr) return nullptr;
    begin = dot + 1;
  }
  return at;
}

bool is_metric(const Value* found) { return found != nullptr && (found->is_null() || found->is_number()); }

void collect_paths(const Value& tree, const std::string& prefix, std::vector<std::string>& paths) {
  if (!tree.is_map()) {
    if (is_metric(&tree)) paths.push_back(prefix);
    return;
  }
  for (const auto& [key, value] : tree.as_map())
    collect_paths(value, prefix.empty() ? key : prefix + "." + key, paths);
}

std::string unknown_metric(const Value& metrics, const std::string& path, const std::string& field) {
  std::vector<std::string> paths;
  collect_paths(metrics, "", paths);
  const std::string near = detail::nearest_name(path, paths);
  return fmt::format("{}: must be a metric of this data set's validation ({}), got '{}'{}", field,
                     fmt::join(paths, ", "), path,
                     near.empty() ? "" : fmt::format(", did you mean '{}'?", near));
}

// Field and path of each.
std::vector<std::pair<std::string, std::string>> metrics_named_in(const Recipe& recipe) {
  std::vector<std::pair<std::string, std::string>> named;
  for (const std::string& path : recipe.train.best) named.emplace_back("train.best", path);
  if (recipe.train.stop.patience > 0) named.emplace_back("train.stop.metric", recipe.train.stop.metric);
  if (const auto* plateau = std::get_if<PlateauRestartsOptions>(&recipe.schedule)) {
    for (const std::string& path : plateau->metrics) named.emplace_back("schedule.metrics", path);
  }
  return named;
}

// The figures of a validation in which every score is 0: their names are those of any other.
Value figures_of_silence(const Dataset& data, const std::vector<std::size_t>& held_out) {
  TaskScores judged = held_out_truth(with_own_labels(data), held_out);
  judged.scores.scores.assign(judged.scores.n_clips() * judged.scores.n_tags(), 0.0f);
  Value metrics = to_value(evaluate_task(judged, task_of(data.name))).at("metrics");
  metrics.set("loss", 0.0);
  return metrics;
}

}  // namespace

std::optional<double> metric_at(const Value& metrics, const std::string& path, const std::string& field) {
  const Value* found = find_path(metrics, path);
  if (!is_metric(found)) throw Error(ErrorCode::kInvalidOption, unknown_metric(metrics, path, field));
  if (found->is_null()) return std::nullopt;
  const double value = found->as_number();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

void check_named_metrics(const Recipe& recipe, const Dataset& data, int fold, const std::string& where) {
  if (!steered_by_validations(recipe)) return;
  const std::vector<std::size_t> held_out = split_for_training(data, recipe.data.split, fold).held_out;
  if (held_out.empty()) {
    throw Error(ErrorCode::kInvalidOption,
                where +
                    "no clips are held out, and validations decide in this recipe (train.best, "
                    "train.stop or schedule); --fold N or a split 'validate' holds some out");
  }
  const Value metrics = figures_of_silence(data, held_out);
  std::vector<std::string> problems;
  for (const auto& [field, path] : metrics_named_in(recipe)) {
    if (!is_metric(find_path(metrics, path)))
      problems.push_back(unknown_metric(metrics, path, where + field));
  }
  if (problems.size() == 1) throw Error(ErrorCode::kInvalidOption, problems.front());
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "metrics that this data set's validations do not tell:", problems);
}

}  // namespace earmark
