#include "tagger/clip_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/lower_case.h"
#include "core/rng.h"
#include "tagger/text.h"

namespace earmark {
namespace {

// A name of 255 bytes is the most that file systems take: recording + "_" + time + "_" + tag +
// ".flac.partial".
constexpr std::size_t kLongestRecording = 140, kLongestTag = 60, kLongestFolder = 200;

bool is_trouble(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F || std::string_view("/\\:*?\"<>|").find(c) != std::string_view::npos;
}

// `text` with the first number that makes it new; case does not tell names apart everywhere.
std::string unique(std::set<std::string>& taken, const std::string& text, const char* separator) {
  std::string name = text;
  for (int n = 2; !taken.insert(lower_case(name)).second; ++n)
    name = fmt::format("{}{}{}", text, separator, n);
  return name;
}

// What was cut off still tells names apart.
std::string component(const std::string& text, std::size_t max_bytes) {
  std::string name = safe_name(text, text.size() * 4 + 16);
  if (name.size() > max_bytes)
    name = safe_name(text, max_bytes - 9) + fmt::format("~{:08x}", fnv1a(text) >> 32);
  return name;
}

}  // namespace

std::string safe_name(std::string_view text, std::size_t max_bytes) {
  std::string name = escape_invalid_utf8(text);
  std::replace_if(name.begin(), name.end(), is_trouble, '-');
  const std::size_t first = name.find_first_not_of(' ');
  name.erase(0, std::min(first, name.size()));
  if (!name.empty() && name.front() == '.') name.front() = '-';
  if (name.size() > max_bytes) {
    std::size_t end = max_bytes;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
    name.resize(end);
  }
  while (!name.empty() && (name.back() == ' ' || name.back() == '.')) name.pop_back();
  return name.empty() ? "-" : name;
}

std::vector<std::string> safe_tag_names(const std::vector<std::string>& tags) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const std::string& tag : tags) {
    std::string text = tag;
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '_' || c == ' ' || is_trouble(c); }, '-');
    // One dash for "rain, heavy/wet" to read as it should.
    const auto doubled =
        std::unique(text.begin(), text.end(), [](char a, char b) { return a == '-' && b == '-'; });
    text.erase(doubled, text.end());
    names.push_back(unique(taken, safe_name(text, kLongestTag), "-"));
  }
  return names;
}

std::vector<std::string> clip_prefixes(const std::vector<TagInput>& inputs,
                                       const std::map<std::string, OwnFiles>& given) {
  std::vector<std::string> prefixes;
  std::set<std::string> taken;
  for (const auto& [input, files] : given) taken.insert(lower_case(files.clips));
  for (const TagInput& input : inputs) {
    if (const auto own = given.find(input.name); own != given.end() && !own->second.clips.empty()) {
      prefixes.push_back(own->second.clips);
      continue;
    }
    std::string folder;
    for (const auto& part : input.relative.parent_path())
      folder += component(part.native(), kLongestFolder) + "/";
    const std::string name = component(input.relative.filename().native(), kLongestRecording);
    prefixes.push_back(unique(taken, folder + name, "."));
  }
  return prefixes;
}

std::vector<std::string> clip_names(const std::string& prefix, const std::vector<TagEvent>& events,
                                    const std::vector<std::string>& tag_names) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const TagEvent& event : events) {
    // Events of one tag may begin within a millisecond where the hop is shorter.
    const std::string start = fmt::format("{:010.3f}", event.start_s);
    const auto numbered = [&](int n) {
      return fmt::format("{}_{}{}_{}.flac", prefix, start, n == 1 ? "" : fmt::format("-{}", n),
                         tag_names[event.tag]);
    };
    int n = 1;
    while (!taken.insert(numbered(n)).second) ++n;
    names.push_back(numbered(n));
  }
  return names;
}

}  // namespace earmark
