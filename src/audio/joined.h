// joined.h: several recordings, one after the other in one file, are heard as one.
#pragma once
#include <fmt/format.h>

#include <cstddef>
#include <string>

namespace earmark {

/// @param n_left_out of them, whose sample rate or number of channels is not the first one's.
inline std::string joined_warning(std::size_t n_recordings, std::size_t n_left_out) {
  std::string text = fmt::format("joined: {} recordings, one after the other in one file", n_recordings);
  if (n_left_out > 0)
    text += fmt::format("; {} left out, whose sample rate or number of channels is not the first one's",
                        n_left_out);
  return text;
}

}  // namespace earmark
