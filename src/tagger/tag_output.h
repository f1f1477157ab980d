// tag_output.h: where the texts of a tagging job go: to a function, into one file, or into a tree of files.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tagger/formats.h"
#include "tagger/ledger.h"

namespace earmark {

/// What is kept beside a file: its name, longer.
inline std::filesystem::path with_suffix(const std::filesystem::path& file, const char* suffix) {
  return file.native() + suffix;
}

/// Recordings come in order, one at a time. Not thread-safe.
class TagOutput {
 public:
  virtual ~TagOutput() = default;
  /// @param file where a tree puts this recording.
  virtual void begin(const std::string& name, const std::filesystem::path& file) = 0;
  virtual void segment(const SegmentScores& segment) = 0;
  /// When the recording that begins next began, or from here on of the present one; nothing: it is not known.
  virtual void set_clock(const std::optional<ClockAnchor>& clock) = 0;
  /// A live stream lacks sound here.
  virtual void gap(const StreamGap& gap) = 0;
  virtual void end(const LedgerEntry& entry) = 0;
  /// The recording failed. @return whether what came of it was taken back.
  virtual bool abandon(const LedgerEntry& entry) = 0;
  /// All recordings are through: the output gets its final name.
  virtual void finish() {}
  /// The job ends before they are.
  virtual void stop() {}
};

std::unique_ptr<TagOutput> make_text_output(TagFormatter formatter,
                                            std::function<void(std::string_view)> on_text);

/// One file. JSON lines are appended to it; other formats grow under FILE.partial and are renamed when whole.
/// FILE.progress, which goes when the job is done, tells where each recording ended.
/// @param resume goes on behind the last recording that is in `done` and that the file has whole.
/// @param done what the file lacks of it is taken out.
/// @throws Error(kBadFile) when the file is shorter than its journal allows.
std::unique_ptr<TagOutput> make_file_output(TagFormatter formatter, TagFormat format,
                                            const std::filesystem::path& file, bool resume,
                                            std::set<std::string>& done);

/// One file a recording, atomic each; a failed one leaves none. Folders are made as needed.
std::unique_ptr<TagOutput> make_tree_output(TagFormatter formatter);

/// What make_file_output would write: FILE, FILE.partial, FILE.progress.
std::vector<std::filesystem::path> file_output_names(const std::filesystem::path& file);

}  // namespace earmark
