// tag_job.h: many recordings through one bundle: what `earmark tag` does, as one call.
#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audio/decode.h"
#include "core/value.h"
#include "earmark/tagger.h"
#include "tagger/clock.h"
#include "tagger/formats.h"
#include "tagger/inputs.h"
#include "tagger/ledger.h"
#include "tagger/run_file.h"
#include "tagger/tag_output.h"

namespace earmark {

class ClipFolder;
class FileLock;
class Scorer;

struct TagProgress {
  std::size_t n_done = 0, n_inputs = 0;  ///< recordings, this run's
  double audio_s = 0.0;                  ///< sound scored so far
  double audio_total_s = 0.0;            ///< of a single recording whose header tells; else 0
};

struct TagRequest {
  std::vector<std::string> inputs;
  TagOptions cut;
  TagFormat format = TagFormat::kTable;
  bool events = false;
  /// A map of fields of EventOptions, in place of the bundle's or else the default; needs `events`.
  Value event_options{Value::Map()};
  /// Which tags are told. With none of the three: the 5 best of each segment (table, csv, jsonl), or those
  /// above the bundle's thresholds (events, audacity, raven).
  std::optional<double> threshold;
  std::optional<int> top_k;
  bool all_scores = false;

  std::filesystem::path output;      ///< one file for all; empty: on_text
  std::filesystem::path output_dir;  ///< one file a recording, named as it is plus the format's extension
  std::filesystem::path ledger;      ///< empty: OUTPUT.ledger.jsonl, OUTPUT_DIR/ledger.jsonl or none
  bool resume = false, overwrite = false;
  std::filesystem::path picture;  ///< .png or .svg of the one recording, or a folder for one each
  std::filesystem::path clips;    ///< folder for the sound of each event, whatever the format; empty: none
  double clip_margin_s = 0.5;     ///< before and behind the event
  std::filesystem::path
      embeddings;  ///< .npy of what the networks' last layers saw, a row a segment; empty: none

  ClockSource clock = ClockSource::kNone;  ///< whether outputs tell wall-clock times, and by what
  std::optional<StartTime> start_time;     ///< kGiven: of the one recording
  TimeZone time_zone;                      ///< of file names that tell none, and in which kNow is written
  std::string time_zone_name = "UTC";      ///< as it was asked for, for the outputs' provenance
  double pause_s =
      2.0;  ///< kNow: so long without sound is a gap of the stream, over which no segment reaches

  int threads = 0;  ///< 0: all cores

  std::optional<RawFormat> raw;  ///< the standard input is samples without a header
  int stream_fd = 0;             ///< what "-" reads
  DecodeOptions decode;
  const std::atomic<bool>* stop = nullptr;  ///< set: finish what is being scored and return

  std::string program = "earmark";  ///< name and version of who asks, for the outputs' provenance
  std::string engine;               ///< what runs the network, for the same; empty: not told
  std::filesystem::path bundle;     ///< the file that the scorer was made of, for the same; empty: memory

  /// Called from working threads; each of them one call at a time, but not one beside another.
  std::function<void(std::string_view)> on_text;
  std::function<void(const TagProgress&)> on_progress;
  std::function<void(const LedgerEntry&)> on_done;
};

struct TagSummary {
  std::size_t n_ok = 0, n_failed = 0, n_skipped = 0;
  std::size_t n_before = 0;         ///< done by the run that is resumed
  std::size_t n_failed_before = 0;  ///< those of them that failed; they are not tried again
  std::size_t n_clips = 0;          ///< files written to request.clips
  double audio_s = 0.0;
  bool interrupted = false;    ///< some inputs are left; the same request with `resume` goes on
  std::string output_failure;  ///< why the outputs could not grow (a full disk); what was told before is safe
};

/// Checked when it is made, before a bundle is loaded.
class TagJob {
 public:
  /// Lists folders and looks at what stands at the outputs' places.
  /// @throws Error(kInvalidOption) with every problem of the request; Error(kBadFile) for a damaged ledger.
  explicit TagJob(TagRequest request);

  /// What is told does not depend on the number of threads. Call once.
  /// An output that fails on the way ends the job as an interrupted one, with its reason.
  /// @throws Error(kInvalidOption) where segments do not fit the bundle, or options not the run that is
  /// resumed; Error(kIo) when an output cannot be begun or finished, or on_text fails.
  TagSummary run(const Scorer& scorer);

  std::size_t n_inputs() const noexcept { return inputs_.size(); }

 private:
  void check();
  void check_places(std::vector<std::string>& problems) const;
  /// A run that goes on, or nothing yet: what stands there without a word of a run is somebody else's.
  void check_resumed(std::vector<std::string>& problems) const;
  void check_clips(std::vector<std::string>& problems) const;
  void check_clock(std::vector<std::string>& problems) const;
  void check_database(std::vector<std::string>& problems) const;
  void place_outputs();
  void clear_places() const;
  /// Where the provenance stands beside the output; empty: nowhere.
  std::filesystem::path run_file() const;
  void write_run(const RunRecord& run) const;
  /// What the ledger of a run that goes on tells.
  void read_before();
  /// Held while outputs are written; nothing where the run leaves none of its own.
  std::unique_ptr<FileLock> lock() const;
  Value settings(const Scorer& scorer) const;
  /// Of a run that is resumed the options must be the same; @throws Error(kInvalidOption) naming those that
  /// are not.
  RunRecord begin_run(const Scorer& scorer) const;
  /// @param events whether a tag is told by the bundle's thresholds when nothing else is asked for.
  Selection selection(const Scorer& scorer, bool events) const;
  std::unique_ptr<TagOutput> make_output(const Scorer& scorer, const RunRecord& run);
  std::unique_ptr<TagOutput> make_main_output(const Scorer& scorer, const RunRecord& run);
  void forget_missing_files();
  std::unique_ptr<ClipFolder> make_clips(const Scorer& scorer, const RunRecord& run) const;
  EventOptions event_options(const Scorer& scorer) const;

  TagRequest request_;
  std::vector<TagInput> inputs_;
  std::vector<std::filesystem::path> files_, pictures_;  ///< of each input; empty: none
  std::vector<OwnFiles> names_;                          ///< of each input, for the ledger
  std::set<std::string> done_before_, failed_before_, heard_before_;
  std::map<std::string, OwnFiles> files_before_;
  bool ledger_named_ = false;  ///< by the request, so that it is refused where it stands
};

}  // namespace earmark
