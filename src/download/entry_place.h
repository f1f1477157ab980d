// entry_place.h: where an archive's entry goes, and which entries go nowhere.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "data/archives.h"

namespace earmark {

/// Folder of the data root that has the archives, and how the names of this program's own files there begin.
inline constexpr std::string_view kArchivesFolder = "archives";
inline constexpr std::string_view kOwnFiles = ".earmark_";

struct EntryPlace {
  std::string
      path;  ///< relative to the data root; empty: the entry is left out (a folder, a system's litter)
  std::string problem;  ///< why it is refused; empty: it is not
};

/// Takes the first folder off that archive.strip names, and puts the rest into archive.into. Refuses what
/// would leave the data root or be read otherwise elsewhere: absolute paths, "..", backslashes, drive
/// letters, control characters; and the names that this program keeps for itself.
EntryPlace place_of_entry(std::string_view entry, const Archive& archive);

}  // namespace earmark
