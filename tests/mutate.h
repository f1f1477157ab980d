// mutate.h: damages texts as disks, editors and people do, each draw from one seed.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"

namespace earmark::testing {

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1);
    lines.push_back(text.substr(begin, end + 1 - begin));
    begin = end + 1;
  }
  return lines;
}

/// One damage: a bit of a byte turned, a byte or a piece cut out or put in, two lines exchanged, one doubled,
/// the end cut off.
inline std::string mutated(std::string text, Rng& rng) {
  if (text.empty()) return text;
  const std::size_t at = rng.below(text.size());
  std::vector<std::string> lines = lines_of(text);
  const std::size_t line = rng.below(lines.size()), other = rng.below(lines.size());
  const auto joined = [&] {
    std::string all;
    for (const std::string& each : lines) all += each;
    return all;
  };
  switch (rng.below(8)) {
    case 0:
      text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << rng.below(8)));
      return text;
    case 1:
      return text.erase(at, 1 + rng.below(8));
    case 2:
      return text.insert(at, 1, "\",\n\t\r:;-X09?"[rng.below(13)]);
    case 3:
      return text.insert(at, text.substr(rng.below(text.size()), 1 + rng.below(20)));
    case 4:
      std::swap(lines[line], lines[other]);
      return joined();
    case 5:
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(line), lines[other]);
      return joined();
    case 6:
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line));
      return joined();
    default:
      return text.substr(0, at);
  }
}

inline std::string mutated(std::string text, std::uint64_t n_times, Rng& rng) {
  while (n_times-- > 0) text = mutated(std::move(text), rng);
  return text;
}

}  // namespace earmark::testing
