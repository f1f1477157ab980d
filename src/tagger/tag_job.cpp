#include "tagger/tag_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/file.h"
#include "core/file_lock.h"
#include "core/lower_case.h"
#include "core/options_io.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "tagger/clips.h"
#include "tagger/database_output.h"
#include "tagger/embedding_output.h"
#include "tagger/output_places.h"
#include "tagger/scorer.h"
#include "tagger/spectrogram_strip.h"
#include "tagger/tag_output.h"
#include "tagger/tag_run.h"

namespace earmark {
namespace {

constexpr int kDefaultTopK = 5;

bool labels_only(TagFormat format) { return format == TagFormat::kAudacity || format == TagFormat::kRaven; }

bool is_picture_name(const std::filesystem::path& path) {
  const std::string extension = lower_extension(path);
  return extension == ".png" || extension == ".svg";
}

// Of pictures that are not drawn: nobody means a folder of that name.
bool is_foreign_picture_name(const std::filesystem::path& path) {
  static const std::set<std::string> kForeign{".jpg",  ".jpeg", ".gif", ".bmp",  ".webp", ".tif",
                                              ".tiff", ".pdf",  ".eps", ".avif", ".heic", ".ps"};
  std::error_code error;
  return kForeign.contains(lower_extension(path)) && !std::filesystem::is_directory(path, error);
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
    if (!request.events && request.clips.empty())
      own.push_back(fmt::format(
          "{}: shapes events, and no events are asked for; add events (audacity and raven have segments "
          "without it)",
          name));
  }
  problems.insert(problems.end(), own.begin(), own.end());
}

// Whether `path` is `folder` or lies below it, whatever links lead there; it need not exist yet.
bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder) {
  std::error_code error;
  const auto inner = std::filesystem::weakly_canonical(path, error);
  const auto outer = std::filesystem::weakly_canonical(folder, error);
  if (error) return false;
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace

TagJob::TagJob(TagRequest request) : request_(std::move(request)), ledger_named_(!request_.ledger.empty()) {
  if (request_.ledger.empty() && !request_.output.empty())
    request_.ledger = request_.output.native() + ".ledger.jsonl";
  if (request_.ledger.empty() && !request_.output_dir.empty())
    request_.ledger = request_.output_dir / "ledger.jsonl";
  for (std::filesystem::path* place :
       {&request_.output, &request_.ledger, &request_.embeddings, &request_.picture}) {
    // Written in place of the file that a link leads to, not of the link.
    std::error_code error;
    if (std::filesystem::is_symlink(*place, error))
      *place = std::filesystem::weakly_canonical(resolve_links(*place), error);
  }
  inputs_ = expand_inputs(request_.inputs);
  check();
  read_before();
  place_outputs();
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
  add(r.format == TagFormat::kSqlite && r.output.empty(),
      "format: sqlite needs output, the database that the run is added to");
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
  add(is_foreign_picture_name(r.picture),
      fmt::format("picture: must be a .png, a .svg or a folder, got {}", r.picture.string()));
  add(r.threads < 0, fmt::format("threads: must not be negative, got {}", r.threads));
  if (r.raw) {
    for (const std::string& problem : r.raw->problems()) problems.push_back("raw_format: " + problem);
  }
  check_event_options(r, problems);
  check_clips(problems);
  check_clock(problems);
  check_places(problems);
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "nothing was tagged:", problems);
}

void TagJob::check_clock(std::vector<std::string>& problems) const {
  const TagRequest& r = request_;
  const auto refuse = [&](bool bad, const char* problem) {
    if (bad) problems.emplace_back(problem);
  };
  const bool streams =
      std::any_of(inputs_.begin(), inputs_.end(), [](const auto& i) { return i.is_stream(); });
  refuse(r.clock == ClockSource::kGiven && !r.start_time, "start_time: is needed");
  refuse(r.clock == ClockSource::kGiven && inputs_.size() > 1,
         "start_time: one time for several recordings; let their names tell it (name)");
  refuse(r.clock == ClockSource::kNow && !streams, "start_time: now is for the standard input ('-')");
  refuse(r.clock == ClockSource::kFileName && streams && inputs_.size() == 1,
         "start_time: the standard input has no name that could tell it; give a time, or now");
  refuse(r.clock == ClockSource::kNow && !(r.pause_s >= 0.0), "pause_s: must not be negative");
}

void TagJob::check_places(std::vector<std::string>& problems) const {
  if (!request_.embeddings.empty() && request_.embeddings.extension() != ".npy")
    problems.push_back(
        fmt::format("embeddings: must be the name of a .npy file, got {}", request_.embeddings.string()));
  if (request_.format == TagFormat::kSqlite && !request_.overwrite) check_database(problems);
  std::vector<OutputPlace> places;
  if (!request_.output.empty() && request_.format == TagFormat::kSqlite)
    places.push_back({"output", request_.output});
  if (!request_.output.empty() && request_.format != TagFormat::kSqlite) {
    for (const auto& path : file_output_names(request_.output)) places.push_back({"output", path});
  }
  if (!request_.output.empty() || ledger_named_) places.push_back({"ledger", request_.ledger});
  if (is_picture_name(request_.picture)) places.push_back({"picture", request_.picture});
  if (!request_.embeddings.empty()) {
    for (const auto& path : embedding_files(request_.embeddings)) places.push_back({"embeddings", path});
  }
  const std::vector<std::string> wrong = place_problems(places, inputs_);
  problems.insert(problems.end(), wrong.begin(), wrong.end());
  if (request_.resume) check_resumed(problems);
  if (request_.resume || request_.overwrite) return;
  const auto refuse = [&](const char* what, const std::filesystem::path& path) {
    std::error_code error;
    if (!path.empty() && std::filesystem::exists(path, error))
      problems.push_back(
          fmt::format("{}: {} exists; resume goes on with it, overwrite begins anew", what, path.string()));
  };
  // A database takes many runs; a ledger that it named itself says nothing that is not in it.
  if (request_.format != TagFormat::kSqlite) {
    if (!request_.output.empty()) {
      for (const auto& path : file_output_names(request_.output)) refuse("output", path);
    }
    refuse("run_file", run_file());
  }
  if (request_.format != TagFormat::kSqlite || ledger_named_) refuse("ledger", request_.ledger);
  if (!request_.clips.empty()) refuse("clips", ClipFolder::list_path(request_.clips));
  if (is_picture_name(request_.picture)) refuse("picture", request_.picture);
  if (request_.embeddings.empty()) return;
  for (const auto& path : embedding_files(request_.embeddings)) refuse("embeddings", path);
}

void TagJob::check_resumed(std::vector<std::string>& problems) const {
  const TagRequest& r = request_;
  if (r.output.empty() || r.format == TagFormat::kSqlite || !std::filesystem::exists(r.output)) return;
  if (std::filesystem::exists(r.ledger) || std::filesystem::exists(run_file())) return;
  problems.push_back(fmt::format(
      "output: {} exists, and no ledger beside it ({}) tells of a run that could go on; name another "
      "file, or overwrite it",
      r.output.string(), r.ledger.string()));
}

void TagJob::check_clips(std::vector<std::string>& problems) const {
  const TagRequest& r = request_;
  if (!(r.clip_margin_s >= 0.0 && r.clip_margin_s <= 3600.0))
    problems.push_back(fmt::format("clip_margin_s: must be 0..3600, got {}", r.clip_margin_s));
  if (r.clips.empty()) return;
  std::error_code error;
  if (std::any_of(inputs_.begin(), inputs_.end(), [](const TagInput& i) { return i.is_stream(); }))
    problems.emplace_back(
        "clips: the standard input cannot be read a second time; save it to a file and tag that");
  if (std::filesystem::exists(r.clips, error) && !std::filesystem::is_directory(r.clips, error))
    problems.push_back(fmt::format("clips: must be a folder, {} is none", r.clips.string()));
  for (const std::string& named : r.inputs) {
    if (named != "-" && std::filesystem::is_directory(named, error) && lies_in(r.clips, named))
      problems.push_back(
          fmt::format("clips: {} lies in {}, so that the next run would tag the clips; name a folder outside",
                      r.clips.string(), named));
  }
}

void TagJob::check_database(std::vector<std::string>& problems) const {
  const std::string problem = database_problem(request_.output);
  if (!problem.empty()) {
    problems.push_back(fmt::format("output: {}, or overwrite what is there", problem));
    return;
  }
  if (request_.resume || !std::filesystem::exists(request_.output) || !std::filesystem::exists(run_file()))
    return;
  if (read_run_file(run_file()).state != "done")
    problems.push_back(
        fmt::format("output: the last run into {} is not done; resume goes on with it, another ledger lets a "
                    "new run stand beside it, overwrite begins anew",
                    request_.output.string()));
}

void TagJob::place_outputs() {
  std::set<std::string> outputs, pictures;
  for (const auto& [input, files] : files_before_) {
    outputs.insert(files.output);
    pictures.insert(files.picture);
  }
  if (request_.output_dir == request_.ledger.parent_path())
    outputs.insert(path_text(request_.ledger.filename()));
  FileNames output_names(extension_of(request_.format), outputs), picture_names("png", pictures);
  files_.resize(inputs_.size());
  pictures_.resize(inputs_.size());
  names_.resize(inputs_.size());
  std::vector<std::string> problems;
  const auto claim = [&](const char* what, const std::filesystem::path& path) {
    std::error_code error;
    if (!request_.resume && !request_.overwrite && std::filesystem::exists(path, error))
      problems.push_back(
          fmt::format("{}: {} exists; resume goes on, overwrite begins anew", what, path.string()));
  };
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto before = files_before_.find(inputs_[i].name);
    const OwnFiles own = before == files_before_.end() ? OwnFiles{} : before->second;
    if (!request_.output_dir.empty()) {
      const auto name = output_names.next(inputs_[i].relative, own.output);
      names_[i].output = path_text(name);
      claim("output_dir", files_[i] = request_.output_dir / name);
    }
    if (request_.picture.empty()) continue;
    if (is_picture_name(request_.picture)) {
      pictures_[i] = request_.picture;
    } else {
      const auto name = picture_names.next(inputs_[i].relative, own.picture);
      names_[i].picture = path_text(name);
      claim("picture", pictures_[i] = request_.picture / name);
    }
  }
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "nothing was tagged:", problems);
}

Selection TagJob::selection(const Scorer& scorer, bool events) const {
  Selection chosen;
  const bool asked = request_.threshold || request_.top_k || request_.all_scores;
  if (request_.threshold) {
    chosen.thresholds.assign(scorer.bundle().tags.size(), *request_.threshold);
  } else if (events || (!asked && labels_only(request_.format))) {
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
  if (r.events || !r.clips.empty()) settings.set("event_options", write_options(event_options(scorer)));
  settings.set("embeddings", !r.embeddings.empty());
  constexpr const char* kClocks[] = {"none", "given", "name", "now"};
  settings.set("clock", kClocks[static_cast<int>(r.clock)]);
  if (r.start_time) settings.set("start_time", r.start_time->text(0.0));
  const bool zoned = r.clock == ClockSource::kFileName || r.clock == ClockSource::kNow;
  settings.set("time_zone", zoned ? Value(r.time_zone_name) : Value());
  settings.set("pause_s", r.clock == ClockSource::kNow ? Value(r.pause_s) : Value());
  Value raw;
  if (r.raw) {
    raw.set("encoding", static_cast<std::int64_t>(r.raw->encoding));
    raw.set("sample_rate_hz", static_cast<std::int64_t>(r.raw->sample_rate_hz));
    raw.set("n_channels", static_cast<std::int64_t>(r.raw->n_channels));
  }
  settings.set("raw_format", raw);
  settings.set("engine", r.engine.empty() ? Value() : Value(r.engine));
  settings.set("clip_margin_s", r.clips.empty() ? Value() : Value(r.clip_margin_s));
  return settings;
}

std::filesystem::path TagJob::run_file() const {
  const bool own_ledger = ledger_named_ && (request_.output.empty() || request_.format == TagFormat::kSqlite);
  if (own_ledger) return request_.ledger.native() + ".run.json";
  if (!request_.output.empty()) return request_.output.native() + ".run.json";
  return request_.output_dir.empty() ? std::filesystem::path() : request_.output_dir / "run.json";
}

void TagJob::write_run(const RunRecord& run) const {
  if (!run_file().empty()) write_run_file(run_file(), run);
  if (!request_.clips.empty()) write_run_file(request_.clips / "run.json", run);
}

RunRecord TagJob::begin_run(const Scorer& scorer) const {
  RunRecord run;
  if (run_file().empty() && request_.clips.empty() && request_.picture.empty()) return run;
  run.program = request_.program;
  run.bundle_id = request_.bundle.empty()
                      ? fmt::format("{:016x}", fnv1a(to_json(bundle_description(scorer.bundle()))))
                      : bundle_id(read_bytes(request_.bundle));
  run.bundle = path_text(request_.bundle);
  run.options = settings(scorer);
  run.n_inputs = static_cast<std::int64_t>(inputs_.size());
  run.started_at = utc_now();
  if (!request_.resume || !std::filesystem::exists(run_file())) return run;
  const RunRecord before = read_run_file(run_file());
  run.started_at = before.started_at;  // by which a database knows it
  if (done_before_.empty()) return run;
  std::vector<std::string> problems = differences(before, run);
  const std::filesystem::path clips_run = request_.clips / "run.json";
  if (!request_.clips.empty() &&
      (!std::filesystem::exists(clips_run) || read_run_file(clips_run).started_at != before.started_at))
    problems.push_back(
        fmt::format("clips: {} is not the folder that the run began with", path_text(request_.clips)));
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption,
                "--resume: the output would be a mixture; go on with the same options:", problems);
  return run;
}

// The ledger goes first: without it nothing counts as done.
void TagJob::clear_places() const {
  const TagRequest& r = request_;
  const bool new_run = r.format == TagFormat::kSqlite && !r.resume && !ledger_named_;
  if ((r.overwrite || new_run) && !r.ledger.empty()) std::filesystem::remove(r.ledger);
  if (r.overwrite && r.format == TagFormat::kSqlite) {
    for (const auto& path : database_files(r.output)) std::filesystem::remove(path);
  }
  if (r.overwrite && !r.clips.empty()) ClipFolder::remove_clips(r.clips);
  if (!r.output_dir.empty()) create_folders(r.output_dir, "output_dir");
  if (!r.clips.empty()) create_folders(r.clips, "clips");
  if (!r.picture.empty() && !is_picture_name(r.picture)) create_folders(r.picture, "picture");
  if (!run_file().empty()) remove_leftovers(run_file().parent_path(), run_file().filename().string());
  if (!r.clips.empty()) remove_leftovers(r.clips, "run.json");
}

std::unique_ptr<TagOutput> TagJob::make_output(const Scorer& scorer, const RunRecord& run) {
  auto output = make_main_output(scorer, run);
  if (request_.embeddings.empty()) return output;
  std::erase_if(heard_before_, [&](const std::string& name) { return !done_before_.contains(name); });
  return make_embedding_output(std::move(output), request_.embeddings, scorer.n_embedding(), request_.resume,
                               done_before_, heard_before_);
}

std::unique_ptr<TagOutput> TagJob::make_main_output(const Scorer& scorer, const RunRecord& run) {
  const TagRequest& r = request_;
  const LogMelOptions front_end = picture_front_end(scorer.bundle());
  const TagFormatter::Options shown{r.format,
                                    r.events,
                                    selection(scorer, r.events),
                                    front_end.f_min_hz,
                                    front_end.f_max_hz,
                                    event_options(scorer),
                                    r.clock != ClockSource::kNone};
  const std::vector<std::string>& tags = scorer.bundle().tags;
  const std::size_t n_told = done_before_.size();
  std::unique_ptr<TagOutput> output;
  if (r.format == TagFormat::kSqlite) {
    output = make_database_output(tags, shown, r.output, run, done_before_);
  } else if (!r.output.empty()) {
    output = make_file_output(TagFormatter(tags, shown), r.format, r.output, r.resume, done_before_);
  } else if (!r.output_dir.empty()) {
    output = make_tree_output(TagFormatter(tags, shown));
    forget_missing_files();
  } else {
    output = make_text_output(
        TagFormatter(tags, shown), r.on_text ? r.on_text : [](std::string_view) {});
  }
  if (done_before_.size() < n_told) keep_in_ledger(r.ledger, done_before_);
  std::erase_if(failed_before_, [&](const std::string& name) { return !done_before_.contains(name); });
  return output;
}

// Of recordings that are done: somebody took their files away.
void TagJob::forget_missing_files() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const std::string& name = inputs_[i].name;
    if (!inputs_[i].problem && !failed_before_.contains(name) && !std::filesystem::exists(files_[i]))
      done_before_.erase(name);
  }
}

std::unique_ptr<ClipFolder> TagJob::make_clips(const Scorer& scorer, const RunRecord& run) const {
  if (request_.clips.empty()) return nullptr;
  ClipFolder::Options options;
  options.folder = request_.clips;
  options.margin_s = request_.clip_margin_s;
  options.selection = selection(scorer, true);
  options.event_options = event_options(scorer);
  options.tags = scorer.bundle().tags;
  options.software = run.program;
  options.origin = "bundle " + run.bundle_id;
  options.decode = request_.decode;
  return std::make_unique<ClipFolder>(std::move(options), done_before_);
}

void TagJob::read_before() {
  if (!request_.resume || !std::filesystem::exists(request_.ledger)) return;
  LedgerInputs before = read_ledger(request_.ledger);
  done_before_ = std::move(before.done);
  failed_before_ = std::move(before.failed);
  heard_before_ = std::move(before.heard);
  files_before_ = std::move(before.files);
}

// Two processes at one output would tag the same recordings and write over each other's lines.
std::unique_ptr<FileLock> TagJob::lock() const {
  if (run_file().empty()) return nullptr;
  if (!request_.output_dir.empty()) create_folders(request_.output_dir, "output_dir");
  auto alone = std::make_unique<FileLock>(with_suffix(run_file(), ".lock"));
  if (alone->held()) return alone;
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("{}: another process is writing this run ({} is locked); wait for its end, or name "
                          "another place",
                          request_.output.empty() ? "output_dir" : "output",
                          with_suffix(run_file(), ".lock").string()));
}

TagSummary TagJob::run(const Scorer& scorer) {
  ScoringOptions scoring = scoring_options(scorer, request_.cut);
  scoring.embed = !request_.embeddings.empty();
  if (scoring.embed && scorer.n_embedding() == 0)
    throw Error(ErrorCode::kUnsupported, "embeddings: the bundle's networks do not tell what they see");
  const std::unique_ptr<FileLock> alone = lock();
  if (alone && request_.resume) {  // another process may have written since
    read_before();
    place_outputs();
  }
  RunRecord run = begin_run(scorer);
  clear_places();
  write_run(run);
  const std::unique_ptr<TagOutput> output = make_output(scorer, run);
  const std::unique_ptr<ClipFolder> clips = make_clips(scorer, run);
  const std::vector<std::string> prefixes =
      clips != nullptr ? clip_prefixes(inputs_, files_before_) : std::vector<std::string>(inputs_.size());
  std::vector<TagTask> tasks;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    names_[i].clips = prefixes[i];
    if (!done_before_.contains(inputs_[i].name))
      tasks.push_back({&inputs_[i], files_[i], pictures_[i], prefixes[i], names_[i]});
  }
  const std::string provenance = to_json(provenance_of(run));
  TagSummary summary = run_tag_tasks(request_, tasks, scorer, scoring, *output, clips.get(), provenance);
  summary.n_before = inputs_.size() - tasks.size();
  for (const TagInput& input : inputs_)
    summary.n_failed_before += failed_before_.contains(input.name) ? 1 : 0;
  const bool whole =
      !summary.interrupted || summary.n_ok + summary.n_failed + summary.n_skipped == tasks.size();
  if (!summary.output_failure.empty()) return summary;  // nothing more can be written
  whole ? output->finish() : output->stop();
  run.state = whole ? "done" : "interrupted";
  run.finished_at = utc_now();
  write_run(run);
  return summary;
}

}  // namespace earmark
