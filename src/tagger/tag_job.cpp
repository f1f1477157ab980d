#include "tagger/tag_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/file.h"
#include "core/options_io.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "tagger/scorer.h"
#include "tagger/spectrogram_strip.h"
#include "tagger/tag_output.h"
#include "tagger/tag_run.h"

namespace earmark {
namespace {

constexpr int kDefaultTopK = 5;

bool labels_only(TagFormat format) { return format == TagFormat::kAudacity || format == TagFormat::kRaven; }

bool is_picture_name(const std::filesystem::path& path) {
  return path.extension() == ".png" || path.extension() == ".svg";
}

std::filesystem::path with_extension(const std::filesystem::path& path, const std::string& extension) {
  return path.native() + "." + extension;
}

// What is asked for over what there is.
EventOptions changed(EventOptions options, const Value& changes, std::vector<std::string>& problems) {
  read_options(changes, options, "", problems);
  if (problems.empty()) problems = options.problems();
  return options;
}

void check_event_options(const TagRequest& request, std::vector<std::string>& problems) {
  std::vector<std::string> own;
  changed({}, request.event_options, own);
  for (const auto& [name, value] : request.event_options.as_map()) {
    if (!request.events)
      own.push_back(fmt::format(
          "{}: shapes events, and no events are asked for; add events (audacity and raven have segments "
          "without it)",
          name));
  }
  problems.insert(problems.end(), own.begin(), own.end());
}

// Two recordings whose files would have the same name: the second one's gets a number.
std::filesystem::path unique_name(std::set<std::string>& taken, const std::filesystem::path& folder,
                                  const std::filesystem::path& relative, const std::string& extension) {
  std::filesystem::path name = folder / with_extension(relative, extension);
  for (int n = 2; !taken.insert(name.native()).second; ++n)
    name = folder / with_extension(relative, fmt::format("{}.{}", n, extension));
  return name;
}

}  // namespace

TagJob::TagJob(TagRequest request) : request_(std::move(request)) {
  if (request_.ledger.empty() && !request_.output.empty())
    request_.ledger = request_.output.native() + ".ledger.jsonl";
  if (request_.ledger.empty() && !request_.output_dir.empty())
    request_.ledger = request_.output_dir / "ledger.jsonl";
  inputs_ = expand_inputs(request_.inputs);
  check();
  place_outputs();
  if (request_.resume && std::filesystem::exists(request_.ledger)) {
    LedgerInputs before = read_ledger(request_.ledger);
    done_before_ = std::move(before.done);
    failed_before_ = std::move(before.failed);
  }
}

void TagJob::check() {
  std::vector<std::string> problems;
  const auto add = [&](bool bad, const std::string& problem) {
    if (bad) problems.push_back(problem);
  };
  const TagRequest& r = request_;
  const bool has_stream =
      std::any_of(inputs_.begin(), inputs_.end(), [](const TagInput& i) { return i.is_stream(); });
  const bool has_place = !r.output.empty() || !r.output_dir.empty();
  add(inputs_.empty(), "inputs: at least one is needed, got none");
  add(!r.output.empty() && !r.output_dir.empty(), "output, output_dir: only one of them may be given");
  add(r.format == TagFormat::kAudacity && r.output_dir.empty(),
      "format: audacity's labels name no file, so they need output_dir (one file a recording)");
  add(r.resume && !has_place, "resume: needs output or output_dir");
  add(r.resume && r.overwrite, "resume, overwrite: only one of them may be given");
  add(r.threshold && !(*r.threshold >= 0.0 && *r.threshold <= 1.0),
      fmt::format("threshold: must be 0..1, got {}", r.threshold.value_or(0)));
  add(r.top_k && *r.top_k < 1, fmt::format("top_k: must be at least 1, got {}", r.top_k.value_or(0)));
  add(r.all_scores && (r.threshold || r.top_k), "all_scores: cannot be combined with threshold or top_k");
  add(r.all_scores && r.events, "all_scores: events are what passes a threshold");
  add(r.raw && !has_stream, "raw_format: describes the standard input, so '-' must be among the inputs");
  add(is_picture_name(r.picture) && inputs_.size() > 1,
      fmt::format("picture: {} is one file for {} recordings; name a folder", r.picture.string(),
                  inputs_.size()));
  add(r.threads < 0, fmt::format("threads: must not be negative, got {}", r.threads));
  if (r.raw) {
    for (const std::string& problem : r.raw->problems()) problems.push_back("raw_format: " + problem);
  }
  check_event_options(r, problems);
  check_places(problems);
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "nothing was tagged:", problems);
}

void TagJob::check_places(std::vector<std::string>& problems) const {
  if (request_.resume || request_.overwrite) return;
  const auto refuse = [&](const char* what, const std::filesystem::path& path) {
    std::error_code error;
    if (!path.empty() && std::filesystem::exists(path, error))
      problems.push_back(
          fmt::format("{}: {} exists; resume goes on with it, overwrite begins anew", what, path.string()));
  };
  if (!request_.output.empty()) {
    for (const auto& path : file_output_names(request_.output)) refuse("output", path);
  }
  refuse("ledger", request_.ledger);
  if (is_picture_name(request_.picture)) refuse("picture", request_.picture);
}

void TagJob::place_outputs() {
  std::set<std::string> taken{request_.ledger.native()};
  files_.resize(inputs_.size());
  pictures_.resize(inputs_.size());
  std::vector<std::string> problems;
  const auto claim = [&](const char* what, const std::filesystem::path& path) {
    std::error_code error;
    if (!request_.resume && !request_.overwrite && std::filesystem::exists(path, error))
      problems.push_back(
          fmt::format("{}: {} exists; resume goes on, overwrite begins anew", what, path.string()));
  };
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!request_.output_dir.empty()) {
      files_[i] = unique_name(taken, request_.output_dir, inputs_[i].relative, extension_of(request_.format));
      claim("output_dir", files_[i]);
    }
    if (request_.picture.empty()) continue;
    if (is_picture_name(request_.picture)) {
      pictures_[i] = request_.picture;
    } else {
      pictures_[i] = unique_name(taken, request_.picture, inputs_[i].relative, "png");
      claim("picture", pictures_[i]);
    }
  }
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "nothing was tagged:", problems);
}

Selection TagJob::selection(const Scorer& scorer) const {
  Selection chosen;
  const bool asked = request_.threshold || request_.top_k || request_.all_scores;
  if (request_.threshold) {
    chosen.thresholds.assign(scorer.bundle().tags.size(), *request_.threshold);
  } else if (request_.events || (!asked && labels_only(request_.format))) {
    chosen.thresholds = scorer.bundle().thresholds;
  } else if (!asked) {
    chosen.top_k = kDefaultTopK;
  }
  if (request_.top_k) chosen.top_k = *request_.top_k;
  return chosen;
}

EventOptions TagJob::event_options(const Scorer& scorer) const {
  std::vector<std::string> problems;
  return changed(scorer.bundle().events.value_or(EventOptions()), request_.event_options, problems);
}

// What decides the text of an output and no run that goes on may change.
Value TagJob::settings(const Scorer& scorer) const {
  const TagRequest& r = request_;
  Value settings;
  settings.set("model", fmt::format("{:016x}", fnv1a(to_json(bundle_description(scorer.bundle())))));
  settings.set("format", detail::write_field(r.format));
  settings.set("events", r.events);
  settings.set("all_scores", r.all_scores);
  settings.set("threshold", r.threshold ? Value(*r.threshold) : Value());
  settings.set("top_k", r.top_k ? Value(*r.top_k) : Value());
  settings.set("segment_s", r.cut.segment_s ? Value(*r.cut.segment_s) : Value());
  settings.set("hop_s", r.cut.hop_s);
  Value metadata{Value::Map()};
  for (const auto& [name, value] : r.cut.metadata) metadata.set(name, value);
  settings.set("metadata", metadata);
  if (r.events) settings.set("event_options", write_options(event_options(scorer)));
  return settings;
}

void TagJob::check_settings(const Scorer& scorer) const {
  if (request_.ledger.empty()) return;
  const std::filesystem::path path = request_.ledger.native() + ".settings.json";
  const Value now = settings(scorer);
  if (done_before_.empty() || !std::filesystem::exists(path)) {
    write_text(path, to_json(now, 2) + "\n");
    return;
  }
  const Value before = parse_json(read_text(path), path.string());
  std::vector<std::string> problems;
  const Value without = write_options(EventOptions());  // of runs begun when there were no options of events
  for (const auto& [name, value] : now.as_map()) {
    const Value* old = before.find(name);
    if (old == nullptr && name == "event_options") old = &without;
    if (old != nullptr && !(*old == value))
      problems.push_back(
          fmt::format("{}: the run was begun with {}, now it is {}", name, to_json(*old), to_json(value)));
  }
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption,
                "--resume: the output would be a mixture; go on with the same options:", problems);
}

TagSummary TagJob::run(const Scorer& scorer) {
  const ScoringOptions scoring = scoring_options(scorer, request_.cut);
  const LogMelOptions front_end = picture_front_end(scorer.bundle());
  TagFormatter formatter(scorer.bundle().tags,
                         {request_.format, request_.events, selection(scorer), front_end.f_min_hz,
                          front_end.f_max_hz, event_options(scorer)});
  if (request_.overwrite && !request_.ledger.empty()) std::filesystem::remove(request_.ledger);
  if (!request_.output_dir.empty()) std::filesystem::create_directories(request_.output_dir);
  check_settings(scorer);
  std::unique_ptr<TagOutput> output;
  if (!request_.output.empty()) {
    output = make_file_output(std::move(formatter), request_.format, request_.output, request_.resume,
                              done_before_);
  } else if (!request_.output_dir.empty()) {
    output = make_tree_output(std::move(formatter));
  } else {
    output = make_text_output(
        std::move(formatter), request_.on_text ? request_.on_text : [](std::string_view) {});
  }
  std::vector<TagTask> tasks;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!done_before_.contains(inputs_[i].name)) tasks.push_back({&inputs_[i], files_[i], pictures_[i]});
  }
  TagSummary summary = run_tag_tasks(request_, tasks, scorer, scoring, *output);
  summary.n_before = inputs_.size() - tasks.size();
  for (const TagInput& input : inputs_)
    summary.n_failed_before += failed_before_.contains(input.name) ? 1 : 0;
  if (!summary.interrupted ||
      (summary.output_failure.empty() && summary.n_ok + summary.n_failed + summary.n_skipped == tasks.size()))
    output->finish();
  return summary;
}

}  // namespace earmark
