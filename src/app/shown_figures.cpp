#include "app/shown_figures.h"

#include <algorithm>

#include "eval/task.h"

namespace earmark {
namespace {

constexpr std::size_t kRoom = 4;
constexpr const char* kLevels[] = {"coarse", "fine"};
constexpr const char* kGeneral[] = {"accuracy", "lwlrap", "macro_ap", "micro_ap"};

// Of one device, or whatever the task tells apart: the figure that the task begins with.
void add_part_figures(const Value& parts, std::vector<std::pair<std::string, double>>& figures) {
  for (const auto& [part, whole] : parts.as_map()) {
    const Value::Map& metrics = whole.at("metrics").as_map();
    if (metrics.empty() || !metrics.front().second.is_number()) continue;
    const std::string name = metrics.front().first + "_" + part;
    const bool is_told =
        std::any_of(figures.begin(), figures.end(), [&](const auto& figure) { return figure.first == name; });
    if (!is_told && part.find('+') == std::string::npos)  // several together have a headline of their own
      figures.emplace_back(name, metrics.front().second.as_number());
  }
}

bool is_official(const Task& task, const std::string& name) {
  if (task.two_levels)
    return name.ends_with("auprc") &&
           std::any_of(std::begin(kLevels), std::end(kLevels),
                       [&](const std::string level) { return name.starts_with(level + "_"); });
  // Of the parts by which the task ranks also those that it has no headline for.
  return !task.told_parts.empty() &&
         std::any_of(task.headline.begin(), task.headline.end(),
                     [&](const std::string& headline) { return name.starts_with(headline + "_"); });
}

}  // namespace

std::vector<std::pair<std::string, double>> flat_figures(const Value& run) {
  std::vector<std::pair<std::string, double>> figures;
  const Value* metrics = run.find("metrics");
  if (metrics == nullptr || !metrics->is_map()) return figures;
  for (const auto& [name, value] : metrics->as_map()) {
    if (value.is_number()) figures.emplace_back(name, value.as_number());
    if (std::find(std::begin(kLevels), std::end(kLevels), name) == std::end(kLevels)) continue;
    for (const auto& [figure, of_level] : value.as_map()) {
      if (of_level.is_number()) figures.emplace_back(name + "_" + figure, of_level.as_number());
    }
  }
  const Value *dataset = run.find("dataset"), *parts = run.find("parts");
  if (dataset != nullptr && parts != nullptr && !task_of(dataset->as_string()).told_parts.empty())
    add_part_figures(*parts, figures);
  return figures;
}

std::vector<std::string> shown_figures(const std::string& dataset, const std::vector<std::string>& names) {
  const Task& task = task_of(dataset);
  std::vector<std::string> shown;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) != names.end() &&
        std::find(shown.begin(), shown.end(), name) == shown.end())
      shown.push_back(name);
  };
  for (const std::string& name : task.headline) add(name);
  for (const std::string& name : names) {
    if (is_official(task, name)) add(name);
  }
  for (const char* name : kGeneral) {
    if (shown.size() < kRoom) add(name);
  }
  return shown;
}

}  // namespace earmark
