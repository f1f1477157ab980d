#include "download/entry_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace earmark {
namespace {

constexpr std::size_t kLongestPath = 1024;
constexpr std::size_t kMostFolders = 16;

// A name that a terminal shows as it is.
std::string shown(std::string_view entry) {
  std::string text;
  for (const char c : entry.substr(0, 200)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return "'" + text + "'";
}

// What Finder and its like put beside the files.
bool is_litter(const std::vector<std::string_view>& parts) {
  return parts.front() == "__MACOSX" || parts.back() == ".DS_Store" || parts.back().starts_with("._");
}

}  // namespace

EntryPlace place_of_entry(std::string_view entry, const Archive& archive) {
  const auto refuse = [&](const char* why) { return EntryPlace{"", shown(entry) + " " + why}; };
  if (entry.empty()) return refuse("has no name");
  if (entry.size() > kLongestPath) return refuse("has too long a name");
  if (entry.front() == '/') return refuse("is an absolute path");
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= entry.size();) {
    const std::size_t end = std::min(entry.find('/', begin), entry.size());
    const std::string_view part = entry.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return refuse("leads out of the folder");
    if (!is_safe_component(part))
      return refuse("has a name with a backslash, a drive letter or a control character, or too long a one");
    parts.push_back(part);
  }
  if (parts.size() > kMostFolders) return refuse("lies too deep");
  if (parts.empty() || entry.back() == '/' || is_litter(parts)) return {};
  const bool stripped = parts.size() > 1 && std::find(archive.strip.begin(), archive.strip.end(),
                                                      parts.front()) != archive.strip.end();
  std::string path = archive.into;
  for (std::size_t i = stripped ? 1 : 0; i < parts.size(); ++i)
    path += (path.empty() ? "" : "/") + std::string(parts[i]);
  const std::string_view first = std::string_view(path).substr(0, path.find('/'));
  if (first == kArchivesFolder || first.starts_with(kOwnFiles))
    return refuse("has a name that is kept for the archives themselves");
  return {path, ""};
}

}  // namespace earmark
