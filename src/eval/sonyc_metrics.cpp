#include "eval/sonyc_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "core/options_io.h"
#include "core/parallel.h"
#include "earmark/error.h"
#include "eval/check_scores.h"
#include "eval/figures.h"
#include "eval/level_statistics.h"

namespace earmark {
namespace {

std::vector<CategoryTags> coarse_tags(const Taxonomy& taxonomy) {
  std::vector<CategoryTags> categories;
  for (const std::size_t tag : taxonomy.top_level()) categories.push_back({{tag}, std::nullopt});
  return categories;
}

std::vector<CategoryTags> fine_tags(const Taxonomy& taxonomy) {
  std::vector<CategoryTags> categories;
  for (const std::size_t tag : taxonomy.top_level()) {
    CategoryTags category;
    for (const std::size_t member : taxonomy.members(tag)) {
      if (taxonomy.is_other[member]) {
        category.other = member;
      } else {
        category.complete.push_back(member);
      }
    }
    categories.push_back(std::move(category));
  }
  return categories;
}

void check_taxonomy(const LabeledScores& data, const Taxonomy& taxonomy, std::vector<std::string>& problems) {
  const std::size_t n = taxonomy.size();
  if (taxonomy.tags != data.tags)
    problems.emplace_back("taxonomy: its tags must be those of the scores, in their order");
  if (taxonomy.parents.size() != n || taxonomy.is_other.size() != n) {
    problems.push_back(
        fmt::format("taxonomy: must say of each of its {} tags what is above it and whether it "
                    "is an other-tag, got {} and {}",
                    n, taxonomy.parents.size(), taxonomy.is_other.size()));
    return;
  }
  // A clip's changes are counted in 16 bits.
  if (n > 32767) problems.push_back(fmt::format("taxonomy: at most 32767 tags, got {}", n));
  if (taxonomy.is_flat()) problems.emplace_back("taxonomy: must have two levels, got one");
  for (std::size_t tag = 0; tag < n; ++tag) {
    const int parent = taxonomy.parents[tag];
    const bool is_above = parent < 0;
    const bool stands_right =
        is_above || (parent < static_cast<int>(n) && taxonomy.parents[static_cast<std::size_t>(parent)] < 0);
    if (!stands_right)
      problems.push_back(fmt::format("taxonomy: tag '{}': must stand directly below a tag of the upper level",
                                     taxonomy.tags[tag]));
  }
}

void check_range(const LabeledScores& data, std::vector<std::string>& problems) {
  FirstProblems outside;
  for (std::size_t i = 0; i < data.scores.size(); ++i) {
    if (data.scores[i] >= 0 && data.scores[i] <= 1) continue;
    outside.add(fmt::format("scores: clip '{}', tag '{}': must be in 0..1, got {}",
                            data.clip_ids[i / data.n_tags()], data.tags[i % data.n_tags()], data.scores[i]));
  }
  outside.finish("scores", problems);
}

void check(const LabeledScores& data, const Taxonomy& taxonomy, const EvaluateOptions& options) {
  std::vector<std::string> problems = range_problems(options);
  check_scores(data, problems);
  check_taxonomy(data, taxonomy, problems);
  if (problems.empty()) check_range(data, problems);
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the scores cannot be evaluated", problems);
}

SonycLevel level_of(const LevelStatistics& statistics, const Taxonomy& taxonomy, ClipWeights once,
                    TieOrder ties) {
  LevelStatistics::Workspace workspace;
  const std::vector<double> values = statistics.compute(once, ties, workspace);
  SonycLevel level;
  level.micro_auprc = {"micro_auprc", values[0], std::nullopt};
  level.micro_f1 = {"micro_f1", values[1], std::nullopt};
  level.macro_auprc = {"macro_auprc", values[2], std::nullopt};
  const std::vector<std::size_t> top = taxonomy.top_level();
  for (std::size_t i = 0; i < top.size(); ++i) {
    const CategoryCounts& category = statistics.categories()[i];
    LevelCounts at_half;
    category.visit(once, [&](std::size_t row, const LevelCounts& counts) {
      if (category.thresholds()[row] >= 0.5f) at_half = counts;
    });
    level.categories.push_back({taxonomy.tags[top[i]],
                                category.support(),
                                category.known(),
                                {"auprc", values[LevelStatistics::kFirstCategory + i], std::nullopt},
                                at_half.precision(),
                                at_half.recall(),
                                at_half.f1()});
  }
  return level;
}

std::vector<Metric*> metrics_of(SonycLevel& level) {
  std::vector<Metric*> metrics{&level.micro_auprc, &level.micro_f1, &level.macro_auprc};
  for (SonycCategory& category : level.categories) metrics.push_back(&category.auprc);
  return metrics;
}

void add_intervals(const LabeledScores& data, const EvaluateOptions& options, const LevelStatistics& coarse,
                   const LevelStatistics& fine, SonycEvaluation& evaluation) {
  const ClipResampler resampler(data.n_clips(), data.groups, options.seed);
  evaluation.confidence = options.confidence;
  evaluation.n_units = static_cast<std::int64_t>(resampler.n_units());
  std::vector<LevelStatistics::Workspace> workspaces(static_cast<std::size_t>(
      worker_count(options.threads, static_cast<std::size_t>(options.bootstrap_resamples))));
  const auto intervals = bootstrap_intervals(
      resampler, data.n_clips(),
      {options.bootstrap_resamples, options.seed, options.confidence, options.threads},
      [&](ClipWeights weights, int worker) {
        LevelStatistics::Workspace& workspace = workspaces[static_cast<std::size_t>(worker)];
        std::vector<double> values = coarse.compute(weights, options.tie_order, workspace);
        const std::vector<double> below = fine.compute(weights, options.tie_order, workspace);
        values.insert(values.end(), below.begin(), below.end());
        return values;
      });
  std::vector<Metric*> metrics = metrics_of(evaluation.coarse);
  const std::vector<Metric*> below = metrics_of(evaluation.fine);
  metrics.insert(metrics.end(), below.begin(), below.end());
  for (std::size_t i = 0; i < metrics.size(); ++i) metrics[i]->interval = intervals[i];
}

Value pair_of(const Interval& interval) {
  return Value(Value::List{Value(interval.low), Value(interval.high)});
}

Value classes_value(const SonycLevel& level) {
  Value rows{Value::Map()};
  for (const SonycCategory& category : level.categories) {
    Value row;
    row.set("auprc", category.auprc.value);
    if (category.auprc.interval) row.set("auprc_interval", pair_of(*category.auprc.interval));
    row.set("precision", category.precision);
    row.set("recall", category.recall);
    row.set("f1", category.f1);
    row.set("support", category.support);
    row.set("known", category.known);
    rows.set(category.tag, std::move(row));
  }
  return rows;
}

}  // namespace

SonycEvaluation evaluate_sonyc(const LabeledScores& data, const Taxonomy& taxonomy,
                               const EvaluateOptions& options) {
  check(data, taxonomy, options);
  const ScoreView view(data.truth, data.scores, data.n_tags());
  const LevelStatistics coarse(view, coarse_tags(taxonomy), LevelStatistics::Level::kUpper);
  const LevelStatistics fine(view, fine_tags(taxonomy), LevelStatistics::Level::kLower);
  const std::vector<std::uint32_t> once(data.n_clips(), 1);
  SonycEvaluation evaluation;
  evaluation.n_clips = static_cast<std::int64_t>(data.n_clips());
  evaluation.tie_order = options.tie_order;
  evaluation.coarse = level_of(coarse, taxonomy, once, options.tie_order);
  evaluation.fine = level_of(fine, taxonomy, once, options.tie_order);
  if (options.bootstrap_resamples > 0) add_intervals(data, options, coarse, fine, evaluation);
  return evaluation;
}

Figures level_figures(const LabeledScores& data, const Taxonomy& taxonomy, const EvaluateOptions& options) {
  check(data, taxonomy, options);
  const ScoreView view(data.truth, data.scores, data.n_tags());
  using Levels = std::pair<LevelStatistics, LevelStatistics>;
  const auto levels = std::make_shared<const Levels>(
      LevelStatistics(view, coarse_tags(taxonomy), LevelStatistics::Level::kUpper),
      LevelStatistics(view, fine_tags(taxonomy), LevelStatistics::Level::kLower));
  Figures figures;
  for (const char* level : {"coarse", "fine"}) {
    for (const char* name : {"micro_auprc", "micro_f1", "macro_auprc"})
      figures.names.push_back(fmt::format("{}.{}", level, name));
  }
  figures.compute = [levels, ties = options.tie_order](ClipWeights weights) {
    LevelStatistics::Workspace workspace;
    std::vector<double> values;
    for (const LevelStatistics* level : {&levels->first, &levels->second}) {
      const std::vector<double> own = level->compute(weights, ties, workspace);
      values.insert(values.end(), own.begin(), own.begin() + LevelStatistics::kFirstCategory);
    }
    return values;
  };
  return figures;
}

std::string tie_order_name(TieOrder ties) {
  for (const auto& [value, name] : EnumNames<TieOrder>::kNames) {
    if (value == ties) return std::string(name);
  }
  throw Error(ErrorCode::kInternal, "an order of ties without a name");
}

Value to_value(const SonycEvaluation& evaluation) {
  Value metrics, intervals, classes;
  for (const auto& [name, level] :
       {std::pair{"coarse", &evaluation.coarse}, std::pair{"fine", &evaluation.fine}}) {
    Value values, ends{Value::Map()};
    for (const Metric* metric : {&level->micro_auprc, &level->micro_f1, &level->macro_auprc}) {
      values.set(metric->name, metric->value);
      if (metric->interval) ends.set(metric->name, pair_of(*metric->interval));
    }
    metrics.set(name, std::move(values));
    intervals.set(name, std::move(ends));
    classes.set(name, classes_value(*level));
  }
  metrics.set("tie_order", tie_order_name(evaluation.tie_order));
  Value out;
  out.set("n_clips", evaluation.n_clips);
  out.set("metrics", std::move(metrics));
  if (evaluation.confidence > 0) {
    out.set("confidence", evaluation.confidence);
    out.set("n_units", evaluation.n_units);
    out.set("intervals", std::move(intervals));
  }
  out.set("per_class", std::move(classes));
  return out;
}

}  // namespace earmark
