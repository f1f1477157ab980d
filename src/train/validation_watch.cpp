#include "train/validation_watch.h"

#include <algorithm>

#include "recipe/named_metrics.h"

namespace earmark {
namespace {

Value to_map(const std::map<std::string, double>& values) {
  Value map{Value::Map()};
  for (const auto& [key, value] : values) map.set(key, value);
  return map;
}

std::map<std::string, double> from_map(const Value& map) {
  std::map<std::string, double> values;
  for (const auto& [key, value] : map.as_map()) values[key] = value.as_number();
  return values;
}

// What is to rise: the metric, or minus the loss.
std::optional<double> height_at(const Value& metrics, const std::string& path, const std::string& field) {
  const std::optional<double> value = metric_at(metrics, path, field);
  return value && path == "loss" ? -*value : value;
}

}  // namespace

ValidationWatch::ValidationWatch(const TrainOptions& train, const ScheduleOptions& schedule, double lr)
    : train_(train), schedule_(schedule), first_lr_(lr), lr_(lr) {
  if (const auto* options = std::get_if<PlateauRestartsOptions>(&schedule)) factor_ = options->factor;
}

// Microsoft, DCASE 2019 Task 5: the rate falls by the factor where nothing improves, and once it is at its
// lowest begins anew at the top with a factor that makes it fall less. @return whether the
// optimizer begins anew.
bool ValidationWatch::plateau(const Value& metrics) {
  const auto* options = std::get_if<PlateauRestartsOptions>(&schedule_);
  if (options == nullptr) return false;
  std::map<std::string, double> now;
  bool improved = false;
  for (const std::string& path : options->metrics) {
    const std::optional<double> height = height_at(metrics, path, "schedule.metrics");
    if (!height) continue;  // undefined here: no improvement
    now[path] = *height;
    const auto best = heights_.find(path);
    improved = improved || best == heights_.end() || *height > best->second;
  }
  if (improved) {
    for (const auto& [path, value] : now) {
      double& best = heights_.try_emplace(path, value).first->second;
      best = options->bests == PlateauBests::kTogether ? value : std::max(best, value);
    }
    n_flat_ = 0;
    return false;
  }
  if (++n_flat_ <= options->patience) return false;
  n_flat_ = 0;
  if (lr_ <= options->min_lr) {
    lr_ = first_lr_;
    factor_ = std::min(factor_ + options->factor_step, options->max_factor);
  } else {
    lr_ *= factor_;
    return !options->keep_moments;
  }
  return true;
}

ValidationWatch::Verdict ValidationWatch::see(const Value& metrics) {
  Verdict verdict;
  for (const std::string& path : train_.best) {
    const std::optional<double> value = height_at(metrics, path, "train.best");
    if (!value) continue;
    const auto [best, is_new] = bests_.try_emplace(path, *value);
    if (!is_new && *value <= best->second) continue;
    best->second = *value;
    verdict.new_bests.push_back(path);
  }
  verdict.fresh_optimizer = plateau(metrics);
  if (train_.stop.patience > 0) {
    const std::optional<double> value = height_at(metrics, train_.stop.metric, "train.stop.metric");
    const bool higher = value && (!stop_seen_ || *value > stop_best_);
    stop_seen_ = stop_seen_ || value;
    if (higher) stop_best_ = *value;
    n_waited_ = higher ? 0 : n_waited_ + 1;
    verdict.stop = over();
  }
  return verdict;
}

Value ValidationWatch::state() const {
  Value state;
  state.set("lr", lr_);
  state.set("factor", factor_);
  state.set("n_flat", static_cast<std::int64_t>(n_flat_));
  state.set("n_waited", static_cast<std::int64_t>(n_waited_));
  state.set("bests", to_map(bests_));
  state.set("heights", to_map(heights_));
  if (stop_seen_) state.set("stop_best", stop_best_);
  return state;
}

void ValidationWatch::restore(const Value& state) {
  lr_ = state.at("lr").as_number();
  factor_ = state.at("factor").as_number();
  n_flat_ = state.at("n_flat").as_integer();
  n_waited_ = state.at("n_waited").as_integer();
  bests_ = from_map(state.at("bests"));
  heights_ = from_map(state.at("heights"));
  const Value* stop_best = state.find("stop_best");
  stop_seen_ = stop_best != nullptr;
  if (stop_seen_) stop_best_ = stop_best->as_number();
}

}  // namespace earmark
