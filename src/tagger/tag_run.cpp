#include "tagger/tag_run.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

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

  void begin(std::size_t index) override { output_.begin(tasks_[index].input->name, tasks_[index].file); }
  void segment(std::size_t, const SegmentScores& segment) override {
    output_.segment(segment);
    ++n_segments_;
  }
  void end(std::size_t index, LedgerEntry& entry) override {
    entry.segments = std::exchange(n_segments_, 0);
    if (entry.status == InputStatus::kOk) {
      output_.end(entry);
    } else if (output_.abandon(entry)) {
      entry.segments = 0;
    }
    const std::vector<ClipRow> rows = std::exchange(clip_rows[index], {});
    if (clips_ != nullptr) clips_->list(tasks_[index].input->name, rows);
    summary.n_clips += rows.size();
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
  const TagRequest& request_;
  const std::vector<TagTask>& tasks_;
  TagOutput& output_;
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
         const ScoringOptions& scoring, TagOutput& output, ClipFolder* clips)
      : request_(request),
        tasks_(tasks),
        scorer_(scorer),
        scoring_(scoring),
        clips_(clips),
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
    } else if (auto source = open(input)) {
      if (!tag_sound(index, std::move(*source), entry, workspace)) return results_.abandon(index);
    } else {
      if (stopped())
        return results_.abandon(index);  // a signal reaches ffmpeg too; its failure means nothing
      refuse(entry, source.failure());
    }
    results_.finish(index, std::move(entry));
    progress(1, 0.0, 0.0);
  }

  Outcome<std::unique_ptr<AudioSource>> open(const TagInput& input) const {
    DecodeOptions decode = request_.decode;
    decode.stop = request_.stop;
    if (!input.is_stream()) return open_audio(input.path, decode);
    if (request_.raw) return open_raw_stream(request_.stream_fd, *request_.raw, decode);
    return open_audio_stream(request_.stream_fd, decode);
  }

  static void refuse(LedgerEntry& entry, const Failure& failure) {
    entry.status = InputStatus::kFailed;
    entry.reason = failure.detail.empty() ? failure.reason : failure.reason + ": " + failure.detail;
  }

  // @return false when the recording was left unfinished.
  bool tag_sound(std::size_t index, std::unique_ptr<AudioSource> source, LedgerEntry& entry,
                 Scorer::Workspace& workspace) {
    const TagTask& task = tasks_[index];
    const bool live = task.input->is_stream();
    source = convert_for(scorer_, std::move(source));
    double total_s = 0.0;
    if (const auto declared = source->n_samples_declared(); declared && tasks_.size() == 1)
      total_s = static_cast<double>(*declared) / source->sample_rate_hz();
    std::optional<PictureParts> picture;
    if (!task.picture.empty()) {
      picture.emplace(scorer_);
      source = show_to(picture->spectrogram, std::move(source));
    }
    std::optional<EventMerger> merger;
    if (clips_ != nullptr) merger.emplace(clips_->selection(), clips_->event_options());
    std::vector<TagEvent> events;
    double reached_s = 0.0;
    const auto take = [&](SegmentScores&& segment) {
      if (merger) merger->add(segment, events);
      if (picture) picture->scores.add(segment);
      progress(0, segment.end_s - reached_s, total_s);
      reached_s = segment.end_s;
      results_.add(index, std::move(segment), live);
    };
    const RecordingSummary summary =
        score_recording(std::move(source), scorer_, scoring_, &pool_, workspace, take, request_.stop);
    entry.duration_s = summary.duration_s;
    entry.warnings = summary.warnings;
    if (summary.failure && stopped()) {
      if (!live) return false;
      // A live stream has no other end.
      stream_interrupted_ = true;
      entry.warnings.push_back("interrupted: stopped on request; the last, incomplete segment is left out");
    } else if (summary.failure) {
      refuse(entry, *summary.failure);
    }
    if (entry.status != InputStatus::kOk) return true;
    if (picture) draw(task, *picture, summary.duration_s);
    if (merger) merger->finish(events);
    return cut_clips(index, events, entry);
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
                         const ScoringOptions& scoring, TagOutput& output, ClipFolder* clips) {
  return TagRun(request, tasks, scorer, scoring, output, clips).run();
}

}  // namespace earmark
