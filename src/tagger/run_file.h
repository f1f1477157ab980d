// run_file.h: where an output comes from: program, bundle, options, when. It stands in a file beside the
// output, since CSV, label tracks and JSON lines have no room for it; a database has it as a row.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/value.h"

namespace earmark {

/// Times are UTC, "2026-01-31T12:00:00.123456Z"; empty: not yet.
struct RunRecord {
  std::string program;    ///< name and version
  std::string bundle_id;  ///< 16 hex digits, bundle_id() of the file's bytes
  std::string bundle;     ///< the file's path as it was given; empty: it came from memory
  Value options;          ///< a map: what decides the output, and so may not change when a run is resumed
  std::int64_t n_inputs = 0;
  std::string started_at;
  std::string finished_at;
  std::string state = "running";  ///< "running", "interrupted", "done"
};

/// What made an output, without the times: "program", "bundle_id", "bundle", "options".
Value provenance_of(const RunRecord& run);

std::string utc_now();

/// @throws Error(kIo), Error(kBadFile) where a member is missing or of another kind.
RunRecord read_run_file(const std::filesystem::path& path);
/// Atomic. @throws Error(kIo).
void write_run_file(const std::filesystem::path& path, const RunRecord& run);

/// What `now` decides otherwise than `before`, each as "name: the run was begun with X, now it is Y".
std::vector<std::string> differences(const RunRecord& before, const RunRecord& now);

}  // namespace earmark
