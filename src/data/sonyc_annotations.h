// sonyc_annotations.h: annotations.csv of SONYC-UST, row for row: who heard what in which clip, and how near.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/taxonomy.h"
#include "data/annotator_votes.h"
#include "data/listing.h"

namespace earmark {

/// Where a sound came from, as the annotator judged; kNone: it was not heard, or nobody was asked.
enum class Proximity : std::int8_t { kNone, kNear, kFar, kNotSure };

/// Columns about place and time, which releases from 2.1 on have. week of the year, day 0 Monday, hour 0..23;
/// borough 1 Manhattan, 3 Brooklyn, 4 Queens; block: digits 2..6 of the lot's number; latitude and longitude,
/// degrees, of the block.
inline constexpr std::array<std::string_view, 8> kSonycPlaceAndTime{
    "year", "week", "day", "hour", "borough", "block", "latitude", "longitude"};

/// One row. Thread-safety: a plain value.
struct SonycRow {
  int line = 0;
  std::string split, sensor_id, file;         ///< the columns of those names; file is audio_filename
  AnnotatorVotes votes;                       ///< [n_tags] in the order of the taxonomy "sonyc_ust"
  std::vector<Proximity> proximity;           ///< [n_tags]; kNone for coarse tags, which have no such column
  std::array<std::string, 8> place_and_time;  ///< as kSonycPlaceAndTime; empty where there is no such column
};

/// Thread-safety: a plain value.
struct SonycAnnotations {
  std::filesystem::path path;
  std::vector<SonycRow> rows;  ///< in the order of the file
  std::vector<std::string> warnings;
};

/// Columns are known by their names, in any order; those of proximity may all be absent.
/// @throws Error(kBadDataset) listing every problem with its line.
SonycAnnotations load_sonyc_annotations(const std::filesystem::path& path);

/// The same, with what is wrong and odd among the findings: rows with a problem are not returned.
std::vector<SonycRow> read_sonyc_annotations(const std::filesystem::path& path, const Taxonomy& taxonomy,
                                             Findings& findings);

/// "near", "far", "notsure" or "-1".
std::string_view proximity_name(Proximity proximity) noexcept;

/// The first line of annotations.csv as release 2 has it, and a row below it; each with its "\n".
std::string sonyc_annotations_header(const Taxonomy& taxonomy);
std::string sonyc_annotations_line(const SonycRow& row, const Taxonomy& taxonomy);

}  // namespace earmark
