// embedding_output.h: what the networks' last layers saw of each segment, as one NumPy array beside a job's
// output.
#pragma once
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tagger/tag_output.h"

namespace earmark {

/// Passes everything on to `inner` and writes FILE, a .npy of float32 [n_segments, width], and FILE.csv,
/// whose columns row, file, start_s and end_s say what each row is. Both grow under NAME.partial until the
/// job is done; a recording that failed has no rows. A row is written before the ledger knows of its
/// recording.
/// @param file ends in ".npy".
/// @param resume goes on behind the last recording that is in `done`. @param heard those of `done` that have
/// rows. @throws Error(kIo), as all of it; Error(kBadFile) when what is there does not read;
/// Error(kInvalidOption) when rows of `heard` are not there.
std::unique_ptr<TagOutput> make_embedding_output(std::unique_ptr<TagOutput> inner,
                                                 const std::filesystem::path& file, int width, bool resume,
                                                 const std::set<std::string>& done,
                                                 const std::set<std::string>& heard);

/// What it would write: FILE, FILE.csv, and these with ".partial".
std::vector<std::filesystem::path> embedding_files(const std::filesystem::path& file);

}  // namespace earmark
