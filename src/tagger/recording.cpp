#include "tagger/recording.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <set>

#include "audio/convert.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::size_t kInFlight = 8;  // segments of one recording that wait or are being scored

// Tasks of one recording in order of time; whoever completes one hands out all that are ready.
class InOrder {
 public:
  explicit InOrder(const std::function<void(SegmentScores&&)>& on_segment) : on_segment_(on_segment) {}

  void add(std::shared_ptr<ScorePool::Task> task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }

  void finished(ScorePool::Task& task) {
    const std::lock_guard lock(mutex_);
    task.done = true;
    while (!tasks_.empty() && tasks_.front()->done) {
      const std::shared_ptr<ScorePool::Task> front = std::move(tasks_.front());
      tasks_.pop_front();
      if (front->error && !error_) error_ = front->error;
      if (error_) continue;
      try {
        on_segment_(std::move(front->result));
        ++n_handed_out_;
      } catch (...) {
        error_ = std::current_exception();
      }
    }
    changed_.notify_all();
  }

  /// The oldest task that is not done, or null when fewer than `limit` are left.
  std::shared_ptr<ScorePool::Task> oldest(std::size_t limit) {
    const std::lock_guard lock(mutex_);
    return tasks_.size() >= std::max<std::size_t>(limit, 1) ? tasks_.front() : nullptr;
  }

  void wait_for(const ScorePool::Task& task) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return task.done; });
  }

  std::exception_ptr error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }
  std::uint64_t n_handed_out() {
    const std::lock_guard lock(mutex_);
    return n_handed_out_;
  }

 private:
  const std::function<void(SegmentScores&&)>& on_segment_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<ScorePool::Task>> tasks_;
  std::exception_ptr error_;
  std::uint64_t n_handed_out_ = 0;
};

// Works off the recording's own tasks until fewer than `limit` are left.
void drain(InOrder& order, std::size_t limit, ScorePool& pool, Scorer::Workspace& workspace) {
  while (const auto task = order.oldest(limit)) {
    if (!pool.run(*task, workspace)) order.wait_for(*task);
  }
}

std::optional<Failure> read_and_score(Segmenter& segmenter, const std::shared_ptr<InOrder>& order,
                                      ScorePool& pool, bool shared, Scorer::Workspace& workspace,
                                      const ScoringOptions& options, const std::atomic<bool>* stop) {
  for (;;) {
    if (stop != nullptr && *stop) return Failure{"interrupted", "stopped on request"};
    if (order->error()) return std::nullopt;
    auto task = std::make_shared<ScorePool::Task>();
    const auto more = segmenter.next(task->segment);
    if (!more) return more.failure();
    if (!*more) return std::nullopt;
    task->options = &options;
    task->finish = [order](ScorePool::Task& done) { order->finished(done); };
    order->add(task);
    if (!shared || !pool.offer(task)) pool.run(*task, workspace);
    drain(*order, kInFlight, pool, workspace);
  }
}

// Thrown in place of an Error about a segment's samples, which are gone when it is caught.
struct UnfitSegment {
  Failure failure;
};

// What is wrong with the samples is this recording's failure; any other exception ends the job.
Failure as_failure(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const UnfitSegment& unfit) {
    return unfit.failure;
  } catch (const std::bad_alloc&) {
    return Failure{"out_of_memory", "there is not enough memory for a segment of this length"};
  }
}

}  // namespace

ScoringOptions scoring_options(const Scorer& scorer, const TagOptions& options) {
  ScoringOptions scoring;
  scoring.metadata = options.metadata;
  SegmentOptions& cut = scoring.cut;
  cut.segment_s = options.segment_s.value_or(scorer.bundle().segment_s);
  cut.hop_s = options.hop_s;
  cut.pad = scorer.bundle().padding == SegmentPadding::kRepeat ? PadMode::kRepeat : PadMode::kZeros;
  std::set<std::string> columns;
  for (const BundledNetwork& network : scorer.bundle().networks) {
    for (const MetadataColumn& column : network.front_end.metadata) columns.insert(column.name);
  }
  std::vector<std::string> problems;
  for (const auto& [name, value] : options.metadata) {
    if (!columns.contains(name)) {
      problems.push_back(fmt::format("metadata: the bundle takes {}, got '{}'",
                                     columns.empty() ? "none" : fmt::format("{}", fmt::join(columns, ", ")),
                                     name));
    } else if (!std::isfinite(value)) {
      problems.push_back(fmt::format("metadata: '{}' must be a number, got {}", name, value));
    }
  }
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "what is known of the recordings does not fit:", problems);
  problems = cut.problems(scorer.sample_rate_hz());
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "recordings cannot be cut this way:", problems);
  return scoring;
}

Failure unfit_samples(const Error& error, const Waveform& heard) {
  // Sources give finite samples alone, but these may be too large to be resampled, mixed or squared in
  // floats.
  constexpr float kLargest = 1e30f;
  const bool fits = std::all_of(heard.samples.begin(), heard.samples.end(),
                                [](float x) { return std::fabs(x) <= kLargest; });  // not so of NaN
  if (fits) return {"too_short", error.what()};
  return {"non_finite", fmt::format("the samples are too large to compute with: {}", error.what())};
}

std::unique_ptr<AudioSource> convert_for(const Scorer& scorer, std::unique_ptr<AudioSource> source) {
  return convert(std::move(source), scorer.sample_rate_hz(),
                 scorer.mono() ? ChannelMode::kMono : ChannelMode::kStereo);
}

bool ScorePool::offer(const std::shared_ptr<Task>& task) {
  const std::lock_guard lock(mutex_);
  if (n_idle_ <= static_cast<int>(tasks_.size())) return false;
  tasks_.push_back(task);
  changed_.notify_one();
  return true;
}

bool ScorePool::run(Task& task, Scorer::Workspace& workspace) {
  if (task.claimed.exchange(true)) return false;
  try {
    workspace.embed = task.options->embed;
    task.result = {task.segment.start_s, task.segment.end_s,
                   scorer_.scores(task.segment.waveform, workspace, task.options->metadata)};
    if (workspace.embed) task.result.embedding = workspace.embedding;
  } catch (const Error& e) {
    task.error = e.code() != ErrorCode::kBadAudio
                     ? std::current_exception()
                     : std::make_exception_ptr(UnfitSegment{unfit_samples(e, task.segment.waveform)});
  } catch (...) {
    task.error = std::current_exception();
  }
  task.segment.waveform.samples = {};
  task.finish(task);
  return true;
}

void ScorePool::help(Scorer::Workspace& workspace) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++n_idle_;
    changed_.wait(lock, [&] { return closed_ || !tasks_.empty(); });
    --n_idle_;
    if (tasks_.empty()) return;
    const std::shared_ptr<Task> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    run(*task, workspace);
    lock.lock();
  }
}

void ScorePool::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

RecordingSummary score_recording(std::unique_ptr<AudioSource> source, const Scorer& scorer,
                                 const ScoringOptions& options, ScorePool* pool, Scorer::Workspace& workspace,
                                 const std::function<void(SegmentScores&&)>& on_segment,
                                 const std::atomic<bool>* stop) {
  RecordingSummary summary;
  summary.description = source->description();
  ScorePool own(scorer);
  ScorePool& used = pool != nullptr ? *pool : own;
  const auto order = std::make_shared<InOrder>(on_segment);  // a helper may be the last to let go of it
  try {
    Segmenter segmenter(std::move(source), options.cut);
    try {
      summary.failure = read_and_score(segmenter, order, used, pool != nullptr, workspace, options, stop);
    } catch (const std::bad_alloc&) {
      summary.failure = as_failure(std::current_exception());
    }
    drain(*order, 1, used, workspace);
    summary.duration_s =
        static_cast<double>(segmenter.n_samples_read()) / segmenter.source().sample_rate_hz();
    summary.warnings = segmenter.source().warnings();
  } catch (...) {
    drain(*order, 1, used, workspace);  // helpers may still call on_segment
    throw;
  }
  summary.n_segments = order->n_handed_out();
  if (const auto error = order->error()) summary.failure = as_failure(error);
  if (!summary.failure && summary.n_segments == 0) {
    summary.failure = Failure{
        "too_short", fmt::format("the sound is shorter than one sample at {} Hz", scorer.sample_rate_hz())};
  }
  return summary;
}

}  // namespace earmark
