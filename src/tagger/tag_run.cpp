#include "tagger/tag_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "audio/live_audio.h"
#include "core/file.h"
#include "earmark/error.h"
#include "tagger/ordered_results.h"
#include "tagger/picture.h"
#include "tagger/spectrogram_strip.h"

namespace earmark {
namespace {

// What was told, into the output first and then into the ledger, so that the ledger never knows more.
class Teller : public ResultSink {
 public:
  Teller(const TagRequest& request, const std::vector<TagTask>& tasks, TagOutput& output, ClipFolder* clips)
      : clip_rows(tasks.size()), request_(request), tasks_(tasks), output_(output), clips_(clips) {
    if (!request.ledger.empty()) ledger_.emplace(request.ledger);
  }

  void begin(std::size_t index) override {
    begun_ = true;
    output_.set_clock(clock_of(*tasks_[index].input));
    output_.begin(tasks_[index].input->name, tasks_[index].file);
  }
  void gap(std::size_t, const StreamGap& gap) override { output_.gap(gap); }
  void clock(std::size_t, const ClockAnchor& clock) override {
    stream_clock_ = clock;
    if (begun_) output_.set_clock(clock);
  }
  void segment(std::size_t, const SegmentScores& segment) override {
    output_.segment(segment);
    ++n_segments_;
  }
  void end(std::size_t index, LedgerEntry& entry) override {
    entry.segments = std::exchange(n_segments_, 0);
    begun_ = false;
    if (entry.status == InputStatus::kOk || entry.keep) {
      output_.end(entry);
    } else if (output_.abandon(entry)) {
      entry.segments = 0;
    }
    const std::vector<ClipRow> rows = std::exchange(clip_rows[index], {});
    if (clips_ != nullptr) clips_->list(tasks_[index].input->name, rows);
    summary.n_clips += rows.size();
    entry.files = tasks_[index].names;
    if (ledger_) ledger_->append(ledger_line(entry));
    ++(entry.status == InputStatus::kOk       ? summary.n_ok
       : entry.status == InputStatus::kFailed ? summary.n_failed
                                              : summary.n_skipped);
    if (request_.on_done) request_.on_done(entry);
  }

  TagSummary summary;
  /// Of each task, filled in by whoever scored it, before the task is finished.
  std::vector<std::vector<ClipRow>> clip_rows;

 private:
  std::optional<ClockAnchor> clock_of(const TagInput& input) const {
    if (input.is_stream() && stream_clock_) return stream_clock_;
    std::optional<StartTime> start;
    if (request_.clock == ClockSource::kGiven) start = request_.start_time;
    if (request_.clock == ClockSource::kFileName)
      start = time_of_name(path_text(input.path.filename()), request_.time_zone);
    if (!start) return std::nullopt;
    return ClockAnchor{*start, 0.0};
  }

  const TagRequest& request_;
  const std::vector<TagTask>& tasks_;
  TagOutput& output_;
  std::optional<ClockAnchor> stream_clock_;
  bool begun_ = false;
  ClipFolder* clips_;
  std::optional<Journal> ledger_;
  std::uint64_t n_segments_ = 0;
};

// What a picture needs, gathered while the recording streams by.
struct PictureParts {
  explicit PictureParts(const Scorer& scorer) : spectrogram(picture_front_end(scorer.bundle())) {}
  SpectrogramStrip spectrogram;
  ScoreStrip scores;
};

class TagRun {
 public:
  TagRun(const TagRequest& request, const std::vector<TagTask>& tasks, const Scorer& scorer,
         const ScoringOptions& scoring, TagOutput& output, ClipFolder* clips, const std::string& provenance)
      : request_(request),
        tasks_(tasks),
        scorer_(scorer),
        scoring_(scoring),
        clips_(clips),
        provenance_(provenance),
        teller_(request, tasks, output, clips),
        results_(tasks.size(), teller_),
        pool_(scorer) {}

  TagSummary run() {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const int n = request_.threads > 0 ? request_.threads : static_cast<int>(cores);
    n_active_ = n;
    std::vector<std::thread> threads;
    for (int i = 1; i < n; ++i) threads.emplace_back([this] { work(); });
    work();
    for (std::thread& thread : threads) thread.join();
    TagSummary summary = teller_.summary;
    if (error_) summary.output_failure = output_failure();
    summary.interrupted = error_ || stream_interrupted_ || results_.n_told() < tasks_.size();
    summary.audio_s = audio_s_;
    return summary;
  }

 private:
  // What stands in the outputs' places stays; any other error is the caller's.
  std::string output_failure() const {
    try {
      std::rethrow_exception(error_);
    } catch (const Error& error) {
      const bool has_place = !request_.output.empty() || !request_.output_dir.empty();
      if (error.code() != ErrorCode::kIo || !has_place) throw;
      return error.what();
    }
  }

  bool stopped() const { return request_.stop != nullptr && *request_.stop; }

  void work() {
    Scorer::Workspace workspace;
    try {
      while (!stopped() && !failed_) {
        const std::size_t index = next_++;
        if (index >= tasks_.size()) break;
        tag(index, workspace);
      }
    } catch (...) {
      fail(std::current_exception());
    }
    if (--n_active_ == 0) pool_.close();
    pool_.help(workspace);
  }

  void fail(std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::move(error);
    }
    failed_ = true;
    results_.cancel();
  }

  void tag(std::size_t index, Scorer::Workspace& workspace) {
    const TagInput& input = *tasks_[index].input;
    LedgerEntry entry;
    entry.input = input.name;
    if (input.problem) {
      refuse(entry, *input.problem);
      if (input.problem->reason == "no_audio_files") entry.status = InputStatus::kSkipped;
    } else if (input.is_stream()) {
      tag_stream(index, entry, workspace);
    } else if (auto source = open_audio(input.path, decode_options())) {
      if (!tag_sound(index, std::move(*source), entry, workspace)) return results_.abandon(index);
    } else {
      if (stopped())
        return results_.abandon(index);  // a signal reaches ffmpeg too; its failure means nothing
      refuse(entry, source.failure());
    }
    results_.finish(index, std::move(entry));
    progress(1, 0.0, 0.0);
  }

  DecodeOptions decode_options() const {
    DecodeOptions decode = request_.decode;
    decode.stop = request_.stop;
    return decode;
  }

  static void refuse(LedgerEntry& entry, const Failure& failure) {
    entry.status = InputStatus::kFailed;
    entry.reason = failure.detail.empty() ? failure.reason : failure.reason + ": " + failure.detail;
  }

  // What becomes of a recording's segments, in order.
  struct EmptyPart {
    Failure failure;
    double from_s = 0.0;
  };
  struct Hearing {
    std::optional<PictureParts> picture;
    std::optional<EventMerger> merger;  // of clips
    std::vector<TagEvent> events;
    double reached_s = 0.0, total_s = 0.0;
    std::vector<EmptyPart> empty_parts;  // of a stream
    bool any = false;                    // whether any segment of it was scored
  };
  void take(std::size_t index, SegmentScores&& segment, Hearing& hearing, bool live) {
    if (hearing.merger) hearing.merger->add(segment, hearing.events);
    if (hearing.picture) hearing.picture->scores.add(segment);
    progress(0, segment.end_s - hearing.reached_s, hearing.total_s);
    hearing.reached_s = segment.end_s;
    results_.add(index, std::move(segment), live);
  }

  // @return false when the recording was left unfinished.
  bool tag_sound(std::size_t index, std::unique_ptr<AudioSource> source, LedgerEntry& entry,
                 Scorer::Workspace& workspace) {
    const TagTask& task = tasks_[index];
    source = convert_for(scorer_, std::move(source));
    Hearing hearing;
    if (const auto declared = source->n_samples_declared(); declared && tasks_.size() == 1)
      hearing.total_s = static_cast<double>(*declared) / source->sample_rate_hz();
    if (!task.picture.empty()) {
      hearing.picture.emplace(scorer_);
      source = show_to(hearing.picture->spectrogram, std::move(source));
    }
    if (clips_ != nullptr) hearing.merger.emplace(clips_->selection(), clips_->event_options());
    const RecordingSummary summary = score_recording(
        std::move(source), scorer_, scoring_, &pool_, workspace,
        [&](SegmentScores&& segment) { take(index, std::move(segment), hearing, false); }, request_.stop);
    if (summary.failure && stopped()) return false;
    entry.duration_s = summary.duration_s;
    entry.warnings = summary.warnings;
    warn_of_clock(task, entry);
    if (summary.failure) refuse(entry, *summary.failure);
    if (entry.status != InputStatus::kOk) return true;
    if (hearing.picture) draw(task, *hearing.picture, summary.duration_s);
    if (hearing.merger) hearing.merger->finish(hearing.events);
    return cut_clips(index, hearing.events, entry);
  }

  void warn_of_clock(const TagTask& task, LedgerEntry& entry) const {
    std::optional<StartTime> start = request_.start_time;
    if (request_.clock == ClockSource::kFileName && !task.input->is_stream()) {
      start = time_of_name(path_text(task.input->path.filename()), request_.time_zone);
      if (!start) entry.warnings.emplace_back("no_start_time: the file's name tells no date and time");
    }
    if (start && start->shown_twice)
      entry.warnings.push_back(fmt::format(
          "ambiguous_start_time: clocks of {} showed it twice that night; taken is the earlier, {}",
          request_.time_zone_name, start->text(0.0)));
  }

  // The standard input: its parts one behind the other, on one axis of time, that of the sound that came.
  void tag_stream(std::size_t index, LedgerEntry& entry, Scorer::Workspace& workspace) {
    LiveOptions options;
    if (request_.clock == ClockSource::kNow) options.pause_s = request_.pause_s;
    LiveAudio live(request_.stream_fd, request_.raw, decode_options(), options);
    Hearing hearing;
    if (!tasks_[index].picture.empty()) hearing.picture.emplace(scorer_);
    for (bool first = true; entry.status == InputStatus::kOk; first = false) {
      auto part = live.next();
      if (part && *part == nullptr) break;
      if (!part) {
        end_stream(entry, part.failure(), hearing.any);
        break;
      }
      if (!first) note_gap(index, *live.last_break(), entry);
      if (!tag_part(index, std::move(*part), live, hearing, entry, workspace)) break;
    }
    if (entry.status == InputStatus::kOk && !hearing.empty_parts.empty()) tell_of_empty_parts(entry, hearing);
    warn_of_clock(tasks_[index], entry);
    if (hearing.picture && entry.status == InputStatus::kOk)
      draw(tasks_[index], *hearing.picture, entry.duration_s);
  }

  // Parts with nothing to score; a stream that has no others failed.
  void tell_of_empty_parts(LedgerEntry& entry, const Hearing& hearing) {
    if (!hearing.any && !stopped()) return refuse(entry, hearing.empty_parts.front().failure);
    for (const EmptyPart& part : hearing.empty_parts)
      entry.warnings.push_back(fmt::format("{}: the part at {:.1f} s", part.failure.reason, part.from_s));
  }

  void note_gap(std::size_t index, const StreamBreak& between, LedgerEntry& entry) {
    entry.gaps.push_back({entry.duration_s, between.missing_s, between.restart});
    results_.gap(index, entry.gaps.back());
    if (request_.clock != ClockSource::kGiven) return;
    double missing_s = 0.0;
    for (const StreamGap& gap : entry.gaps) missing_s += gap.missing_s;
    results_.clock(index, {request_.start_time->later(entry.duration_s + missing_s), entry.duration_s});
  }

  // @return whether the stream may go on.
  bool tag_part(std::size_t index, std::unique_ptr<AudioSource> part, const LiveAudio& live, Hearing& hearing,
                LedgerEntry& entry, Scorer::Workspace& workspace) {
    const double from_s = entry.duration_s;
    bool clocked = request_.clock != ClockSource::kNow;
    const auto shift = [&](SegmentScores&& segment) {
      if (!std::exchange(clocked, true)) {
        const auto began = std::chrono::time_point_cast<std::chrono::milliseconds>(*live.part_began());
        results_.clock(index, {{began, request_.time_zone}, from_s});
      }
      segment.start_s += from_s;
      segment.end_s += from_s;
      take(index, std::move(segment), hearing, true);
    };
    part = convert_for(scorer_, std::move(part));
    if (hearing.picture) part = show_to(hearing.picture->spectrogram, std::move(part));
    const RecordingSummary summary =
        score_recording(std::move(part), scorer_, scoring_, &pool_, workspace, shift, request_.stop);
    entry.duration_s += summary.duration_s;
    for (const std::string& warning : summary.warnings) {
      if (std::find(entry.warnings.begin(), entry.warnings.end(), warning) == entry.warnings.end())
        entry.warnings.push_back(warning);
    }
    hearing.any = hearing.any || summary.n_segments > 0;
    if (!summary.failure) return true;
    const bool empty = summary.failure->reason == "no_samples" || summary.failure->reason == "too_short";
    if (empty && !stopped()) {
      hearing.empty_parts.push_back({*summary.failure, from_s});
      return true;
    }
    end_stream(entry, *summary.failure, hearing.any);
    return false;
  }

  // @param heard whether anything was told of it, which stands: a live stream comes only once.
  void end_stream(LedgerEntry& entry, const Failure& failure, bool heard) {
    if (stopped()) {  // a live stream has no other end
      stream_interrupted_ = true;
      entry.warnings.emplace_back(
          "interrupted: stopped on request; the last, incomplete segment is left out");
      return;
    }
    refuse(entry, failure);
    entry.keep = heard;
  }

  bool cut_clips(std::size_t index, const std::vector<TagEvent>& events, LedgerEntry& entry) {
    if (clips_ == nullptr) return true;
    ClipFolder::Clips made = clips_->cut(*tasks_[index].input, tasks_[index].clips, events, request_.stop);
    if (!made.warning.empty()) entry.warnings.push_back(std::move(made.warning));
    teller_.clip_rows[index] = std::move(made.rows);
    return !made.stopped;
  }

  void draw(const TagTask& task, const PictureParts& parts, double duration_s) {
    if (task.picture.has_parent_path()) std::filesystem::create_directories(task.picture.parent_path());
    PictureOptions options;
    options.title = path_text(task.input->is_stream() ? "standard input" : task.input->path.filename());
    options.provenance = provenance_;
    draw_picture(task.picture, parts.spectrogram, parts.scores, duration_s, scorer_.bundle().tags, options);
  }

  void progress(std::size_t n_done, double audio_s, double total_s) {
    const std::lock_guard lock(mutex_);
    n_done_ += n_done;
    audio_s_ += audio_s;
    if (request_.on_progress) request_.on_progress({n_done_, tasks_.size(), audio_s_, total_s});
  }

  const TagRequest& request_;
  const std::vector<TagTask>& tasks_;
  const Scorer& scorer_;
  const ScoringOptions& scoring_;
  ClipFolder* clips_;
  const std::string& provenance_;
  Teller teller_;
  OrderedResults results_;
  ScorePool pool_;
  std::atomic<std::size_t> next_{0};
  std::atomic<int> n_active_{0};
  std::atomic<bool> failed_{false}, stream_interrupted_{false};
  std::mutex mutex_;
  std::exception_ptr error_;
  std::size_t n_done_ = 0;
  double audio_s_ = 0.0;
};

}  // namespace

TagSummary run_tag_tasks(const TagRequest& request, const std::vector<TagTask>& tasks, const Scorer& scorer,
                         const ScoringOptions& scoring, TagOutput& output, ClipFolder* clips,
                         const std::string& provenance) {
  return TagRun(request, tasks, scorer, scoring, output, clips, provenance).run();
}

}  // namespace earmark
