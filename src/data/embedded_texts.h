// embedded_texts.h: text files that the build puts into the library (cmake/EmbedTexts.cmake).
#pragma once
#include <span>
#include <string_view>

namespace earmark {

struct EmbeddedText {
  std::string_view name;  ///< of the file, without its extension
  std::string_view text;
};

/// The files of data/taxonomies.
extern const std::span<const EmbeddedText> kTaxonomyTexts;
/// The files of data/archives.
extern const std::span<const EmbeddedText> kArchiveTexts;

}  // namespace earmark
