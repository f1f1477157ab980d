#include "features/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "earmark/error.h"

namespace earmark {

std::vector<float> scaled_metadata(std::span<const MetadataColumn> columns, const Metadata& values) {
  std::vector<float> scaled;
  for (const MetadataColumn& column : columns) {
    const auto found = values.find(column.name);
    double x = found == values.end() ? column.fallback : found->second;
    if (column.scale == MetadataScale::kCyclic) x = 2.0 * x / column.period - 1.0;
    if (column.scale == MetadataScale::kCentred) x = (x - column.offset) / column.divisor;
    scaled.push_back(static_cast<float>(x));
  }
  return scaled;
}

void measure_metadata(std::vector<MetadataColumn>& columns, std::span<const std::vector<double>> values) {
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    MetadataColumn& column = columns[i];
    if (values[i].empty()) {
      problems.push_back(fmt::format("metadata '{}': no training clip has a value", column.name));
      continue;
    }
    const double sum = std::accumulate(values[i].begin(), values[i].end(), 0.0);
    column.fallback = sum / static_cast<double>(values[i].size());
    if (column.scale != MetadataScale::kCentred) continue;
    column.offset = column.fallback;
    column.divisor = 0.0;
    for (const double x : values[i]) column.divisor = std::max(column.divisor, std::abs(x - column.offset));
    if (column.divisor == 0.0) column.divisor = 1.0;  // one place: nothing to tell apart
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadDataset, "the metadata cannot be scaled:", problems);
}

std::vector<MetadataColumn> raw_place_and_time() {
  std::vector<MetadataColumn> columns;
  for (const char* name : {"latitude", "longitude", "week", "day", "hour"}) {
    columns.emplace_back();
    columns.back().name = name;
  }
  return columns;
}

}  // namespace earmark
