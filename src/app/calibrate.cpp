#include "app/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "app/predict.h"
#include "core/file.h"
#include "core/options_io.h"
#include "data/label_noise.h"
#include "data/splits.h"
#include "data/truth.h"
#include "earmark/error.h"
#include "earmark/version.h"
#include "eval/tag_column.h"
#include "eval/task.h"

namespace earmark {
namespace {

CalibrationFigures figures_of(std::span<const float> truth, std::span<const float> scores, double threshold) {
  return {decisions_from(truth, scores, threshold), negative_log_likelihood(truth, scores),
          expected_calibration_error(truth, scores)};
}

// All tags together: counts add up, the rest is measured over all entries.
CalibrationFigures figures_of_all(const LabeledScores& labeled,
                                  const std::vector<DecisionCounts>& decisions) {
  return {sum_of(decisions), negative_log_likelihood(labeled.truth, labeled.scores),
          expected_calibration_error(labeled.truth, labeled.scores)};
}

LabeledScores calibrated(LabeledScores labeled, const std::optional<Calibration>& calibration) {
  for (std::size_t i = 0; calibration && i < labeled.n_clips(); ++i)
    calibration->apply(std::span(labeled.scores).subspan(i * labeled.n_tags(), labeled.n_tags()));
  return labeled;
}

float least_float_from(double x) {
  const auto nearest = static_cast<float>(x);
  return static_cast<double>(nearest) < x ? std::nextafter(nearest, 2.0f) : nearest;
}

// The same decisions on the new bundle's scores. Scores are floats, so the smallest that passes is what goes
// through the calibration, and is rounded as scores are.
double carried(double threshold, std::size_t tag, const std::optional<Calibration>& from,
               const std::optional<Calibration>& to) {
  if (from == to || threshold <= 0.0) return threshold;
  const double raw = from ? from->undone(threshold, tag) : threshold;
  if (!to) return raw;
  const auto passes = static_cast<double>(least_float_from(raw));
  const double image = to->of(passes, tag);
  return image == passes ? raw : static_cast<double>(static_cast<float>(image));
}

// The clips that were scored beside their truth, tags in the order of the bundle.
LabeledScores labeled_by(const Bundle& bundle, const Dataset& data, const std::vector<std::size_t>& clips,
                         const ScoreTable& table) {
  std::map<std::string_view, std::size_t> place;
  for (const std::size_t i : clips) place.emplace(data.clips[i].id, i);
  std::vector<std::size_t> of_data, of_table;
  for (const std::string& tag : bundle.tags) {
    of_data.push_back(data.tag_index(tag).value());
    of_table.push_back(
        static_cast<std::size_t>(std::find(table.tags.begin(), table.tags.end(), tag) - table.tags.begin()));
  }
  LabeledScores labeled;
  labeled.tags = bundle.tags;
  labeled.clip_ids = table.clip_ids;
  for (std::size_t row = 0; row < table.clip_ids.size(); ++row) {
    const Clip& clip = data.clips[place.at(table.clip_ids[row])];
    for (std::size_t k = 0; k < bundle.tags.size(); ++k) {
      labeled.truth.push_back(clip.targets[of_data[k]]);
      labeled.scores.push_back(table.scores[row * table.tags.size() + of_table[k]]);
    }
  }
  return labeled;
}

// What the provenance says of the clips that a bundle learned from.
struct Learned {
  std::string split = "train";
  int fold = 0;  // held out; 0: the validate split; -1: nothing

  bool holds(const Clip& clip) const {
    const bool in_split =
        clip.split.empty() || clip.split == split || (fold == kHoldOutNothing && clip.split == "validate");
    return in_split && (fold <= 0 || clip.fold != fold);
  }
};

std::optional<Learned> learned_by(const Value& provenance, const std::string& dataset) {
  const Value* name = provenance.find("dataset");
  if (name == nullptr || !name->is_string() || name->as_string() != dataset) return std::nullopt;
  Learned learned;
  if (const Value* fold = provenance.find("fold"); fold != nullptr && fold->is_integer())
    learned.fold = static_cast<int>(fold->as_integer());
  const Value* recipe = provenance.find("recipe");
  if (recipe == nullptr || !recipe->is_string()) return learned;
  try {
    const Value tree = parse_yaml(recipe->as_string(), "recipe");
    const Value* data = tree.find("data");
    const Value* split = data == nullptr ? nullptr : data->find("split");
    if (split != nullptr && split->is_string()) learned.split = split->as_string();
  } catch (const Error&) {
    return learned;  // provenance is free: what does not read says nothing
  }
  return learned;
}

// An ensemble learned from what any of its networks did.
std::vector<Learned> all_learned_by(const Value& provenance, const std::string& dataset) {
  std::vector<Learned> all;
  if (!provenance.is_map()) return all;
  if (auto learned = learned_by(provenance, dataset)) all.push_back(std::move(*learned));
  const Value* bundles = provenance.find("bundles");
  if (bundles == nullptr || !bundles->is_list()) return all;
  for (const Value& own : bundles->as_list()) {
    for (Learned& learned : all_learned_by(own, dataset)) all.push_back(std::move(learned));
  }
  return all;
}

void warn_of_learned_clips(const Bundle& bundle, const Dataset& data, const std::vector<std::size_t>& clips,
                           std::vector<std::string>& warnings) {
  const std::vector<Learned> all = all_learned_by(bundle.provenance, data.name);
  const auto n = std::count_if(clips.begin(), clips.end(), [&](std::size_t i) {
    return std::any_of(all.begin(), all.end(), [&](const Learned& by) { return by.holds(data.clips[i]); });
  });
  if (n == 0) return;
  const bool alike = all.size() == 1;
  warnings.push_back(
      fmt::format("{} of the {} clips are among those that the bundle was trained on, by its provenance "
                  "(data set {}, {}); "
                  "thresholds and calibration from them promise too much: name clips that were held out",
                  n, clips.size(), data.name,
                  !alike                 ? fmt::format("{} networks", all.size())
                  : all.front().fold > 0 ? fmt::format("fold {} held out", all.front().fold)
                                         : fmt::format("split {}", all.front().split)));
}

Value figures_value(const CalibrationFigures& figures) {
  Value value;
  value.set("precision", figures.decisions.precision());
  value.set("recall", figures.decisions.recall());
  value.set("f1", figures.decisions.f1());
  value.set("negative_log_likelihood", figures.nll);
  value.set("expected_calibration_error", figures.ece);
  return value;
}

Value tag_value(const CalibratedTag& tag) {
  Value value;
  value.set("n_clips", static_cast<std::int64_t>(tag.n_clips));
  value.set("n_positives", static_cast<std::int64_t>(tag.n_positives));
  value.set("old_threshold", tag.old_threshold);
  value.set("threshold", tag.threshold);
  if (!tag.kept.empty()) value.set("kept", tag.kept);
  if (!tag.unscaled.empty()) value.set("unscaled", tag.unscaled);
  value.set("before", figures_value(tag.before));
  value.set("after", figures_value(tag.after));
  return value;
}

Value provenance_of(const CalibrateRequest& request, const CalibrateResult& result) {
  Value value;
  value.set("dataset", request.choice.dataset);
  value.set("split", request.choice.split.empty() ? "all" : request.choice.split);
  if (request.choice.fold > 0) value.set("fold", request.choice.fold);
  if (!request.choice.overrides.empty())
    value.set("set", Value(Value::List(request.choice.overrides.begin(), request.choice.overrides.end())));
  value.set("n_clips", static_cast<std::int64_t>(result.n_clips));
  value.set("scaling", request.scaling ? detail::write_field(*request.scaling) : Value("none"));
  Value rule = Value(Value::Map{{"rule", detail::write_field(request.thresholds.rule)}});
  if (request.thresholds.rule == ThresholdRule::kPrecision)
    rule.set("precision", request.thresholds.precision);
  value.set("thresholds", std::move(rule));
  value.set("of_bundle", bundle_id(read_bytes(request.bundle)));
  value.set("earmark", version());
  value.set("before", figures_value(result.before));
  value.set("after", figures_value(result.after));
  Value tags{Value::Map()};
  for (const CalibratedTag& tag : result.tags) tags.set(tag.tag, tag_value(tag));
  value.set("tags", std::move(tags));
  return value;
}

// Thresholds and figures of every tag, beside those that there were.
void choose_thresholds(const LabeledScores& raw, const CalibrateRequest& request,
                       const std::vector<std::string>& unscaled, const std::optional<Calibration>& old,
                       CalibrateResult& result) {
  const LabeledScores was = calibrated(raw, old), is = calibrated(raw, result.bundle.calibration);
  std::vector<DecisionCounts> before, after;
  for (std::size_t k = 0; k < raw.n_tags(); ++k) {
    const TagColumn old_column = tag_column(was, k), column = tag_column(is, k);
    CalibratedTag tag;
    tag.tag = raw.tags[k];
    tag.n_clips = static_cast<std::size_t>(
        std::count_if(column.truth.begin(), column.truth.end(), [](float t) { return is_known_truth(t); }));
    tag.n_positives = static_cast<std::size_t>(std::count_if(column.truth.begin(), column.truth.end(),
                                                             [](float t) { return is_positive_truth(t); }));
    tag.old_threshold = result.bundle.thresholds[k];
    const ThresholdChoice choice = choose_threshold(column.truth, column.scores, request.thresholds);
    tag.kept = choice.reason;
    tag.threshold =
        choice.threshold ? *choice.threshold : carried(tag.old_threshold, k, old, result.bundle.calibration);
    if (!unscaled.empty()) tag.unscaled = unscaled[k];
    tag.before = figures_of(old_column.truth, old_column.scores, tag.old_threshold);
    tag.after = figures_of(column.truth, column.scores, tag.threshold);
    result.bundle.thresholds[k] = tag.threshold;
    before.push_back(tag.before.decisions);
    after.push_back(tag.after.decisions);
    result.tags.push_back(std::move(tag));
  }
  result.before = figures_of_all(was, before);
  result.after = figures_of_all(is, after);
}

void warn_of_result(const CalibrateResult& result, const CalibrateRequest& request, bool had_calibration,
                    std::vector<std::string>& warnings) {
  if (had_calibration)
    warnings.push_back(fmt::format("the calibration that the bundle held is {}",
                                   request.scaling ? "replaced by the new one" : "not in the new one"));
  for (const CalibratedTag& tag : result.tags) {
    const bool kept = !tag.kept.empty() && request.thresholds.rule != ThresholdRule::kKeep;
    if (kept && tag.kept == tag.unscaled) {
      warnings.push_back(fmt::format("'{}' keeps its threshold and its scores: {}", tag.tag, tag.kept));
      continue;
    }
    if (kept) warnings.push_back(fmt::format("'{}' keeps its threshold: {}", tag.tag, tag.kept));
    if (!tag.unscaled.empty())
      warnings.push_back(fmt::format("'{}' keeps its scores: {}", tag.tag, tag.unscaled));
  }
  const auto& calibration = result.bundle.calibration;
  if (request.scaling == CalibrationKind::kTemperature &&
      (calibration->temperature <= kLowestTemperature || calibration->temperature >= kHighestTemperature))
    warnings.push_back(
        fmt::format("the temperature, {:g}, is at the end of what is looked at ({:g}..{:g}): {}",
                    calibration->temperature, kLowestTemperature, kHighestTemperature,
                    calibration->temperature < 1.0 ? "the scores part these clips without error"
                                                   : "the scores say nothing of these clips"));
}

Dataset official_data(const DatasetChoice& choice) {
  DatasetChoice official = choice;
  official.overrides = task_of(choice.dataset).truth;  // what is said later wins
  official.overrides.insert(official.overrides.end(), choice.overrides.begin(), choice.overrides.end());
  return with_clean_labels(load_chosen(official, true));
}

}  // namespace

CalibrateResult calibrate(const CalibrateRequest& request) {
  if (request.choice.split.empty() && request.choice.fold == 0) {
    throw Error(ErrorCode::kInvalidOption,
                "split, fold: name the clips that were held out, with --split, --fold or both (--split all "
                "means every one)");
  }
  if (auto problems = range_problems(request.thresholds); !problems.empty())
    throw Error(ErrorCode::kInvalidOption, "thresholds cannot be chosen this way:", std::move(problems));
  CalibrateResult result;
  result.bundle = read_bundle(request.bundle);
  const Dataset data = official_data(request.choice);
  const std::vector<std::size_t> clips = select_clips(data, request.choice.split, request.choice.fold);
  warn_of_learned_clips(result.bundle, data, clips, result.warnings);
  PredictRequest scoring;
  scoring.bundles = {request.bundle};
  scoring.calibrated = false;
  scoring.tags_may_lack = true;  // the data set may know more tags than the bundle
  scoring.threads = request.threads;
  scoring.engine = request.engine;
  scoring.stop = request.stop;
  if (request.on_progress)
    scoring.on_progress = [&](std::size_t done) { request.on_progress(done, clips.size()); };
  const PredictResult predicted = predict(data, clips, scoring);
  if (!predicted.finished) return {};
  result.failed = predicted.failed;
  const LabeledScores raw = labeled_by(result.bundle, data, clips, predicted.table);
  result.n_clips = raw.n_clips();
  const std::optional<Calibration> old = std::exchange(result.bundle.calibration, std::nullopt);
  std::vector<std::string> unscaled;
  if (request.scaling) {
    CalibrationFit fit = fit_calibration(raw, *request.scaling);
    result.bundle.calibration = std::move(fit.calibration);
    unscaled = std::move(fit.unscaled);
  }
  choose_thresholds(raw, request, unscaled, old, result);
  warn_of_result(result, request, old.has_value(), result.warnings);
  if (!result.bundle.provenance.is_map()) result.bundle.provenance = Value(Value::Map());
  result.bundle.provenance.set("calibration", provenance_of(request, result));
  result.finished = true;
  return result;
}

Value to_value(const CalibrateResult& result) {
  Value value = result.bundle.provenance.at("calibration");
  value.set("warnings", Value(Value::List(result.warnings.begin(), result.warnings.end())));
  value.set("failed", Value(Value::List(result.failed.begin(), result.failed.end())));
  return value;
}

}  // namespace earmark
