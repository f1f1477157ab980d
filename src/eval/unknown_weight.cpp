#include "eval/unknown_weight.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "earmark/error.h"

namespace earmark {

void weigh_tag(const std::vector<std::string>& tags, std::vector<float>& scores, const std::string& tag,
               double weight) {
  const auto found = std::find(tags.begin(), tags.end(), tag);
  if (found == tags.end())
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("unknown_tag: must be one of {}, got '{}'", fmt::join(tags, ", "), tag));
  if (!(weight > 0.0) || !std::isfinite(weight))
    throw Error(ErrorCode::kInvalidOption, fmt::format("unknown_weight: must be above 0, got {}", weight));
  for (auto k = static_cast<std::size_t>(found - tags.begin()); k < scores.size(); k += tags.size())
    scores[k] *= static_cast<float>(weight);
}

std::vector<UnknownWeight> unknown_weights(const LabeledScores& data, const std::string& unknown_tag) {
  constexpr int kFrom = -20, kTo = 40, kSteps = 20;
  EvaluateOptions options;
  options.unknown_tag = unknown_tag;
  std::vector<UnknownWeight> weights;
  for (int i = kFrom; i <= kTo; ++i) {
    LabeledScores weighted = data;
    const double weight = std::pow(10.0, static_cast<double>(i) / kSteps);
    weigh_tag(weighted.tags, weighted.scores, unknown_tag, weight);
    weights.push_back({weight, evaluate(weighted, options).value("open_set_score")});
  }
  return weights;
}

UnknownWeight best_unknown_weight(std::span<const UnknownWeight> weights) {
  UnknownWeight best = weights.front();
  for (const UnknownWeight& w : weights) {
    const bool nearer = std::abs(std::log(w.weight)) < std::abs(std::log(best.weight));
    if (w.score > best.score || (w.score == best.score && nearer)) best = w;
  }
  return best;
}

}  // namespace earmark
