#include "data/clip_metadata.h"

#include <fmt/format.h>

#include "data/parse.h"
#include "earmark/error.h"

namespace earmark {

Metadata metadata_values(const Clip& clip, std::span<const MetadataColumn> columns) {
  Metadata values;
  std::vector<std::string> problems;
  for (const MetadataColumn& column : columns) {
    const auto found = clip.metadata.find(column.name);
    if (found == clip.metadata.end() || found->second.empty()) continue;
    if (const auto number = parse_number<double>(found->second)) {
      values[column.name] = *number;
    } else {
      problems.push_back(
          fmt::format("{}: '{}' must be a number, got '{}'", clip.id, column.name, found->second));
    }
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadDataset, "the metadata do not read:", problems);
  return values;
}

}  // namespace earmark
