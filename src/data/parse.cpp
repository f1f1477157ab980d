#include "data/parse.h"

#include <algorithm>
#include <array>

#include "core/lower_case.h"

namespace earmark {

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_plain_name(std::string_view name) noexcept {
  return !name.empty() && name.find_first_of("/\\") == std::string_view::npos && name != "." && name != "..";
}

bool has_audio_extension(const std::filesystem::path& path) {
  static constexpr std::array<std::string_view, 16> kExtensions{
      ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".mp4",
      ".aac", ".webm", ".mka", ".aif", ".aiff", ".caf", ".wma", ".au"};
  const std::string extension = lower_extension(path);
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

RecordingIndex::RecordingIndex(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code not_a_file;
    if (!entry->is_regular_file(not_a_file) || !has_audio_extension(entry->path())) continue;
    const fs::path relative = entry->path().lexically_relative(folder);
    by_name_.emplace(relative.generic_string(), entry->path());
    auto [same, is_new] =
        by_stem_.emplace(fs::path(relative).replace_extension().generic_string(), entry->path());
    if (!is_new) same->second.clear();  // two files of one stem: neither is meant for sure
  }
}

std::optional<std::filesystem::path> RecordingIndex::find(const std::filesystem::path& relative) const {
  const std::filesystem::path name = relative.lexically_normal();
  const auto exact = by_name_.find(name.generic_string());
  if (exact != by_name_.end()) return exact->second;
  const auto stem = by_stem_.find(std::filesystem::path(name).replace_extension().generic_string());
  if (stem == by_stem_.end() || stem->second.empty()) return std::nullopt;
  return stem->second;
}

}  // namespace earmark
