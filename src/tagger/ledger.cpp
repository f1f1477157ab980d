#include "tagger/ledger.h"

#include <fmt/format.h>

#include <string_view>

#include "core/file.h"
#include "core/value.h"
#include "earmark/error.h"
#include "tagger/text.h"

namespace earmark {

std::string ledger_line(const LedgerEntry& entry) {
  constexpr const char* kNames[] = {"ok", "failed", "skipped"};
  std::string warnings;
  for (const std::string& warning : entry.warnings)
    warnings += (warnings.empty() ? "" : ", ") + json_text(escape_invalid_utf8(warning));
  return fmt::format(
      R"({{"input": {}, "status": "{}", "reason": {}, "warnings": [{}], "duration_s": {}, "segments": {}}})",
      json_text(escape_invalid_utf8(entry.input)), kNames[static_cast<int>(entry.status)],
      entry.reason.empty() ? "null" : json_text(escape_invalid_utf8(entry.reason)), warnings,
      decimal(entry.duration_s), entry.segments);
}

LedgerInputs read_ledger(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  LedgerInputs inputs;
  int line_number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // torn: written again
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++line_number;
    const std::string where = fmt::format("{}:{}", path.string(), line_number);
    try {
      const Value entry = parse_json(line, where);
      const Value* reason = entry.find("reason");
      const bool failed = entry.at("status").as_string() == "failed";
      const bool interrupted =
          reason != nullptr && reason->is_string() && reason->as_string().starts_with("interrupted");
      if (interrupted) continue;
      inputs.done.insert(entry.at("input").as_string());
      if (failed) inputs.failed.insert(entry.at("input").as_string());
    } catch (const Error& e) {
      throw Error(ErrorCode::kBadFile, fmt::format("{}: is no ledger line: {}", where, e.what()));
    }
  }
  return inputs;
}

}  // namespace earmark
