#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "app/cli/command.h"
#include "app/cli/event_flags.h"
#include "core/options_io.h"
#include "earmark/error.h"
#include "earmark/version.h"
#include "recipe/recipe.h"
#include "tagger/scorer.h"
#include "tagger/tag_job.h"

namespace earmark::cli {
namespace {

struct TagFlags {
  TagRequest request;
  std::string model, format = "table", segment_s, output, output_dir, ledger, picture, clips, raw_format;
  double threshold = 0.0;
  std::string start_time, time_zone = "UTC", embeddings;
  std::vector<std::string> metadata;
  int top_k = 0, rate = 0, channels = 1;
  Engine engine = Engine::kAuto;
};

constexpr const char* kExamples =
    "  earmark tag street.wav\n"
    "  earmark tag recordings/ --format csv --output tags.csv\n"
    "  earmark tag recordings/ --events --format audacity --output-dir labels\n"
    "  earmark tag night.flac --segment-s 5 --hop-s 1 --picture night.png\n"
    "  arecord -f S16_LE -r 44100 | earmark tag - --format jsonl\n"
    "  earmark tag archive/ --format jsonl --output tags.jsonl --resume\n"
    "  earmark tag archive/ --events --format sqlite --output archive.db --clips clips\n";

std::filesystem::path shipped_model() { return share_folder() / "models" / "esc10.earmark"; }

void read_segment_length(const std::string& text, TagOptions& cut) {
  if (text.empty()) return;
  if (text == "whole") {
    cut.segment_s = 0.0;
    return;
  }
  double seconds = 0.0;
  if (!CLI::detail::lexical_cast(text, seconds) || !(seconds > 0.0))
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--segment-s: must be a length in seconds or 'whole', got '{}'", text));
  cut.segment_s = seconds;
}

void read_raw_format(const TagFlags& flags, const CLI::App& verb, TagRequest& request) {
  if (flags.raw_format.empty()) {
    if (verb.count("--rate") + verb.count("--channels") > 0)
      throw Error(ErrorCode::kInvalidOption,
                  "--rate, --channels: describe raw samples, so --raw-format is needed");
    return;
  }
  const auto encoding = pcm_encoding(flags.raw_format);
  if (!encoding)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--raw-format: must be one of u8, s16le, s24le, s32le, f32le, f64le, got '{}'",
                            flags.raw_format));
  if (verb.count("--rate") == 0)
    throw Error(ErrorCode::kInvalidOption, "--rate: is needed with --raw-format, Hz");
  request.raw = RawFormat{*encoding, flags.rate, flags.channels};
}

void read_metadata(const std::vector<std::string>& texts, TagOptions& options) {
  std::vector<std::string> problems;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    double value = 0.0;
    if (equals == std::string::npos || equals == 0 ||
        !CLI::detail::lexical_cast(text.substr(equals + 1), value)) {
      problems.push_back(fmt::format("--metadata: must be NAME=NUMBER, got '{}'", text));
    } else {
      options.metadata[text.substr(0, equals)] = value;
    }
  }
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
}

void check_clip_margin(const TagFlags& flags, const CLI::App& verb) {
  if (verb.count("--clip-margin-s") > 0 && flags.clips.empty())
    throw Error(ErrorCode::kInvalidOption,
                "--clip-margin-s: is for the clips of events, so --clips is needed");
}

// `name`, `now` or a time.
void read_start_time(const TagFlags& flags, const CLI::App& verb, TagRequest& request) {
  if (verb.count("--pause-s") > 0 && flags.start_time != "now")
    throw Error(ErrorCode::kInvalidOption, "--pause-s: is for a stream with --start-time now");
  request.time_zone = TimeZone::parse(flags.time_zone);
  request.time_zone_name = flags.time_zone;
  if (flags.start_time.empty()) {
    if (verb.count("--time-zone") > 0)
      throw Error(ErrorCode::kInvalidOption, "--time-zone: --start-time is needed, else no times are told");
  } else if (flags.start_time == "name") {
    request.clock = ClockSource::kFileName;
  } else if (flags.start_time == "now") {
    request.clock = ClockSource::kNow;
  } else {
    request.clock = ClockSource::kGiven;
    request.start_time = parse_time(flags.start_time, request.time_zone);
  }
}

TagRequest request_of(const TagFlags& flags, const CLI::App& verb) {
  TagRequest request = flags.request;
  std::vector<std::string> problems;
  detail::read_field(Value(flags.format), request.format, kAny, {"--format", &problems});
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
  read_segment_length(flags.segment_s, request.cut);
  read_metadata(flags.metadata, request.cut);
  read_raw_format(flags, verb, request);
  read_start_time(flags, verb, request);
  check_clip_margin(flags, verb);
  if (verb.count("--threshold") > 0) request.threshold = flags.threshold;
  if (verb.count("--top-k") > 0) request.top_k = flags.top_k;
  request.output = flags.output;
  request.output_dir = flags.output_dir;
  request.ledger = flags.ledger;
  request.picture = flags.picture;
  request.clips = flags.clips;
  request.embeddings = flags.embeddings;
  request.program = fmt::format("earmark {}", version());
  request.engine = detail::write_field(flags.engine).as_string();
  request.bundle = flags.model.empty() ? shipped_model() : std::filesystem::path(flags.model);
  request.stop = &stop_flag();
  return request;
}

// One line at the end, for the person who waited.
std::string closing_line(const TagSummary& summary, double seconds) {
  std::string line = fmt::format("{} tagged", summary.n_ok);
  if (summary.n_failed > 0) line += fmt::format(", {} failed", summary.n_failed);
  if (summary.n_skipped > 0) line += fmt::format(", {} skipped", summary.n_skipped);
  if (summary.n_before > 0) line += fmt::format(", {} done before", summary.n_before);
  if (summary.n_failed_before > 0) line += fmt::format(" ({} of them failed)", summary.n_failed_before);
  if (summary.n_clips > 0) line += fmt::format(", {} clips", summary.n_clips);
  if (summary.audio_s > 0 && seconds > 0) {
    line += fmt::format("; {} of sound in {}, {:.0f} x real time", duration_text(summary.audio_s),
                        seconds < 10 ? fmt::format("{:.1f} s", seconds) : duration_text(seconds),
                        summary.audio_s / seconds);
  }
  return line;
}

void show_progress(Progress& progress, const TagProgress& p, double seconds) {
  if (p.n_inputs != 1) {
    const std::string speed =
        seconds > 0 && p.audio_s > 0 ? fmt::format("{:.0f} x real time", p.audio_s / seconds) : "";
    progress.show("tagging", static_cast<long>(p.n_done), static_cast<long>(p.n_inputs), "files", speed);
  } else if (p.n_done == 0) {
    progress.show("tagging", std::lround(p.audio_s), std::lround(p.audio_total_s), "s of sound");
  }
}

// By the words of the system for ENOSPC and EDQUOT.
bool is_full(const std::string& failure) {
  return failure.find(std::strerror(ENOSPC)) != std::string::npos ||
         failure.find(std::strerror(EDQUOT)) != std::string::npos;
}

int run_tag(const TagFlags& flags, const CLI::App& verb, const Common& common) {
  TagRequest request = request_of(flags, verb);
  Progress progress(common);
  std::mutex terminal;  // progress, messages and text take turns
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  request.on_text = [&](std::string_view text) {
    const std::lock_guard lock(terminal);
    progress.clear();
    print(std::string(text));
  };
  request.on_done = [&](const LedgerEntry& entry) {
    if (entry.status == InputStatus::kOk) return;
    const std::lock_guard lock(terminal);
    progress.clear();
    const bool failed = entry.status == InputStatus::kFailed;
    const std::string line =
        fmt::format("{}: {}: {}", failed ? "failed" : "skipped", entry.input, entry.reason);
    if (failed) {
      complain(line);
    } else {
      say(common, line);
    }
  };
  request.on_progress = [&](const TagProgress& p) {
    const std::lock_guard lock(terminal);
    show_progress(progress, p, elapsed());
  };
  const std::filesystem::path model = request.bundle;
  TagJob job(std::move(request));
  const Scorer scorer(read_tagging_bundle(model), make_network_by(flags.engine));
  const TagSummary summary = job.run(scorer);
  progress.clear();
  say(common, closing_line(summary, elapsed()));
  if (summary.interrupted) {
    const bool has_place = !flags.output.empty() || !flags.output_dir.empty();
    if (!summary.output_failure.empty()) {
      complain(fmt::format(
          "{}; the results of {} recordings are safe in {}; {}, then the same command with --resume goes on",
          summary.output_failure, summary.n_ok + summary.n_failed + summary.n_skipped + summary.n_before,
          flags.output.empty() ? flags.output_dir : flags.output,
          is_full(summary.output_failure) ? "make room" : "put that right"));
      return kStopped;
    }
    say(common, has_place ? "stopped; the same command with --resume goes on" : "stopped");
    return kStopped;
  }
  return summary.n_failed + summary.n_failed_before > 0 ? kSomeFailed : kDone;
}

void add_output_options(CLI::App* verb, TagFlags& f) {
  verb->add_option("--format", f.format, "table, csv, jsonl, audacity, raven or sqlite")
      ->capture_default_str();
  verb->add_option("--output", f.output,
                   "one file for all recordings, instead of the standard output; an SQLite database takes "
                   "one run after the other");
  verb->add_option("--output-dir", f.output_dir, "one file a recording, in the same tree of folders");
  verb->add_flag("--events", f.request.events,
                 "timeline events (neighbouring segments merged) instead of segments");
  add_event_options(verb, f.request.event_options);
  verb->add_option("--threshold", f.threshold,
                   "smallest score that is told; events, audacity and raven: the bundle's own");
  verb->add_option("--top-k", f.top_k, "at most this many tags a segment (5 when nothing else is asked for)");
  verb->add_flag("--all-scores", f.request.all_scores, "every tag of every segment");
  verb->add_option("--picture", f.picture,
                   "spectrogram with tags: a .png or .svg for one recording, a folder for many");
  verb->add_option("--clips", f.clips,
                   "folder for the sound of each event: FLAC files and a manifest.csv, in any format");
  verb->add_option("--clip-margin-s", f.request.clip_margin_s, "sound before and behind the event, s")
      ->capture_default_str();
  verb->add_option(
          "--embeddings", f.embeddings,
          "FILE.npy: what the network's last layer saw of each segment, a row each; FILE.npy.csv says of "
          "which")
      ->option_text("FILE");
  verb->add_option("--ledger", f.ledger,
                   "JSON line an input: what became of it (default: beside the output)");
  verb->add_flag("--resume", f.request.resume, "skip what the ledger has and go on with the output");
  verb->add_flag("--overwrite", f.request.overwrite, "begin anew where outputs already stand");
}

}  // namespace

void add_tag(Program& program) {
  auto flags = std::make_shared<TagFlags>();
  auto self = std::make_shared<CLI::App*>(nullptr);
  CLI::App* verb = program.add_verb("tag", "Tags recordings", kExamples, [&program, flags, self] {
    return run_tag(*flags, **self, program.common);
  });
  *self = verb;
  verb->add_option("inputs", flags->request.inputs,
                   "files, folders (with all below them), or - for the standard input")
      ->required();
  verb->add_option("--model", flags->model, "bundle (default: the one that ships)");
  verb->add_option("--segment-s", flags->segment_s,
                   "seconds a segment, or 'whole' (default: the bundle's own)");
  verb->add_option("--hop-s", flags->request.cut.hop_s,
                   "seconds from one segment to the next (default: no overlap)")
      ->check(real_in(kShortest_s, kDay_s));
  verb->add_option(
          "--metadata", flags->metadata,
          "NAME=NUMBER, what is known of the recordings, for bundles that take it (latitude=40.73 hour=14); "
          "may be repeated")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1);
  add_output_options(verb, *flags);
  verb->add_option(
      "--start-time", flags->start_time,
      "tells wall-clock times: of recordings whose names hold them (name), of a stream that is live "
      "(now), or of one recording that began then (2026-05-01T06:00:00+02:00)");
  verb->add_option("--time-zone", flags->time_zone,
                   "of times without an offset of their own: UTC, +02:00, Europe/Berlin")
      ->capture_default_str();
  verb->add_option("--pause-s", flags->request.pause_s,
                   "--start-time now: so long without sound is told as a gap; 0: never")
      ->capture_default_str()
      ->check(real_in(0.0, kDay_s));
  verb->add_option("--raw-format", flags->raw_format,
                   "samples on the standard input: u8, s16le, s24le, s32le, f32le or f64le");
  verb->add_option("--rate", flags->rate, "of raw samples, Hz");
  verb->add_option("--channels", flags->channels, "of raw samples")->capture_default_str();
  verb->add_option("--threads", flags->request.threads, "recordings or segments side by side; 0: all cores")
      ->check(integer_in(0, kMostThreads))
      ->capture_default_str();
  add_engine_option(verb, flags->engine);
  add_device_option(verb);
}

}  // namespace earmark::cli
