#include "data/sonyc_annotations.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "core/csv.h"
#include "data/parse.h"
#include "data/taxonomies.h"
#include "earmark/options.h"

namespace earmark {
namespace {

struct PlaceOrTime {
  Range range;
  bool whole = true;
};
constexpr std::array<PlaceOrTime, 8> kAllowed{
    PlaceOrTime{Range{2000, 2100}},     PlaceOrTime{Range{1, 53}},
    PlaceOrTime{Range{0, 6}},           PlaceOrTime{Range{0, 23}},
    PlaceOrTime{Range{1, 5}},           PlaceOrTime{Range{0, 99999}},
    PlaceOrTime{Range{-90, 90}, false}, PlaceOrTime{Range{-180, 180}, false}};

constexpr std::array<std::pair<std::string_view, Proximity>, 4> kProximities{
    std::pair{std::string_view("near"), Proximity::kNear},
    std::pair{std::string_view("far"), Proximity::kFar},
    std::pair{std::string_view("notsure"), Proximity::kNotSure},
    std::pair{std::string_view("-1"), Proximity::kNone}};

// Release 2 has the place before the time: borough, block, latitude, longitude, year, week, day, hour.
constexpr std::array<std::size_t, 8> kWrittenOrder{4, 5, 6, 7, 0, 1, 2, 3};

/// Presence of the fine tags, then their proximity, then presence of the coarse ones.
template <class Visit>
void for_written_votes(const Taxonomy& taxonomy, Visit&& visit) {
  for (const auto& [fine, proximity] : {std::pair{true, false}, {true, true}, {false, false}}) {
    for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
      if ((taxonomy.parents[tag] >= 0) == fine) visit(tag, proximity);
    }
  }
}

/// The column of each field of a row.
struct AnnotationColumns {
  std::vector<std::size_t> presence;                  // [n_tags]
  std::vector<std::optional<std::size_t>> proximity;  // [n_tags]
  std::array<std::optional<std::size_t>, 8> place_and_time;
};

class AnnotationReader {
 public:
  AnnotationReader(const ListTable& table, const Taxonomy& taxonomy, Findings& findings)
      : table_(table), taxonomy_(taxonomy), findings_(findings) {
    for (const std::string& tag : taxonomy.tags) {
      columns_.presence.push_back(*table.column(tag + "_presence"));
      columns_.proximity.push_back(table.column(tag + "_proximity"));
    }
    for (std::size_t i = 0; i < kSonycPlaceAndTime.size(); ++i)
      columns_.place_and_time[i] = table.column(kSonycPlaceAndTime[i]);
  }

  std::vector<SonycRow> read() {
    std::vector<SonycRow> rows;
    rows.reserve(table_.rows().size());
    for (const CsvRow& from : table_.rows()) {
      good_ = true;
      SonycRow row = read_row(from);
      if (good_) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  void wrong(const CsvRow& row, std::string_view column, std::string_view allowed, const std::string& text) {
    good_ = false;
    findings_.problem(table_.where(row), fmt::format("{}: must be {}, got '{}'", column, allowed, text));
  }

  SonycRow read_row(const CsvRow& from) {
    SonycRow row;
    row.line = from.line;
    row.split = table_.field(from, "split");
    row.sensor_id = table_.field(from, "sensor_id");
    row.file = table_.field(from, "audio_filename");
    if (row.split != "train" && row.split != "validate" && row.split != "test")
      wrong(from, "split", "train, validate or test", row.split);
    const auto sensor = parse_number<int>(row.sensor_id);
    if (!sensor || *sensor < 0) wrong(from, "sensor_id", "a whole number from 0", row.sensor_id);
    const std::string& annotator = table_.field(from, "annotator_id");
    const auto id = parse_number<int>(annotator);
    if (!id) wrong(from, "annotator_id", "a whole number", annotator);
    row.votes.annotator = id.value_or(0);
    read_votes(from, row);
    read_place_and_time(from, row);
    return row;
  }

  // Written as "1" or as "1.0", from column to column.
  void read_votes(const CsvRow& from, SonycRow& row) {
    row.votes.votes.reserve(taxonomy_.size());
    row.proximity.assign(taxonomy_.size(), Proximity::kNone);
    for (std::size_t tag = 0; tag < taxonomy_.size(); ++tag) {
      const std::string& text = from.fields[columns_.presence[tag]];
      const auto vote = parse_number<double>(text);
      if (!vote || (*vote != 0.0 && *vote != 1.0 && *vote != -1.0)) {
        wrong(from, taxonomy_.tags[tag] + "_presence", "1, 0 or -1", text);
      } else {
        row.votes.votes.push_back(static_cast<std::int8_t>(*vote));
      }
      if (columns_.proximity[tag])
        row.proximity[tag] = read_proximity(from, tag, from.fields[*columns_.proximity[tag]]);
    }
  }

  Proximity read_proximity(const CsvRow& from, std::size_t tag, const std::string& text) {
    for (const auto& [name, proximity] : kProximities) {
      if (text == name) return proximity;
    }
    wrong(from, taxonomy_.tags[tag] + "_proximity", "near, far, notsure or -1", text);
    return Proximity::kNone;
  }

  void read_place_and_time(const CsvRow& from, SonycRow& row) {
    for (std::size_t i = 0; i < kAllowed.size(); ++i) {
      if (!columns_.place_and_time[i]) continue;
      const std::string& text = from.fields[*columns_.place_and_time[i]];
      const auto [range, whole] = kAllowed[i];
      const auto value = parse_number<double>(text);
      const bool good = value && range.contains(*value) && (!whole || std::floor(*value) == *value);
      if (!good && !text.empty()) {
        wrong(from, kSonycPlaceAndTime[i],
              fmt::format("a {}number in {}..{}", whole ? "whole " : "", range.min, range.max), text);
      }
      row.place_and_time[i] = text;
    }
  }

  const ListTable& table_;
  const Taxonomy& taxonomy_;
  Findings& findings_;
  AnnotationColumns columns_;
  bool good_ = true;
};

ListColumns expected_columns(const Taxonomy& taxonomy) {
  ListColumns columns;
  columns.required = {"split", "sensor_id", "audio_filename", "annotator_id"};
  columns.optional.assign(kSonycPlaceAndTime.begin(), kSonycPlaceAndTime.end());
  for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
    columns.required.push_back(taxonomy.tags[tag] + "_presence");
    if (taxonomy.parents[tag] >= 0) columns.optional.push_back(taxonomy.tags[tag] + "_proximity");
  }
  return columns;
}

// All columns of proximity are there or none: one that is missing among others is a fault of the file.
void check_proximity_columns(const ListTable& table, const Taxonomy& taxonomy, Findings& findings) {
  std::vector<std::string> missing;
  std::size_t n_fine = 0;
  for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
    const std::string title = taxonomy.tags[tag] + "_proximity";
    n_fine += taxonomy.parents[tag] >= 0;
    if (taxonomy.parents[tag] >= 0 && !table.has(title)) missing.push_back(title);
  }
  if (missing.size() == n_fine) return;
  for (const std::string& title : missing)
    findings.problem(table.name() + ":1", fmt::format("there is no column '{}'", title));
}

}  // namespace

std::vector<SonycRow> read_sonyc_annotations(const std::filesystem::path& path, const Taxonomy& taxonomy,
                                             Findings& findings) {
  const auto table = ListTable::read(path, ',', expected_columns(taxonomy), findings);
  if (!table) return {};
  check_proximity_columns(*table, taxonomy, findings);
  return AnnotationReader(*table, taxonomy, findings).read();
}

SonycAnnotations load_sonyc_annotations(const std::filesystem::path& path) {
  Findings findings("sonyc_ust");
  SonycAnnotations annotations;
  annotations.path = path;
  annotations.rows = read_sonyc_annotations(path, known_taxonomy("sonyc_ust"), findings);
  findings.require_none();
  annotations.warnings = findings.warnings();
  return annotations;
}

std::string_view proximity_name(Proximity proximity) noexcept {
  for (const auto& [name, candidate] : kProximities) {
    if (candidate == proximity) return name;
  }
  return "-1";
}

std::string sonyc_annotations_header(const Taxonomy& taxonomy) {
  std::vector<std::string> columns{"split", "sensor_id", "audio_filename", "annotator_id"};
  for (const std::size_t field : kWrittenOrder) columns.emplace_back(kSonycPlaceAndTime[field]);
  for_written_votes(taxonomy, [&](std::size_t tag, bool proximity) {
    columns.push_back(taxonomy.tags[tag] + (proximity ? "_proximity" : "_presence"));
  });
  return csv_line(columns);
}

std::string sonyc_annotations_line(const SonycRow& row, const Taxonomy& taxonomy) {
  std::vector<std::string> fields{row.split, row.sensor_id, row.file, std::to_string(row.votes.annotator)};
  for (const std::size_t field : kWrittenOrder) fields.push_back(row.place_and_time[field]);
  for_written_votes(taxonomy, [&](std::size_t tag, bool proximity) {
    fields.push_back(proximity ? std::string(proximity_name(row.proximity[tag]))
                               : std::to_string(static_cast<int>(row.votes.votes[tag])));
  });
  return csv_line(fields);
}

}  // namespace earmark
