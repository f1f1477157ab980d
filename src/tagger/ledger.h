// ledger.h: one JSON line an input: what became of it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace earmark {

enum class InputStatus { kOk, kFailed, kSkipped };
/// "ok", "failed", "skipped".
const char* status_name(InputStatus status) noexcept;

/// A place in a live stream where it paused, or began anew with another header.
struct StreamGap {
  double at_s = 0.0;       ///< of the sound that came
  double missing_s = 0.0;  ///< for how long none did
  bool restart = false;
};
/// {"kind": "pause|restart", "at_s", "missing_s"}.
std::string gap_json(const StreamGap& gap);

/// Names of a recording's own files below their folders, as text; empty where it has none.
struct OwnFiles {
  std::string output, picture;
  std::string clips;  ///< what its clips' names begin with
};

/// {"input", "status": "ok|failed|skipped", "reason": null or "word: sentence", "warnings": ["word:
/// sentence"], "duration_s", "segments"}; of a stream that had any, "gaps"; and "output", "picture", "clips"
/// where it has files of its own.
struct LedgerEntry {
  std::string input;
  InputStatus status = InputStatus::kOk;
  std::string reason;  ///< empty when ok; its first word, up to ':', is stable
  std::vector<std::string> warnings;
  double duration_s = 0.0;  ///< as far as it was read
  std::uint64_t segments = 0;
  std::vector<StreamGap> gaps{};
  OwnFiles files{};
  bool keep = false;  ///< it failed, and what came of it before stands: a live stream comes only once
};

/// One line, without its end.
std::string ledger_line(const LedgerEntry& entry);

struct LedgerInputs {
  std::set<std::string> done;             ///< need no further work
  std::set<std::string> failed;           ///< those of them that could not be tagged
  std::set<std::string> heard;            ///< those of them of which segments were told
  std::map<std::string, OwnFiles> files;  ///< by input
};

/// A torn last line is passed over, and so are interrupted inputs.
/// @throws Error(kBadFile) naming the first line that is no ledger line; Error(kIo).
LedgerInputs read_ledger(const std::filesystem::path& path);

/// Leaves out the lines of inputs that are not in `done`: the output lacks them. Atomic.
/// @throws as read_ledger().
void keep_in_ledger(const std::filesystem::path& path, const std::set<std::string>& done);

}  // namespace earmark
