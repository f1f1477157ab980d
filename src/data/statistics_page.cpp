#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/statistics.h"
#include "eval/html_page.h"
#include "eval/report.h"

namespace earmark {
namespace {

constexpr int kClasses = 24;
constexpr std::size_t kPairsShown = 100;
constexpr std::size_t kMostLetters = 90;  // below the bars of one picture

std::vector<std::string> split_names(const DatasetStatistics& s) {
  std::vector<std::string> names;
  for (const auto& [split, counts] : s.per_split_tag) names.push_back(split);
  return names;
}

void add_tags(const Dataset& data, const DatasetStatistics& s, Out out) {
  const std::vector<std::string> splits = split_names(s);
  std::vector<std::string> titles{"tag", "clips", "hours", "share of clips"};
  if (splits.size() > 1) titles.insert(titles.end(), splits.begin(), splits.end());
  Bars bars{"Clips of each tag", "tag", {}, {}};
  fmt::format_to(out, "<h2>Tags</h2>\n");
  for (std::size_t tag = 0; tag < data.tags.size(); ++tag) {
    bars.names.push_back(data.tags[tag]);
    bars.heights.push_back(static_cast<double>(s.per_tag[tag].n_clips));
  }
  bars.x_label = fmt::format("{} tags, in the order of the table", data.tags.size());
  std::size_t longest = 0;
  for (const std::string& name : bars.names) longest = std::max(longest, name.size());
  if (longest * bars.names.size() > kMostLetters) {  // they would run into each other
    for (std::size_t i = 0; i < bars.names.size(); ++i) bars.names[i] = std::to_string(i + 1);
  }
  add_bars(bars, out);
  open_table(titles, out);
  const auto n_clips = static_cast<double>(std::max<std::size_t>(1, s.total.n_clips));
  for (std::size_t tag = 0; tag < data.tags.size(); ++tag) {
    add_name(data.tags[tag], out);
    add_count(static_cast<std::int64_t>(s.per_tag[tag].n_clips), out);
    add_cell(s.per_tag[tag].duration_s / 3600.0, false, out);
    add_cell(static_cast<double>(s.per_tag[tag].n_clips) / n_clips, true, out);
    for (const std::string& split : splits) {
      if (splits.size() > 1) add_count(static_cast<std::int64_t>(s.per_split_tag.at(split)[tag]), out);
    }
    fmt::format_to(out, "</tr>\n");
  }
  close_table(out);
}

void add_parts(const DatasetStatistics& s, Out out) {
  if (s.per_split.empty() && s.per_fold.empty()) return;
  fmt::format_to(out, "<h2>Splits and folds</h2>\n");
  open_table({"part", "clips", "hours"}, out);
  const auto row = [&](const std::string& name, const ClipTotal& total) {
    add_name(name, out);
    add_count(static_cast<std::int64_t>(total.n_clips), out);
    add_cell(total.duration_s / 3600.0, false, out);
    fmt::format_to(out, "</tr>\n");
  };
  for (const auto& [split, total] : s.per_split) row("split " + split, total);
  for (const auto& [fold, total] : s.per_fold) row(fmt::format("fold {}", fold), total);
  close_table(out);
}

void add_shape(const DatasetStatistics& s, Out out) {
  fmt::format_to(out, "<h2>Clips</h2>\n");
  Bars cardinality{"Tags of a clip", "number of tags", {}, {}};
  for (const auto& [n, n_clips] : s.cardinality) {
    cardinality.names.push_back(std::to_string(n));
    cardinality.heights.push_back(static_cast<double>(n_clips));
  }
  if (s.cardinality.size() > 1) {
    add_bars(cardinality, out);
  } else if (!s.cardinality.empty()) {
    fmt::format_to(out, "<p>Every clip has {} tag{}.</p>\n", s.cardinality.begin()->first,
                   s.cardinality.begin()->first == 1 ? "" : "s");
  }
  const double spread_s = s.longest_s - s.shortest_s;
  if (spread_s > 0.05) {
    add_bars(histogram("Duration", "seconds", s.durations_s, s.shortest_s, s.longest_s + 1e-9, kClasses),
             out);
  } else if (s.longest_s > 0) {
    fmt::format_to(out, "<p>Every clip lasts {:.2f} s.</p>\n", s.longest_s);
  }
}

void add_agreement(const Dataset& data, Out out) {
  if (data.agreement.empty()) return;
  fmt::format_to(out,
                 "<h2>Agreement</h2>\n<p class=\"note\">Of the clips with two votes or more on a tag; the "
                 "consensus is not counted.</p>\n");
  open_table({"tag", "clips", "any yes", "all yes", "all of any", "pairs of votes alike"}, out);
  for (std::size_t tag = 0; tag < data.tags.size(); ++tag) {
    const TagAgreement& agreement = data.agreement[tag];
    add_name(data.tags[tag], out);
    for (const std::size_t n : {agreement.n_clips, agreement.n_any_yes, agreement.n_all_yes})
      add_count(static_cast<std::int64_t>(n), out);
    add_cell(agreement.n_any_yes > 0
                 ? static_cast<double>(agreement.n_all_yes) / static_cast<double>(agreement.n_any_yes)
                 : std::nan(""),
             true, out);
    add_cell(agreement.pairs_alike, true, out);
    fmt::format_to(out, "</tr>\n");
  }
  close_table(out);
}

void add_sound(const Dataset& data, const DatasetStatistics& s, Out out) {
  if (!s.listened) return;
  fmt::format_to(out, "<h2>Level</h2>\n<p>{} of {} clips are clipped, {} are silent.</p>\n", s.n_clipped(),
                 s.total.n_clips, s.n_silent());
  std::vector<double> levels, peaks;
  for (const ClipSound& sound : s.sounds) {
    levels.push_back(sound.level_db);
    peaks.push_back(sound.peak_db);
  }
  add_bars(histogram("Root mean square", "dB of full scale; quieter ones in the first bar", levels, -72, 0,
                     kClasses),
           out);
  add_bars(histogram("Peak", "dB of full scale; quieter ones in the first bar", peaks, -48, 0, kClasses),
           out);
  fmt::format_to(out, "<h2>Near-duplicates</h2>\n");
  if (s.near_duplicates.empty()) {
    fmt::format_to(out, "<p>No two clips hold the same sound.</p>\n");
    return;
  }
  fmt::format_to(
      out,
      "<p>Pairs of clips that hold the same sound, at whatever level or in whatever format: {}.</p>\n<ul>\n",
      s.near_duplicates.size());
  for (std::size_t i = 0; i < std::min(kPairsShown, s.near_duplicates.size()); ++i)
    fmt::format_to(out, "<li>{}</li>\n", escape_html(near_duplicate_text(data, s.near_duplicates[i])));
  fmt::format_to(out, "</ul>\n");
}

}  // namespace

std::string statistics_page(const Dataset& data, const DatasetStatistics& s) {
  std::string body;
  Out out(body);
  std::string rates;
  for (const auto& [rate, n] : s.sample_rates_hz)
    rates += fmt::format("{}{} at {} Hz", rates.empty() ? "" : ", ", n, rate);
  add_heading(data.name + ": what is in it",
              {{"clips", std::to_string(s.total.n_clips)},
               {"hours", fmt::format("{:.2f}", s.total.duration_s / 3600.0)},
               {"tags", std::to_string(data.tags.size())},
               {"tags a clip", fmt::format("{:.2f}", s.tags_per_clip)},
               {"groups", std::to_string(s.n_groups)},
               {"unreadable", std::to_string(s.unreadable.size())},
               {"sample rates", rates}},
              out);
  for (const std::string& warning : data.warnings)
    fmt::format_to(out, "<p class=\"note\">{}</p>\n", escape_html(warning));
  add_tags(data, s, out);
  add_parts(s, out);
  add_shape(s, out);
  add_agreement(data, out);
  add_sound(data, s, out);
  return html_page(data.name + ": statistics", body);
}

}  // namespace earmark
