#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <set>

#include "app/cli/command.h"
#include "app/cli/data_actions.h"
#include "app/cli/dataset_options.h"
#include "core/file.h"
#include "data/check.h"
#include "data/statistics.h"
#include "earmark/error.h"

namespace earmark::cli {

void add_dataset_options(CLI::App* verb, DatasetChoice& choice) {
  verb->add_option("--dataset", choice.dataset, "name of the data set (`earmark data list`)")->required();
  verb->add_option("--data-root", choice.data_root, "folder of the data set")->check(CLI::ExistingDirectory);
  verb->add_option("--set", choice.overrides,
                   "data.KEY=VALUE, an option of the data set as in a recipe, e.g. data.esc10_only=true")
      ->allow_extra_args(false);
}

void add_part_options(CLI::App* verb, DatasetChoice& choice) {
  verb->add_option("--split", choice.split, "split: train, validate, test or all (default: all)");
  verb->add_option("--fold", choice.fold, "only this fold, as the data set numbers them; 0: every fold")
      ->check(integer_in(0, std::numeric_limits<int>::max()))
      ->capture_default_str();
}

void refuse_existing(const std::string& option, const std::filesystem::path& path, bool overwrite) {
  if (overwrite || !would_replace(path)) return;
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("{}: {} already exists; --overwrite replaces it", option, path.string()));
}

CLI::App* add_action(Program& program, CLI::App* verb, const char* name, const char* description,
                     const char* examples, const std::function<int()>& body) {
  CLI::App* action = verb->add_subcommand(name, description);
  action->footer(std::string("Examples:\n") + examples);
  action->fallthrough();
  action->parse_complete_callback([&program, body] { program.run = body; });
  return action;
}

namespace {

struct Shared {
  DatasetChoice choice;
  int threads = 0;
  bool json = false;
};

int run_list(bool json) {
  Value list{Value::List()};
  for (const std::string& name : dataset_names()) {
    Value entry;
    entry.set("name", name);
    entry.set("about", dataset_about(name));
    list.push_back(std::move(entry));
    if (!json) print(fmt::format("{:<22} {}\n", name, dataset_about(name)));
  }
  if (json) print(to_json(list, 2) + "\n");
  return kDone;
}

std::string check_text(const Dataset& data, const DatasetCheck& check) {
  std::string text =
      fmt::format("{} clips, {} tags, data set {}\n", data.clips.size(), data.tags.size(), data.name);
  for (const std::string& warning : data.warnings) text += "note: " + warning + "\n";
  const auto list = [&](const char* what, const std::vector<std::size_t>& clips, auto&& detail) {
    if (!clips.empty()) text += fmt::format("\n{} ({})\n", what, clips.size());
    for (const std::size_t i : clips)
      text += fmt::format("  {}  {}\n", data.clips[i].path.string(), detail(check.clips[i]));
  };
  list("missing", check.missing, [](const ClipCheck&) { return ""; });
  list("damaged", check.damaged, [](const ClipCheck& clip) { return clip.damage(); });
  list("of another length", check.wrong_length, [&](const ClipCheck& clip) {
    return fmt::format("{:.3f} s, the others {:.3f} s", clip.duration_s, check.usual_duration_s);
  });
  list("of another sample rate", check.wrong_sample_rate, [&](const ClipCheck& clip) {
    return fmt::format("{} Hz, the others {} Hz", clip.sample_rate_hz, check.usual_sample_rate_hz);
  });
  if (!check.extra.empty()) text += fmt::format("\nin no list ({})\n", check.extra.size());
  for (const std::filesystem::path& path : check.extra) text += fmt::format("  {}\n", path.string());
  if (!check.duplicates.empty())
    text += fmt::format("\nduplicates, the same bytes ({})\n", check.duplicates.size());
  for (const auto& group : check.duplicates) {
    for (const std::size_t i : group)
      text += fmt::format("  {}{}", i == group.front() ? "" : "= ", data.clips[i].path.string());
    text += "\n";
  }
  const std::vector<std::string> costs = cost_of_going_on(data, check);
  if (!costs.empty()) text += "\ngoing on as it is:\n";
  for (const std::string& cost : costs) text += "  " + cost + "\n";
  return text + (check.good() ? "every recording is there, whole and only once\n" : "");
}

int run_check(const Shared& options, const Common& common) {
  const Dataset data = load_chosen(options.choice, true);
  Progress progress(common);
  CheckOptions check_options;
  check_options.n_threads = options.threads;
  check_options.stop = &stop_flag();
  check_options.on_progress = [&](std::size_t done) {
    progress.show("decoding", static_cast<long>(done), static_cast<long>(data.clips.size()), "clips");
  };
  const DatasetCheck check = check_dataset(data, check_options);
  progress.clear();
  if (!check.complete) return kStopped;
  print(options.json ? to_json(to_value(data, check), 2) + "\n" : check_text(data, check));
  return check.good() ? kDone : kSomeFailed;
}

std::string total_text(const std::string& name, const ClipTotal& total, std::size_t width) {
  return fmt::format("  {:<{}} {:>8} {:>10.1f}\n", name, width, total.n_clips, total.duration_s / 60.0);
}

std::string stats_text(const Dataset& data, const DatasetStatistics& s) {
  std::string text = fmt::format("{}: {} clips, {} tags, {:.2f} hours, {} groups, {:.2f} tags a clip\n",
                                 data.name, s.total.n_clips, data.tags.size(), s.total.duration_s / 3600.0,
                                 s.n_groups, s.tags_per_clip);
  text += fmt::format("clips of {:.2f} to {:.2f} s, median {:.2f} s;", s.shortest_s, s.longest_s, s.median_s);
  for (const auto& [rate, n] : s.sample_rates_hz) text += fmt::format(" {} at {} Hz", n, rate);
  std::size_t width = 8;
  for (const std::string& tag : data.tags) width = std::max(width, tag.size());
  const auto header = [&](const char* what) {
    return fmt::format("\n  {:<{}} {:>8} {:>10}\n", what, width, "clips", "minutes");
  };
  text += "\n" + header("tag");
  for (std::size_t tag = 0; tag < data.tags.size(); ++tag)
    text += total_text(data.tags[tag], s.per_tag[tag], width);
  if (!s.per_split.empty()) text += header("split");
  for (const auto& [split, total] : s.per_split) text += total_text(split, total, width);
  if (!s.per_fold.empty()) text += header("fold");
  for (const auto& [fold, total] : s.per_fold) text += total_text(std::to_string(fold), total, width);
  if (s.listened) {
    text += fmt::format("\n{} clipped, {} silent\n", s.n_clipped(), s.n_silent());
    if (!s.near_duplicates.empty()) text += "the same sound in\n";
    for (const NearDuplicate& pair : s.near_duplicates) text += "  " + near_duplicate_text(data, pair) + "\n";
  }
  if (!s.unreadable.empty())
    text += fmt::format("\n{} recordings do not open; `earmark data check` says more\n", s.unreadable.size());
  return text;
}

struct StatsOptions {
  bool listen = false, overwrite = false;
  std::filesystem::path report;
};

int run_stats(const Shared& options, const StatsOptions& wanted, const Common& common) {
  refuse_existing("--report", wanted.report, wanted.overwrite);
  const Dataset data = load_chosen(options.choice, true);
  Progress progress(common);
  StatisticsOptions reading;
  reading.listen = wanted.listen || !wanted.report.empty();
  reading.n_threads = options.threads;
  reading.stop = &stop_flag();
  reading.on_progress = [&](std::size_t done) {
    progress.show(reading.listen ? "listening" : "reading headers", static_cast<long>(done),
                  static_cast<long>(data.clips.size()), "clips");
  };
  const DatasetStatistics statistics = dataset_statistics(data, reading);
  progress.clear();
  if (!statistics.complete) return kStopped;
  if (!wanted.report.empty()) {
    write_text(wanted.report, statistics_page(data, statistics));
    say(common, "report: " + wanted.report.string());
  }
  print(options.json ? to_json(to_value(data, statistics), 2) + "\n" : stats_text(data, statistics));
  return statistics.unreadable.empty() ? kDone : kSomeFailed;
}

void add_reading_actions(Program& program, CLI::App* verb) {
  auto add = [&](const char* name, const char* description, const char* examples,
                 const std::function<int(const Shared&, const Common&)>& run) {
    auto options = std::make_shared<Shared>();
    CLI::App* action = add_action(program, verb, name, description, examples,
                                  [&program, options, run] { return run(*options, program.common); });
    add_dataset_options(action, options->choice);
    action->get_option("--data-root")->required();
    action->add_option("--threads", options->threads, "recordings side by side; 0: all cores")
        ->check(integer_in(0, kMostThreads));
    action->add_flag("--json", options->json, "the answer as JSON on stdout");
    return action;
  };
  add("check",
      "decodes every recording; names those that are missing, damaged, there twice or of another length",
      "  earmark data check --dataset esc50 --data-root ESC-50\n  earmark data check --dataset folder "
      "--data-root my_sounds --json\n",
      run_check);
  auto wanted = std::make_shared<StatsOptions>();
  CLI::App* stats = add(
      "stats", "counts clips and hours of each tag, split and fold; on request listens to all of them",
      "  earmark data stats --dataset esc50 --data-root ESC-50\n"
      "  earmark data stats --dataset esc50 --data-root ESC-50 --report esc50.html\n",
      [wanted](const Shared& options, const Common& common) { return run_stats(options, *wanted, common); });
  stats->add_flag("--listen", wanted->listen,
                  "decode everything: levels, clipping, and clips that hold the same sound");
  stats->add_option("--report", wanted->report, "HTML page with pictures of it all; listens");
  stats->add_flag("--overwrite", wanted->overwrite, "replace the report when it is there");
}

}  // namespace

void add_data(Program& program) {
  CLI::App* verb =
      program.add_verb("data", "Lists, fetches, checks, counts and simulates data sets",
                       "  earmark data list\n  earmark data download --dataset esc50 --data-root ESC-50\n"
                       "  earmark data check --dataset esc50 --data-root ESC-50\n"
                       "  earmark data stats --dataset esc50 --data-root ESC-50\n"
                       "  earmark data simulate --out sounds --n-clips 150\n"
                       "  earmark data simulate --out street --layout sonyc_ust --n-scenes 200\n",
                       nullptr);
  verb->require_subcommand(1);
  auto json = std::make_shared<bool>(false);
  add_action(program, verb, "list", "names the data sets that earmark reads", "  earmark data list\n",
             [json] { return run_list(*json); })
      ->add_flag("--json", *json, "the answer as JSON on stdout");
  add_reading_actions(program, verb);
  add_data_download(program, verb);
  add_data_simulate(program, verb);
}

}  // namespace earmark::cli
