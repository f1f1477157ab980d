// database_output.h: a tagging job into an SQLite database, which may hold many of them. Its tables are
// described in docs/tagging.md, "Database".
#pragma once
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tagger/formats.h"
#include "tagger/run_file.h"
#include "tagger/tag_output.h"

namespace earmark {

/// PRAGMA user_version; a database of a larger one is refused.
inline constexpr int kDatabaseVersion = 1;

/// Why nothing can be added to what stands at `path`, and what to do; empty when a run can be added to it or
/// nothing is there.
std::string database_problem(const std::filesystem::path& path);

/// The database and what SQLite keeps beside it while it is in use.
std::vector<std::filesystem::path> database_files(const std::filesystem::path& path);

/// Adds a run. A recording's rows are committed before end() or abandon() returns, those of a long one also
/// about once a second before that; it counts as `running` until then. While the run lasts the journal is a
/// write-ahead log, so that others may read; a run that ends well leaves the one file.
/// @param run the row; the run that is resumed is the one that started at run.started_at.
/// @param done recordings that are through. What the database does not have of them is taken out of the set,
///   what it has beyond them is removed, so that both say the same.
/// @throws Error(kIo), as all of it; Error(kInvalidOption) with database_problem().
std::unique_ptr<TagOutput> make_database_output(const std::vector<std::string>& tags,
                                                const TagFormatter::Options& options,
                                                const std::filesystem::path& path, const RunRecord& run,
                                                std::set<std::string>& done);

}  // namespace earmark
