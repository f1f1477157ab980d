// tag_agreement.h: how far people agree who label the same recordings.
#pragma once
#include <cstddef>

namespace earmark {

/// How far the people agreed who were asked about a tag.
struct TagAgreement {
  std::size_t n_clips = 0;    ///< with at least two votes on the tag
  std::size_t n_any_yes = 0;  ///< of these: at least one yes
  std::size_t n_all_yes = 0;  ///< of these: nothing but yes
  double pairs_alike = 0.0;   ///< share of pairs of votes on one clip that say the same; NaN without any
};

}  // namespace earmark
