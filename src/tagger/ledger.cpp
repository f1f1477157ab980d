#include "tagger/ledger.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "core/file.h"
#include "core/value.h"
#include "earmark/error.h"
#include "tagger/text.h"

namespace earmark {

const char* status_name(InputStatus status) noexcept {
  constexpr const char* kNames[] = {"ok", "failed", "skipped"};
  return kNames[static_cast<int>(status)];
}

std::string gap_json(const StreamGap& gap) {
  return fmt::format(R"({{"kind": "{}", "at_s": {}, "missing_s": {}}})", gap.restart ? "restart" : "pause",
                     decimal(gap.at_s), decimal(gap.missing_s));
}

std::string ledger_line(const LedgerEntry& entry) {
  std::string warnings;
  for (const std::string& warning : entry.warnings)
    warnings += (warnings.empty() ? "" : ", ") + json_text(escape_invalid_utf8(warning));
  std::string gaps;
  for (const StreamGap& gap : entry.gaps) gaps += (gaps.empty() ? "" : ", ") + gap_json(gap);
  std::string files;
  for (const auto& [name, file] : {std::pair{"output", &entry.files.output},
                                   {"picture", &entry.files.picture},
                                   {"clips", &entry.files.clips}}) {
    if (!file->empty()) files += fmt::format(R"(, "{}": {})", name, json_text(*file));
  }
  return fmt::format(
      R"({{"input": {}, "status": "{}", "reason": {}, "warnings": [{}], "duration_s": {}, "segments": {}{}{}}})",
      json_text(escape_invalid_utf8(entry.input)), status_name(entry.status),
      entry.reason.empty() ? "null" : json_text(escape_invalid_utf8(entry.reason)), warnings,
      decimal(entry.duration_s), entry.segments, gaps.empty() ? "" : ", \"gaps\": [" + gaps + "]", files);
}

namespace {

// Calls `take` with each whole line and what it says.
template <class Take>
void each_entry(const std::filesystem::path& path, Take take) {
  const std::string text = read_text(path);
  int line_number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // torn: written again
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++line_number;
    const std::string where = fmt::format("{}:{}", path.string(), line_number);
    try {
      take(line, parse_json(line, where));
    } catch (const Error& e) {
      throw Error(ErrorCode::kBadFile, fmt::format("{}: is no ledger line: {}", where, e.what()));
    }
  }
}

}  // namespace

LedgerInputs read_ledger(const std::filesystem::path& path) {
  LedgerInputs inputs;
  each_entry(path, [&](std::string_view, const Value& entry) {
    const Value* reason = entry.find("reason");
    const bool failed = entry.at("status").as_string() == "failed";
    const bool interrupted =
        reason != nullptr && reason->is_string() && reason->as_string().starts_with("interrupted");
    if (interrupted) return;
    inputs.done.insert(entry.at("input").as_string());
    if (const Value* n = entry.find("segments"); n != nullptr && n->as_integer() > 0)
      inputs.heard.insert(entry.at("input").as_string());
    OwnFiles& files = inputs.files[entry.at("input").as_string()];
    for (const auto& [name, file] :
         {std::pair{"output", &files.output}, {"picture", &files.picture}, {"clips", &files.clips}}) {
      if (const Value* told = entry.find(name)) *file = told->as_string();
    }
    if (failed) inputs.failed.insert(entry.at("input").as_string());
  });
  return inputs;
}

void keep_in_ledger(const std::filesystem::path& path, const std::set<std::string>& done) {
  std::string kept;
  each_entry(path, [&](std::string_view line, const Value& entry) {
    if (done.contains(entry.at("input").as_string())) kept.append(line).append("\n");
  });
  write_text(path, kept);
}

}  // namespace earmark
