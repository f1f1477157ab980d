#include "app/crossval.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <numeric>
#include <set>
#include <sstream>
#include <thread>

#include "app/shown_figures.h"
#include "app/staged_run.h"
#include "core/file.h"
#include "core/rng.h"
#include "data/label_noise.h"
#include "data/splits.h"
#include "data/truth.h"
#include "earmark/error.h"
#include "eval/report.h"
#include "eval/score_table.h"
#include "tagger/bundle.h"

extern char** environ;

namespace earmark {
namespace {

constexpr int kResamples = 1000;
constexpr std::streamoff kEndOfLog = 65536;  // bytes
using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kBetweenLooks{1};

struct Cell {
  int fold;
  long seed;
  std::string name() const {
    return fold == 0 ? fmt::format("validate, seed {}", seed) : fmt::format("fold {}, seed {}", fold, seed);
  }
};

std::vector<std::size_t> held_out_clips(const Dataset& dataset, int fold) {
  return select_clips(dataset, fold == 0 ? "validate" : "", fold);
}

bool has_validate_split(const Dataset& dataset) {
  return std::any_of(dataset.clips.begin(), dataset.clips.end(),
                     [](const Clip& clip) { return clip.split == "validate"; });
}

// What there is to hold out, for a person: "1 to 5, or 0 (the validate split)".
std::string folds_text(const Dataset& dataset) {
  std::string text;
  if (dataset.n_folds() > 0) text = fmt::format("1 to {}", dataset.n_folds());
  if (has_validate_split(dataset))
    text += fmt::format("{}0 (the validate split)", text.empty() ? "" : ", or ");
  return text;
}

template <class Number>
void name_repeated(const std::vector<Number>& given, const char* option, std::vector<std::string>& problems) {
  std::set<Number> seen, told;
  for (const Number value : given) {
    if (!seen.insert(value).second && told.insert(value).second)
      problems.push_back(fmt::format("{}: each may be given once, got {} twice or more", option, value));
  }
}

// Before anything trains: a cell that cannot be, or would be in another's folder.
void check_cells(const CrossvalRequest& request, const Dataset& dataset) {
  std::vector<std::string> problems;
  const std::string allowed = folds_text(dataset);
  if (allowed.empty())
    problems.push_back(
        fmt::format("--folds: {} has neither folds nor a validate split to hold out", dataset.name));
  for (const int fold : request.folds) {
    const bool is_there =
        fold == 0 ? has_validate_split(dataset) : fold > 0 && fold <= static_cast<int>(dataset.n_folds());
    if (!is_there && !allowed.empty())
      problems.push_back(fmt::format("--folds: {} has {}, got {}", dataset.name, allowed, fold));
  }
  for (const long seed : request.seeds) {
    if (seed < 0) problems.push_back(fmt::format("--seeds: must not be negative, got {}", seed));
  }
  name_repeated(request.folds, "--folds", problems);
  name_repeated(request.seeds, "--seeds", problems);
  if (problems.size() == 1) throw Error(ErrorCode::kInvalidOption, problems.front());
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "nothing was trained:", problems);
}

// Those asked for, else all; without folds the validate split.
std::vector<int> folds_of(const Dataset& dataset, std::vector<int> asked) {
  if (!asked.empty()) return asked;
  asked.resize(static_cast<std::size_t>(dataset.n_folds()));
  std::iota(asked.begin(), asked.end(), 1);
  return asked.empty() ? std::vector<int>{0} : asked;
}

void remove_cells(const std::filesystem::path& out) {
  for (const auto& entry : std::filesystem::directory_iterator(out)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("fold") || name == "results.jsonl") std::filesystem::remove_all(entry.path());
  }
}

std::string config_id(Recipe recipe, const std::string& init_id) {
  recipe.seed = 0;
  recipe.expect = {};
  recipe.source = {};
  return fmt::format("{:016x}", fnv1a(to_json(write_changed_options(recipe)) + init_id));
}

std::vector<Value> results_of(const std::filesystem::path& path, const std::string& config) {
  std::vector<Value> rows;
  if (!std::filesystem::exists(path)) return rows;
  std::istringstream lines(read_text(path));
  long number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    Value row = parse_json(line, fmt::format("{}:{}", path.string(), number));
    if (row.at("config").as_string() == config) rows.push_back(std::move(row));
  }
  return rows;
}

bool has_row(const std::vector<Value>& rows, const Cell& cell) {
  return std::any_of(rows.begin(), rows.end(), [&](const Value& row) {
    return row.at("fold").as_integer() == cell.fold && row.at("seed").as_integer() == cell.seed;
  });
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

class Grid {
 public:
  Grid(const CrossvalRequest& request, const Recipe& recipe, std::string init_id)
      : request_(request),
        init_id_(std::move(init_id)),
        config_(config_id(recipe, init_id_)),
        steps_(recipe.stages.empty() && !recipe.train.iterations.in_epochs ? recipe.train.iterations.n : 0) {}

  Grid(const Grid&) = delete;
  Grid& operator=(const Grid&) = delete;
  // Of an exception on the way: no cell trains on by itself.
  ~Grid() {
    stop_cells();
    for (const auto& [pid, cell] : running_) {
      while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }

  CrossvalResult run(std::vector<Cell> cells, std::size_t n_before) {
    CrossvalResult result;
    const auto total = static_cast<long>(cells.size() + n_before);
    auto done = static_cast<long>(n_before);
    std::reverse(cells.begin(), cells.end());
    while (!cells.empty() || !running_.empty()) {
      const bool stop = request_.stop != nullptr && request_.stop->load();
      if (stop && running_.empty()) return result;
      if (stop && !stop_sent_) {
        stop_cells();
        stop_sent_ = true;
      }
      while (!stop && !cells.empty() && running_.size() < static_cast<std::size_t>(request_.jobs)) {
        start(cells.back());
        cells.pop_back();
      }
      reap(result, done);
      if (request_.on_progress && Clock::now() >= next_look_) {
        request_.on_progress(progress(done, total));
        next_look_ = Clock::now() + kBetweenLooks;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    result.finished = !stop_sent_;
    return result;
  }

 private:
  void stop_cells() const {
    for (const auto& [pid, cell] : running_) ::kill(pid, SIGTERM);  // they save and leave
  }

  std::filesystem::path folder(const Cell& cell) const {
    return request_.out / fmt::format("fold{}-seed{}", cell.fold, cell.seed);
  }

  void start(const Cell& cell) {
    const std::filesystem::path out = folder(cell);
    create_folders(out, "--out");
    std::vector<std::string> words{request_.program.string(),
                                   "train",
                                   request_.recipe_name,
                                   "--data-root",
                                   request_.data_root.string(),
                                   "--out",
                                   out.string(),
                                   "--fold",
                                   std::to_string(cell.fold),
                                   "--seed",
                                   std::to_string(cell.seed),
                                   "--threads",
                                   "1"};
    // A cell that was begun goes on from its checkpoint.
    words.push_back(std::filesystem::exists(out / "recipe.yaml") ? "--resume" : "--overwrite");
    if (!request_.cache.empty()) {
      words.insert(words.end(),
                   {"--cache", request_.cache.string(), "--cache-gb", fmt::format("{}", request_.cache_gb)});
    }
    if (request_.clip_memory_gb)
      words.insert(words.end(), {"--clip-memory-gb", fmt::format("{}", *request_.clip_memory_gb)});
    if (!request_.init.empty()) words.insert(words.end(), {"--init", request_.init.string()});
    for (const std::string& text : request_.overrides) words.insert(words.end(), {"--set", text});
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const std::string log = (out / "train.log").string();
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    pid_t pid = 0;
    const int code = ::posix_spawn(&pid, words.front().c_str(), &files, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (code != 0)
      throw Error(ErrorCode::kIo, fmt::format("cannot start {}: {}", words.front(), std::strerror(code)));
    running_.emplace(pid, cell);
  }

  // Only its own: whoever calls may have other children.
  void reap(CrossvalResult& result, long& done) {
    for (auto next = running_.begin(); next != running_.end();) {
      const auto at = next++;
      int status = 0;
      const pid_t ended = ::waitpid(at->first, &status, WNOHANG);
      if (ended == 0) continue;  // it runs
      const Cell cell = at->second;
      running_.erase(at);
      // Where the status was taken by somebody else (SIGCHLD ignored), the last file written tells.
      const bool is_whole = ended > 0 ? WIFEXITED(status) && WEXITSTATUS(status) == 0
                                      : std::filesystem::exists(folder(cell) / "metrics.json");
      if (is_whole) {
        append_row(cell);
        ++done;
      } else if (!stop_sent_) {
        result.failed.push_back(
            fmt::format("{}: see {}", cell.name(), (folder(cell) / "train.log").string()));
      }
    }
  }

  void append_row(const Cell& cell) const {
    const Value metrics =
        parse_json(read_text(folder(cell) / "metrics.json"), (folder(cell) / "metrics.json").string());
    Value row;
    row.set("config", Value(config_));
    row.set("recipe", Value(request_.recipe_name));
    if (!request_.overrides.empty())
      row.set("set", Value(Value::List(request_.overrides.begin(), request_.overrides.end())));
    if (!init_id_.empty()) row.set("init", Value(init_id_));
    row.set("fold", Value(cell.fold));
    row.set("seed", Value(static_cast<std::int64_t>(cell.seed)));
    for (const auto& [name, value] : flat_figures(metrics)) row.set(name, value);
    for (const char* name : {"iterations", "train_s", "train_cpu_s", "threads"})
      row.set(name, metrics.at(name));
    row.set("cpu", Value(cpu_name()));
    Journal(request_.results).append(to_json(row));
  }

  struct Position {
    std::string stage;  // empty: there are none
    long step = 0;
  };
  // The last step of the log that was written to last: a cell's own, or one of its stages'.
  Position position_of(const Cell& cell) const {
    std::filesystem::path newest;
    std::filesystem::file_time_type when{};
    std::error_code error;
    // The cell goes on meanwhile: what vanishes ends the search and no more.
    for (std::filesystem::recursive_directory_iterator at(folder(cell), error), end; !error && at != end;
         at.increment(error)) {
      if (at->path().filename() != "log.jsonl") continue;
      std::error_code gone;
      const auto written = at->last_write_time(gone);
      if (!gone && (newest.empty() || written > when)) newest = at->path(), when = written;
    }
    if (newest.empty()) return {};
    Position position{newest.parent_path().lexically_relative(folder(cell)).string()};
    if (position.stage == ".") position.stage.clear();
    std::ifstream log(newest, std::ios::ate);
    // Of a long log the end will do; a line that this cuts in two does not begin as those looked for do.
    log.seekg(std::max<std::streamoff>(0, log.tellg() - kEndOfLog));
    for (std::string line; std::getline(log, line);) {
      if (line.starts_with("{\"iteration\":")) position.step = std::strtol(line.c_str() + 13, nullptr, 10);
    }
    return position;
  }

  CrossvalProgress progress(long done, long total) const {
    CrossvalProgress progress{done, total, "runs", {}};
    if (steps_ > 0) progress = {done * steps_, total * steps_, "steps", {}};
    for (const auto& [pid, cell] : running_) {
      const Position position = position_of(cell);
      if (steps_ > 0) progress.done += position.step;
      progress.note += fmt::format("{}{}{}{} at step {}", progress.note.empty() ? "" : "; ", cell.name(),
                                   position.stage.empty() ? "" : ", ", position.stage, position.step);
    }
    // A cell that has trained is not done yet: it scores its held-out clips.
    if (!running_.empty()) progress.done = std::min(progress.done, progress.total - 1);
    return progress;
  }

  const CrossvalRequest& request_;
  std::string init_id_;
  std::string config_;
  long steps_;  // of a cell; 0: told by none beforehand
  std::map<pid_t, Cell> running_;
  bool stop_sent_ = false;
  Clock::time_point next_look_;  // at the cells' logs
};

Value summarize(const std::vector<Value>& rows) {
  std::map<std::string, std::vector<double>> figures;
  const std::set<std::string> facts{"fold", "seed", "iterations", "threads"};
  for (const Value& row : rows) {
    for (const auto& [name, value] : row.as_map()) {
      if (value.is_number() && !facts.count(name)) figures[name].push_back(value.as_number());
    }
  }
  Value metrics{Value::Map()};
  for (const auto& [name, values] : figures) {
    double mean = 0.0, square = 0.0;
    for (const double x : values) mean += x / static_cast<double>(values.size());
    for (const double x : values) square += (x - mean) * (x - mean);
    Value entry;
    entry.set("mean", Value(mean));
    entry.set("std",
              Value(values.size() > 1 ? std::sqrt(square / static_cast<double>(values.size() - 1)) : 0.0));
    entry.set("min", Value(*std::min_element(values.begin(), values.end())));
    entry.set("max", Value(*std::max_element(values.begin(), values.end())));
    entry.set("n", Value(static_cast<std::int64_t>(values.size())));
    metrics.set(name, std::move(entry));
  }
  return metrics;
}

// Every fold's held-out clips, scored by the model that did not see them. Cells that finished elsewhere have
// no folder here and are left out.
std::string pooled_report(const CrossvalRequest& request, const Dataset& dataset, const Recipe& recipe,
                          const std::vector<int>& folds, const Value& metrics) {
  std::vector<std::size_t> clips;
  std::vector<float> scores;
  long n_folds = 0;
  for (const int fold : folds) {
    const auto path = request.out / fmt::format("fold{}-seed{}", fold, request.seeds.front()) / "scores.csv";
    if (!std::filesystem::exists(path)) continue;
    const std::vector<std::size_t> held_out = held_out_clips(dataset, fold);
    const LabeledScores part = join_scores(truth_of(dataset, held_out), read_score_table(path));
    clips.insert(clips.end(), held_out.begin(), held_out.end());
    scores.insert(scores.end(), part.scores.begin(), part.scores.end());
    ++n_folds;
  }
  ReportData report;
  report.title = fmt::format("{}: cross-validation on {}", request.recipe_name, dataset.name);
  report.facts.emplace_back("folds on this page",
                            fmt::format("{} of {}, seed {}", n_folds, folds.size(), request.seeds.front()));
  std::vector<std::string> names;
  for (const auto& [name, entry] : metrics.as_map()) names.push_back(name);
  for (const std::string& name : shown_figures(dataset.name, names)) {
    const Value& entry = metrics.at(name);
    report.facts.emplace_back(
        fmt::format("{} over all runs", name),
        fmt::format("{:.4f}, standard deviation {:.4f}, {} runs", entry.at("mean").as_number(),
                    entry.at("std").as_number(), entry.at("n").as_integer()));
  }
  if (n_folds > 0) {
    EvaluateOptions options;
    options.bootstrap_resamples = kResamples;
    const Task& task = task_of(dataset.name);
    TaskScores pooled = held_out_truth(dataset, clips);
    pooled.scores.scores = std::move(scores);
    pooled = with_unknown_weight(std::move(pooled), task, recipe.tagging.unknown_weight);
    show_evaluation(report, evaluate_task(pooled, task, options), recipe.expect);
    report.mistakes = most_confident_mistakes(pooled.scores, options.threshold, kMistakesShown);
  }
  report.recipe = recipe_to_yaml(recipe);
  return html_report(report);
}

}  // namespace

CrossvalResult crossval(const CrossvalRequest& request) {
  const Recipe recipe = load_recipe(request.recipe_name, request.overrides);
  const Dataset dataset =
      branch_of(load_dataset(recipe.data.dataset, request.data_root, recipe.data), recipe.data.branch);
  check_cells(request, dataset);
  const std::vector<int> folds = folds_of(dataset, request.folds);
  for (const int fold : folds) refuse_fold_of_stages(recipe, fold);
  create_folders(request.out, "--out");
  if (request.overwrite) remove_cells(request.out);
  // Before it is read: a kill may have left a torn line, which is no row. And before a cell trains for a row
  // that cannot be written.
  { const Journal trimmed(request.results); }
  const std::string init_id = request.init.empty() ? "" : bundle_id(read_bytes(request.init));
  const std::string config = config_id(recipe, init_id);
  const std::vector<Value> before = results_of(request.results, config);
  std::vector<Cell> cells;
  std::size_t n_before = 0;
  for (const long seed : request.seeds) {
    for (const int fold : folds) {
      if (has_row(before, {fold, seed})) {
        ++n_before;
      } else {
        cells.push_back({fold, seed});
      }
    }
  }
  CrossvalResult result = Grid(request, recipe, init_id).run(std::move(cells), n_before);
  std::vector<Value> rows;
  for (Value& row : results_of(request.results, config)) {
    const bool asked = std::find(request.seeds.begin(), request.seeds.end(), row.at("seed").as_integer()) !=
                           request.seeds.end() &&
                       std::find(folds.begin(), folds.end(), row.at("fold").as_integer()) != folds.end();
    if (asked) rows.push_back(std::move(row));
  }
  result.summary.set("recipe", Value(request.recipe_name));
  result.summary.set("config", Value(config));
  result.summary.set("dataset", Value(dataset.name));
  result.summary.set("metrics", summarize(rows));
  result.report =
      pooled_report(request, with_own_labels(dataset), recipe, folds, result.summary.at("metrics"));
  result.summary.set("cells", Value(Value::List(rows.begin(), rows.end())));
  return result;
}

}  // namespace earmark
