#include "app/staged_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "app/predict.h"
#include "app/relabelling.h"
#include "app/shown_figures.h"
#include "core/file.h"
#include "core/options_io.h"
#include "data/branch.h"
#include "data/label_noise.h"
#include "data/splits.h"
#include "data/truth.h"
#include "earmark/error.h"
#include "earmark/version.h"
#include "eval/report.h"
#include "eval/task_evaluation.h"
#include "recipe/named_metrics.h"
#include "recipe/run_folder.h"
#include "recipe/stages.h"
#include "tagger/combine.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

class StagedRun {
 public:
  explicit StagedRun(const TrainRequest& request)
      : request_(request), recipe_(request.recipe), text_(recipe_to_yaml(request.recipe)) {}

  TrainResult go() {
    begin();
    for (std::size_t i = 0; i < recipe_.stages.size(); ++i) {
      say(fmt::format("stage {} of {}: {}", i + 1, recipe_.stages.size(), name_of(recipe_.stages[i])));
      if (request_.stop != nullptr && request_.stop->load()) return {};
      if (!run_stage(recipe_.stages[i])) return {};
    }
    return finish();
  }

 private:
  // @return false: stopped.
  bool run_stage(const StageOptions& options) {
    try {
      return std::visit([this](const auto& stage) { return run(stage); }, options);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kBadBundle || std::holds_alternative<TrainStage>(options)) throw;
      throw Error(
          e.code(),
          fmt::format("{}\ndelete the folder of that network; --resume then trains it again", e.what()));
    }
  }

  void say(const std::string& text) const {
    if (request_.on_message) request_.on_message(text);
  }
  void tell(const std::string& stage, std::size_t done, std::size_t total) const {
    if (request_.on_progress)
      request_.on_progress({stage, static_cast<long>(done), static_cast<long>(total), 0.0, 0.0});
  }
  fs::path folder(const std::string& name) const { return request_.out / name; }
  fs::path labels_of(const std::string& stage) const { return folder(stage) / "labels.csv"; }
  fs::path model_of(const std::string& name) const { return folder(name) / "model.earmark"; }

  // A file of one stage as another stage's recipe names it: wherever the run's folder is.
  static std::string beside(const fs::path& file) {
    return to_json(Value((fs::path("..") / file.parent_path().filename() / file.filename()).string()));
  }

  bool takes_init() const {
    for (const StageOptions& stage : recipe_.stages) {
      const auto* train = std::get_if<TrainStage>(&stage);
      if (train == nullptr || !train->init.empty()) continue;
      const Recipe own = without_stages(recipe_, as_overrides(train->set), "stage " + train->name);
      if (own.train.init != InitRule::kNone) return true;
    }
    return false;
  }

  // Of every training, so that none of them fails when others have run for hours.
  void check_metrics() const {
    std::map<std::string, Dataset> read;  // by the options that say what is read
    for (const StageOptions& stage : recipe_.stages) {
      const auto* train = std::get_if<TrainStage>(&stage);
      if (train == nullptr) continue;
      for (const TrainUnit& unit : units_of(*train, request_.fold)) {
        const Recipe own = without_stages(recipe_, unit.overrides, "stage " + unit.name);
        if (!steered_by_validations(own)) continue;
        const auto [data, is_new] = read.try_emplace(to_json(write_options(own.data)));
        if (is_new) {
          data->second =
              branch_of(load_dataset(own.data.dataset, request_.data_root, own.data), own.data.branch);
        }
        check_named_metrics(own, data->second, unit.fold, fmt::format("stage {}: ", unit.name));
      }
    }
  }

  // What is done is passed over, so it must have been done with the same fold and the same clips.
  void keep_or_compare_data(const Dataset& dataset) const {
    create_folders(request_.out, "--out");
    const fs::path path = request_.out / "stages.json";
    const std::string data = identity_of(dataset);
    if (request_.resume && fs::exists(path)) {
      const Value begun = parse_json(read_text(path), path.string());
      if (const auto fold = begun.at("fold").as_integer(); fold != request_.fold) {
        throw Error(ErrorCode::kInvalidOption, fmt::format("--fold: the run in {} was begun with {}, got {}",
                                                           request_.out.string(), fold, request_.fold));
      }
      if (begun.at("data").as_string() != data) {
        throw Error(ErrorCode::kInvalidOption,
                    fmt::format("--data-root: {} holds other clips or tags than the run was begun with",
                                request_.data_root.string()));
      }
      return;
    }
    Value begun;
    begun.set("fold", static_cast<std::int64_t>(request_.fold));
    begun.set("data", data);
    write_text(path, to_json(begun, 2) + "\n");
  }

  void begin() {
    if (!request_.init.empty() && !takes_init()) {
      throw Error(
          ErrorCode::kInvalidOption,
          "--init: no stage of the recipe takes it (each has train.init: none or an `init` of its own)");
    }
    refuse_fold_of_stages(recipe_, request_.fold);
    const Dataset data = load_dataset(recipe_.data.dataset, request_.data_root, recipe_.data);
    if (request_.fold > 0)
      split_for_training(data, recipe_.data.split, request_.fold);  // throws: is not there
    check_metrics();
    check_run_folder(request_.out, request_.resume, request_.overwrite);
    if (!request_.resume) {  // else they are this run's
      for (const std::string& name : all_folders()) check_run_folder(folder(name), false, request_.overwrite);
    }
    const fs::path own = request_.out / "recipe.yaml";
    if (fs::exists(own) && request_.resume && read_text(own) != text_) {
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("--resume: {} was begun with another recipe; its own is {}",
                              request_.out.string(), own.string()));
    }
    if (request_.overwrite && !request_.resume) {
      for (const std::string& name : all_folders()) {
        clear_run_folder(folder(name));
        for (const char* file : {"labels.csv", "given.json"}) fs::remove(folder(name) / file);
      }
      clear_run_folder(request_.out);
    }
    keep_or_compare_data(data);
    write_text(own, text_);
  }

  std::vector<std::string> all_folders() const {
    std::vector<std::string> names;
    for (const StageOptions& stage : recipe_.stages) {
      for (std::string& name : folders_of(stage)) names.push_back(std::move(name));
    }
    return names;
  }
  std::vector<std::string> folders_of(const StageOptions& stage) const {
    const auto* train = std::get_if<TrainStage>(&stage);
    if (train == nullptr) return {name_of(stage)};
    std::vector<std::string> names;
    for (const TrainUnit& unit : units_of(*train, request_.fold)) names.push_back(unit.name);
    return names;
  }

  // Whether the folder holds what the stage makes, finished, of exactly this text.
  bool is_done(const std::string& name, const std::string& text, const fs::path& made) const {
    return fs::exists(made) && fs::exists(folder(name) / "metrics.json") &&
           fs::exists(folder(name) / "recipe.yaml") && read_text(folder(name) / "recipe.yaml") == text;
  }
  // And of a training that began with this bundle (empty: with none).
  bool is_trained(const std::string& name, const std::string& text, const fs::path& init) const {
    if (!is_done(name, text, model_of(name))) return false;
    const fs::path path = folder(name) / "metrics.json";
    const Value metrics = parse_json(read_text(path), path.string());
    const Value* id = metrics.find("init");
    return (id == nullptr ? "" : id->as_string()) == (init.empty() ? "" : bundle_id(read_bytes(init)));
  }

  // What a training is given beside its clips. Where one of these files is another one now, a training that
  // is done or begun is another one's and is cleared away; one without such a note is taken for this one.
  void keep_or_forget(const TrainRequest& one, const TrainStage& stage) const {
    const Recipe given = with_files_from(one.recipe, one.files_from);
    Value ids{Value::Map()};
    const auto add = [&](const char* key, const fs::path& file) {
      if (!file.empty() && fs::exists(file)) ids.set(key, bundle_id(read_bytes(file)));
    };
    add("data.new_labels", given.data.new_labels);
    add("embedder.bundle", given.embedder.bundle);
    if (!stage.init.empty()) add("init", one.init);
    const fs::path path = one.out / "given.json";
    const std::string text = to_json(ids) + "\n";
    const bool begun = fs::exists(one.out / "recipe.yaml");
    if (fs::exists(path) && read_text(path) == text && begun) return;
    if (!begun || fs::exists(path)) {
      if (begun)
        say(fmt::format("{}: what it was trained with has been made anew, and so is the training",
                        one.out.filename().string()));
      clear_run_folder(one.out);
    }
    if (ids.as_map().empty()) return;
    create_folders(one.out, "--out");
    write_text(path, text);
  }

  void keep_figures(const std::string& name) {
    const fs::path path = folder(name) / "metrics.json";
    figures_.emplace_back(name, parse_json(read_text(path), path.string()));
  }

  fs::path bundle_of(const std::string& stage) const { return bundles_.at(stage).front(); }

  bool run(const TrainStage& stage) {
    for (const TrainUnit& unit : units_of(stage, request_.fold)) {
      std::vector<std::string> overrides = unit.overrides;
      if (!stage.labels.empty()) overrides.push_back("data.new_labels=" + beside(labels_of(stage.labels)));
      if (!stage.embedder.empty())
        overrides.push_back("embedder.bundle=" + beside(bundle_of(stage.embedder)));
      TrainRequest one = request_;
      one.recipe = without_stages(recipe_, overrides, "stage " + unit.name);
      one.out = one.files_from = folder(unit.name);
      one.fold = unit.fold;
      one.overwrite = false;
      if (!stage.init.empty()) {
        one.init = bundle_of(stage.init);
      } else if (one.recipe.train.init == InitRule::kNone) {
        one.init.clear();
      }
      keep_or_forget(one, stage);
      one.resume = fs::exists(one.out / "recipe.yaml");
      if (!is_trained(unit.name, recipe_to_yaml(one.recipe), one.init)) {
        say(fmt::format("training {}", unit.name));
        if (!torch_train()(one).finished) return false;
      }
      keep_figures(unit.name);
      bundles_[stage.name].push_back(model_of(unit.name));
    }
    return true;
  }

  // Never those that this run holds out: they are judged by, and the networks have not learned from them.
  std::vector<std::size_t> clips_to_relabel(const Dataset& data, const RelabelStage& stage) const {
    const bool has_splits = std::any_of(data.clips.begin(), data.clips.end(),
                                        [](const Clip& clip) { return !clip.split.empty(); });
    std::vector<std::size_t> clips =
        select_clips(data, stage.split, has_splits ? 0 : std::max(0, request_.fold));
    const std::vector<std::size_t> held_out =
        split_for_training(data, recipe_.data.split, request_.fold).held_out;
    const std::set<std::size_t> judged(held_out.begin(), held_out.end());
    std::erase_if(clips, [&](std::size_t clip) {
      return judged.contains(clip) || (stage.unverified_only && data.clips[clip].verified);
    });
    return clips;
  }

  bool run(const RelabelStage& stage) {
    // What it is made of: another list of bundles or other options would give other labels.
    std::string text = to_json(write_options(stage)) + "\n";
    std::vector<fs::path> from;
    for (const std::string& name : stage.from) {
      for (const fs::path& bundle : bundles_.at(name)) {
        from.push_back(bundle);
        text += bundle_id(read_bytes(bundle)) + "\n";
      }
    }
    if (is_done(stage.name, text, labels_of(stage.name))) return true;
    const Recipe own = without_stages(recipe_, as_overrides(stage.set), "stage " + stage.name);
    const Dataset data = load_dataset(own.data.dataset, request_.data_root, own.data);
    const std::vector<std::size_t> clips = clips_to_relabel(data, stage);
    const auto scored = scores_of(data, clips, from);
    if (!scored) return false;
    fs::create_directories(folder(stage.name));
    const fs::path scores = folder(stage.name) / "scores.csv";
    write_score_table(scores, *scored);
    RelabelRequest relabel;
    relabel.scores = {scores};
    relabel.options = stage.options;
    relabel.drop_empty = stage.drop_empty;
    RelabelResult result = relabel_clips(data, clips, relabel);
    Value::List networks;
    for (const fs::path& bundle : from) networks.emplace_back(bundle.parent_path().filename().string());
    result.provenance.set("networks", Value(std::move(networks)));
    write_score_table(labels_of(stage.name), result.labels);
    write_text(folder(stage.name) / "recipe.yaml", text);
    write_text(folder(stage.name) / "metrics.json", to_json(result.provenance, 2) + "\n");
    return true;
  }

  bool run(const CombineStage& stage) {
    std::string text = to_json(write_options(stage)) + "\n";
    CombineRequest combine;
    Value::List names;
    for (const std::string& name : stage.from) {
      for (const fs::path& path : bundles_.at(name)) {
        const SharedBytes bytes = read_bytes(path);
        text += bundle_id(bytes.span()) + "\n";
        combine.bundles.push_back(parse_bundle(bytes, path.string()));
        names.emplace_back(path.parent_path().filename().string());
      }
    }
    bundles_[stage.name] = {model_of(stage.name)};
    if (is_done(stage.name, text, model_of(stage.name))) {
      keep_figures(stage.name);
      return true;
    }
    const Dataset data =
        with_own_labels(load_dataset(recipe_.data.dataset, request_.data_root, recipe_.data));
    combine.rule = stage.rule;
    combine.weights = stage.weights;
    combine.top = stage.top;
    combine.tags = data.tags;
    combine.parents = data.parents;
    Bundle made = combine_bundles(std::move(combine), torch_make_network());
    made.provenance.set("recipe", text_);
    made.provenance.set("combined", Value(std::move(names)));
    made.provenance.set("dataset", data.name);
    made.provenance.set("earmark", version());
    fs::create_directories(folder(stage.name));
    write_bundle(model_of(stage.name), made);
    if (!judge(stage.name, data)) return false;
    write_text(folder(stage.name) / "recipe.yaml", text);
    keep_figures(stage.name);
    return true;
  }

  std::optional<ScoreTable> scores_of(const Dataset& data, const std::vector<std::size_t>& clips,
                                      const std::vector<fs::path>& bundles) const {
    PredictRequest predict_them;
    predict_them.bundles = bundles;
    predict_them.threads = request_.threads;
    predict_them.stop = request_.stop;
    predict_them.tags_may_lack = true;
    predict_them.on_progress = [&](std::size_t done) { tell("scoring", done, clips.size()); };
    PredictResult scored = predict(data, clips, predict_them);
    if (!scored.finished) return std::nullopt;
    if (!scored.failed.empty())
      throw Error(ErrorCode::kBadDataset, "recordings cannot be scored:", scored.failed);
    return std::move(scored.table);
  }

  // What each training before it, and the combined bundle itself, reached: the task's figures first.
  PartsTable stages_told(const Value& own, const std::string& name) const {
    std::vector<std::pair<std::string, std::map<std::string, double>>> stages;
    std::vector<std::string> names;
    const auto add = [&](const std::string& stage, const Value& run) {
      stages.emplace_back(stage, std::map<std::string, double>());
      for (const auto& [figure, value] : flat_figures(run)) {
        stages.back().second[figure] = value;
        if (std::find(names.begin(), names.end(), figure) == names.end()) names.push_back(figure);
      }
    };
    for (const auto& [stage, run] : figures_) add(stage, run);
    add(name, own);
    PartsTable table{shown_figures(own.at("dataset").as_string(), names), {}};
    for (const auto& [stage, figures] : stages) {
      std::vector<double> row;
      for (const std::string& figure : table.figures) {
        const auto value = figures.find(figure);
        row.push_back(value == figures.end() ? std::nan("") : value->second);
      }
      table.rows.emplace_back(stage, std::move(row));
    }
    return table;
  }

  // The combined bundle on the held-out clips, as a training judges its own. @return false: stopped.
  bool judge(const std::string& name, const Dataset& data) const {
    const std::vector<std::size_t> held_out =
        split_for_training(data, recipe_.data.split, request_.fold).held_out;
    Value metrics;
    metrics.set("dataset", data.name);
    metrics.set("fold", request_.fold);
    ReportData report;
    report.title = fmt::format("{}: {}", request_.out.filename().string(), name);
    report.facts = {{"data set", data.name}, {"held-out clips", std::to_string(held_out.size())}};
    report.recipe = text_;
    if (!held_out.empty()) {
      const auto table = scores_of(data, held_out, {model_of(name)});
      if (!table) return false;
      write_score_table(folder(name) / "scores.csv", *table);
      TaskScores judged = held_out_truth(data, held_out);
      judged.scores = join_scores(std::move(judged.scores), *table);
      judged = with_unknown_weight(std::move(judged), task_of(data.name), recipe_.tagging.unknown_weight);
      const TaskEvaluation evaluation = evaluate_task(judged, task_of(data.name));
      const Value figures = to_value(evaluation);
      for (const auto& [key, value] : figures.as_map()) metrics.set(key, value);
      show_evaluation(report, evaluation, recipe_.expect);
      report.mistakes = most_confident_mistakes(judged.scores, EvaluateOptions().threshold, kMistakesShown);
    }
    report.stages = stages_told(metrics, name);
    write_text(folder(name) / "report.html", html_report(report));
    write_text(folder(name) / "metrics.json", to_json(metrics, 2) + "\n");
    return true;
  }

  TrainResult finish() {
    const fs::path last = bundle_of(name_of(recipe_.stages.back())).parent_path();
    for (const char* name : {"model.earmark", "scores.csv", "report.html"}) {
      if (fs::exists(last / name)) write_bytes(request_.out / name, read_bytes(last / name));
    }
    Value metrics = figures_.back().second;
    Value stages{Value::Map()};
    std::int64_t iterations = 0;
    double train_s = 0.0, train_cpu_s = 0.0;
    for (const auto& [name, figures] : figures_) {
      Value told{Value::Map()};
      if (const Value* own = figures.find("metrics")) told = *own;
      stages.set(name, told);
      if (const Value* n = figures.find("iterations")) iterations += n->as_integer();
      if (const Value* s = figures.find("train_s")) train_s += s->as_number();
      if (const Value* s = figures.find("train_cpu_s")) train_cpu_s += s->as_number();
    }
    metrics.set("seed", static_cast<std::int64_t>(recipe_.seed));
    metrics.set("iterations", iterations);
    metrics.set("train_s", train_s);
    metrics.set("train_cpu_s", train_cpu_s);
    metrics.set("threads", request_.threads);
    metrics.set("stages", std::move(stages));
    write_text(request_.out / "metrics.json", to_json(metrics, 2) + "\n");
    TrainResult result;
    result.finished = true;
    result.bundle = request_.out / "model.earmark";
    result.metrics = std::move(metrics);
    return result;
  }

  const TrainRequest& request_;
  const Recipe& recipe_;
  std::string text_;
  std::map<std::string, std::vector<fs::path>> bundles_;  // by stage
  std::vector<std::pair<std::string, Value>> figures_;    // metrics.json of each folder, in order
};

}  // namespace

void refuse_fold_of_stages(const Recipe& recipe, int fold) {
  if (fold <= 0) return;
  for (const StageOptions& stage : recipe.stages) {
    const auto* train = std::get_if<TrainStage>(&stage);
    if (train == nullptr || train->folds.empty()) continue;
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--fold: stage {} names the folds that its networks hold out ({}), got {}; leave "
                            "--fold out (`earmark train` runs them all)",
                            train->name, fmt::join(train->folds, ", "), fold));
  }
}

TrainResult run_recipe(const TrainRequest& request) {
  if (request.recipe.stages.empty()) return torch_train()(request);
  return StagedRun(request).go();
}

}  // namespace earmark
