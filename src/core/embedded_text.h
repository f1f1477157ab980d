// embedded_text.h: text files that the build puts into the library (earmark_embed() in
// cmake/EarmarkTargets.cmake).
#pragma once
#include <string_view>

namespace earmark {

struct EmbeddedText {
  std::string_view name;  ///< of the file, without its extension
  std::string_view text;
};

}  // namespace earmark
