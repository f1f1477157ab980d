// embedded_texts.h: what this room declares in YAML.
#pragma once
#include <span>

#include "core/embedded_text.h"

namespace earmark {

/// The files of data/taxonomies.
extern const std::span<const EmbeddedText> kTaxonomyTexts;
/// The files of data/archives.
extern const std::span<const EmbeddedText> kArchiveTexts;

}  // namespace earmark
