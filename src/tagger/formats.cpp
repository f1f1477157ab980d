#include "tagger/formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/csv.h"
#include "tagger/text.h"

namespace earmark {
namespace {

constexpr std::size_t kWidestTag = 32;  // columns of the table
constexpr int kBarWidth = 24;

std::string position_text(double seconds) {
  const auto hundredths = static_cast<long long>(std::llround(seconds * 100.0));
  const long long s = hundredths / 100;
  if (s < 3600) return fmt::format("{:02}:{:02}.{:02}", s / 60, s % 60, hundredths % 100);
  return fmt::format("{}:{:02}:{:02}.{:02}", s / 3600, s / 60 % 60, s % 60, hundredths % 100);
}

// Eighths of a column, so that small scores show too.
std::string bar(float score) {
  static constexpr const char* kParts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths =
      static_cast<int>(std::lround(std::clamp(static_cast<double>(score), 0.0, 1.0) * kBarWidth * 8));
  std::string text;
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  text += kParts[eighths % 8];
  return text + std::string(static_cast<std::size_t>(kBarWidth - (eighths + 7) / 8), ' ');
}

}  // namespace

const char* extension_of(TagFormat format) noexcept {
  switch (format) {
    case TagFormat::kCsv:
      return "csv";
    case TagFormat::kJsonl:
      return "jsonl";
    case TagFormat::kSqlite:
      return "db";
    default:
      return "txt";
  }
}

TagFormatter::TagFormatter(std::vector<std::string> tags, Options options)
    : tags_(std::move(tags)),
      options_(std::move(options)),
      merger_(options_.selection, options_.event_options) {
  for (const std::string& tag : tags_)
    tag_width_ = std::max(tag_width_, std::min(display_width(tag), kWidestTag));
}

std::string TagFormatter::header() const {
  if (options_.format == TagFormat::kCsv)
    return options_.clock ? "file,start_s,end_s,tag,score,time\n" : "file,start_s,end_s,tag,score\n";
  if (options_.format == TagFormat::kRaven) {
    return std::string(
               "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin "
               "Path\tTag\tScore") +
           (options_.clock ? "\tBegin Date\tBegin Clock Time\n" : "\n");
  }
  return "";
}

std::string TagFormatter::begin(const std::string& name) {
  merger_.set_max_wait_s(name == "-" ? kLiveMaxWait_s : EventMerger::kWaitForAll_s);  // somebody listens
  name_ = name;
  any_ = false;
  return options_.format == TagFormat::kTable ? single_line(name) + "\n" : "";
}

std::string TagFormatter::json_time(double seconds) const {
  if (!options_.clock) return "";
  return fmt::format(R"(, "time": {})", clock_ ? json_text(clock_text(seconds)) : "null");
}

// "2026/05/01", "06:00:05.250"
std::string TagFormatter::raven_time(double seconds) const {
  if (!options_.clock) return "";
  if (!clock_) return "\t\t";
  std::string text = clock_text(seconds);  // 2026-05-01T06:00:05.250+02:00
  text[4] = text[7] = '/';
  return fmt::format("\t{}\t{}", text.substr(0, 10), text.substr(11, 12));
}

std::string TagFormatter::csv_row(const Row& row) const {
  std::vector<std::string> fields{name_, decimal(row.start_s), decimal(row.end_s), tags_[row.tag],
                                  decimal(static_cast<double>(row.score))};
  if (options_.clock) fields.push_back(clock_text(row.start_s));
  return csv_line(fields);
}

std::string TagFormatter::gap(const StreamGap& gap) {
  std::string text;
  if (options_.events) {
    std::vector<TagEvent> events;
    merger_.finish(events);
    text = take_events(events);
  }
  if (options_.format == TagFormat::kJsonl) {
    ++n_rows_;
    text += fmt::format(R"({{"file": {}, "gap": {}}})", json_text(name_), gap_json(gap)) + "\n";
  } else if (options_.format == TagFormat::kTable) {
    text += fmt::format("  ! {}: no sound for {:.1f} s at {}\n", gap.restart ? "restart" : "pause",
                        gap.missing_s, position_text(gap.at_s));
  }
  return text;
}

std::string TagFormatter::row(const Row& row) {
  ++n_rows_;
  const std::string& tag = tags_[row.tag];
  const double score = static_cast<double>(row.score);
  switch (options_.format) {
    case TagFormat::kCsv:
      return csv_row(row);
    case TagFormat::kJsonl:
      return fmt::format(R"({{"file": {}, "tag": {}, "start_s": {}, "end_s": {}{}, "score": {}}})",
                         json_text(name_), json_text(tag), decimal(row.start_s), decimal(row.end_s),
                         json_time(row.start_s), decimal(score)) +
             "\n";
    case TagFormat::kAudacity:
      return fmt::format("{:.6f}\t{:.6f}\t{}\n", row.start_s, row.end_s, single_line(tag));
    case TagFormat::kRaven:
      return fmt::format("{}\tSpectrogram 1\t1\t{:.6f}\t{:.6f}\t{:.1f}\t{:.1f}\t{}\t{}\t{:.6f}{}\n", n_rows_,
                         row.start_s, row.end_s, options_.low_hz, options_.high_hz, single_line(name_),
                         single_line(tag), score, raven_time(row.start_s));
    default:
      return table_rows(row.start_s, row.end_s, {row});
  }
}

// The times stand in front of the first tag only, so that segments can be told apart at a glance.
std::string TagFormatter::table_rows(double start_s, double end_s, const std::vector<Row>& rows) {
  std::string times = fmt::format("  {} - {}", position_text(start_s), position_text(end_s));
  if (options_.clock) times = fmt::format("  {:<29}{}", clock_text(start_s), times);
  if (rows.empty()) return times + "  -\n";
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string tag = shortened(single_line(tags_[rows[i].tag]), kWidestTag);
    const std::size_t width = display_width(tag);
    text += fmt::format("{}  {}{}  {} {:5.1f} %\n", i == 0 ? times : std::string(times.size(), ' '), tag,
                        std::string(tag_width_ - std::min(tag_width_, width), ' '), bar(rows[i].score),
                        100.0 * static_cast<double>(rows[i].score));
  }
  return text;
}

std::string TagFormatter::jsonl_segment(const SegmentScores& segment) {
  ++n_rows_;
  std::string scores;
  for (const std::size_t tag : select_tags(segment.scores, options_.selection)) {
    scores += fmt::format("{}{}: {}", scores.empty() ? "" : ", ", json_text(tags_[tag]),
                          decimal(static_cast<double>(segment.scores[tag])));
  }
  return fmt::format(R"({{"file": {}, "start_s": {}, "end_s": {}{}, "scores": {{{}}}}})", json_text(name_),
                     decimal(segment.start_s), decimal(segment.end_s), json_time(segment.start_s), scores) +
         "\n";
}

std::string TagFormatter::take_events(std::vector<TagEvent>& events) {
  std::string text;
  for (const TagEvent& e : events) text += row({e.start_s, e.end_s, e.tag, e.score});
  any_ = any_ || !events.empty();
  events.clear();
  return text;
}

std::string TagFormatter::segment(const SegmentScores& segment) {
  if (options_.events) {
    std::vector<TagEvent> events;
    merger_.add(segment, events);
    return take_events(events);
  }
  any_ = true;
  if (options_.format == TagFormat::kJsonl) return jsonl_segment(segment);
  std::vector<Row> rows;
  for (const std::size_t tag : select_tags(segment.scores, options_.selection))
    rows.push_back({segment.start_s, segment.end_s, tag, segment.scores[tag]});
  if (options_.format == TagFormat::kTable) return table_rows(segment.start_s, segment.end_s, rows);
  std::string text;
  for (const Row& r : rows) text += row(r);
  return text;
}

std::string TagFormatter::end(const std::vector<std::string>& warnings) {
  std::string text;
  if (options_.events) {
    std::vector<TagEvent> events;
    merger_.finish(events);
    text += take_events(events);
  }
  if (options_.format != TagFormat::kTable) return text;
  if (!any_) text += "  nothing above the threshold\n";
  for (const std::string& warning : warnings) text += "  ! " + single_line(warning) + "\n";
  return text;
}

void TagFormatter::abandon() {
  std::vector<TagEvent> forgotten;
  merger_.finish(forgotten);
}

}  // namespace earmark
