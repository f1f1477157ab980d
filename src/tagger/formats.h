// formats.h: scores and events as text: a table for people, CSV, JSON lines, Audacity's labels, Raven's
// selection table. One formatter writes one output, recording after recording. (A database is no text:
// database_output.h.)
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "earmark/options.h"
#include "earmark/tagger.h"
#include "tagger/clock.h"
#include "tagger/ledger.h"
#include "tagger/timeline.h"

namespace earmark {

enum class TagFormat { kTable, kCsv, kJsonl, kAudacity, kRaven, kSqlite };
template <>
struct EnumNames<TagFormat> {
  static constexpr std::array kNames{std::pair{TagFormat::kTable, std::string_view("table")},
                                     std::pair{TagFormat::kCsv, std::string_view("csv")},
                                     std::pair{TagFormat::kJsonl, std::string_view("jsonl")},
                                     std::pair{TagFormat::kAudacity, std::string_view("audacity")},
                                     std::pair{TagFormat::kRaven, std::string_view("raven")},
                                     std::pair{TagFormat::kSqlite, std::string_view("sqlite")}};
};

/// "csv", "jsonl", "db", and "txt" for the rest.
const char* extension_of(TagFormat format) noexcept;

/// Not thread-safe. Every text is whole lines.
class TagFormatter {
 public:
  struct Options {
    TagFormat format = TagFormat::kTable;
    bool events = false;  ///< timeline events instead of segments
    Selection selection;
    double low_hz = 0.0, high_hz = 0.0;  ///< what the network hears, for Raven
    EventOptions event_options{};        ///< of `events`
    bool clock = false;                  ///< wall-clock times, too
  };
  TagFormatter(std::vector<std::string> tags, Options options);

  /// What stands at the top of a file; empty for formats without one.
  std::string header() const;
  std::string begin(const std::string& name);
  std::string segment(const SegmentScores& segment);
  /// When the recording that begins next began, or from here on of the present one; nothing: it is not known.
  void set_clock(std::optional<ClockAnchor> clock) { clock_ = std::move(clock); }
  /// Sound is missing here: no event goes on across it.
  std::string gap(const StreamGap& gap);
  /// The recording has ended well.
  std::string end(const std::vector<std::string>& warnings);
  /// The recording failed: what was to come is forgotten.
  void abandon();

  /// Rows so far, which Raven numbers: to go on where an interrupted run stopped.
  long n_rows() const noexcept { return n_rows_; }
  void set_n_rows(long n_rows) noexcept { n_rows_ = n_rows; }

 private:
  struct Row {
    double start_s, end_s;
    std::size_t tag;
    float score;
  };
  std::string row(const Row& row);
  std::string table_rows(double start_s, double end_s, const std::vector<Row>& rows);
  std::string jsonl_segment(const SegmentScores& segment);
  std::string take_events(std::vector<TagEvent>& events);
  std::string clock_text(double seconds) const { return clock_ ? clock_->text(seconds) : ""; }
  std::string json_time(double seconds) const;
  std::string raven_time(double seconds) const;
  std::string csv_row(const Row& row) const;

  std::vector<std::string> tags_;
  Options options_;
  EventMerger merger_;
  std::optional<ClockAnchor> clock_;
  std::string name_;
  std::size_t tag_width_ = 0;
  long n_rows_ = 0;
  bool any_ = false;  ///< the recording has had a row
};

}  // namespace earmark
