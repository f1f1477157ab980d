// fuzz.h: readers under damage. Each round draws from a stream of its own, so the round that a failure names
// can be repeated alone. Without EARMARK_FUZZ_S a test does the rounds it asks for, the same every time; with
// it (seconds) it goes on to further rounds until the time is over.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/rng.h"

namespace earmark::testing {

/// Calls round(rng) `n_rounds` times, or for EARMARK_FUZZ_S seconds; stops at the first failure.
template <class Round>
void fuzz(std::string_view purpose, std::uint64_t n_rounds, Round&& round) {
  using Clock = std::chrono::steady_clock;
  const char* given = std::getenv("EARMARK_FUZZ_S");
  const double seconds = given != nullptr ? std::strtod(given, nullptr) : 0.0;
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::uint64_t done = 0;
  for (; done < n_rounds || Clock::now() < end; ++done) {
    std::string where(purpose);
    where.append(", round ").append(std::to_string(done));
    const ::testing::ScopedTrace trace(__FILE__, __LINE__, where);
    Rng rng(0, purpose, 0, done);
    round(rng);
    if (::testing::Test::HasFailure()) return;
  }
  ::testing::Test::RecordProperty("rounds", std::to_string(done));
}

/// The text cut off, bytes replaced, pieces doubled, dropped or swapped for `tokens`: one to six times.
inline std::string damaged(std::string text, const std::vector<std::string>& tokens, Rng& rng) {
  for (std::uint64_t i = 1 + rng.below(6); i > 0; --i) {
    const std::size_t at = rng.below(text.size() + 1);
    const std::size_t n = rng.below(std::min<std::size_t>(text.size() - at, 24) + 1);
    switch (rng.below(6)) {
      case 0:
        text.resize(at);
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(rng.below(256));
        break;
      case 2:
        text.insert(at, text.substr(at, n));
        break;
      case 3:
        text.erase(at, n);
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << rng.below(8)));
        break;
      default:
        if (!tokens.empty()) text.replace(at, n, tokens[rng.below(tokens.size())]);
    }
  }
  return text;
}

}  // namespace earmark::testing
