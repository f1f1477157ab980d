// parse.h: what the readers of annotations have in common.
#pragma once
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace earmark {

/// The whole text as a number, or nothing.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) noexcept;

/// Whether it names a file in a folder, and nothing below or above that folder.
bool is_plain_name(std::string_view name) noexcept;

/// The recordings of one folder (and what lies below), found by relative path, with or without extension.
class RecordingIndex {
 public:
  /// A folder that cannot be read counts as empty.
  explicit RecordingIndex(const std::filesystem::path& folder);

  /// The file of that name; failing it, the one file of the same stem in the same sub-folder.
  std::optional<std::filesystem::path> find(const std::filesystem::path& relative) const;
  std::size_t size() const noexcept { return by_name_.size(); }
  const std::map<std::string, std::filesystem::path>& files() const noexcept { return by_name_; }

 private:
  std::map<std::string, std::filesystem::path> by_name_, by_stem_;
};

/// Whether the name's extension is one of a sound file's.
bool has_audio_extension(const std::filesystem::path& path);

}  // namespace earmark
