// lower_case.h: names told apart without regard to case. ASCII letters alone, whatever the locale.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace earmark {

inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return lower;
}

/// ".wav" of "Dawn.WAV"; empty when there is none.
inline std::string lower_extension(const std::filesystem::path& path) {
  return lower_case(path.extension().string());
}

}  // namespace earmark
