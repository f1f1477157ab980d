#include "earmark/event_options.h"

#include <fmt/format.h>

#include "core/options_io.h"

namespace earmark {

std::vector<std::string> EventOptions::problems() const {
  std::vector<std::string> found = range_problems(*this);
  if (median > 0 && median % 2 == 0) {
    found.push_back(
        fmt::format("median: must be odd, so that a segment is in the middle, got {}; take {} or {}", median,
                    median - 1, median + 1));
  }
  return found;
}

}  // namespace earmark
