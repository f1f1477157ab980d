// taxonomy.h: the tags of a data set, flat or in two levels, read from a declaration rather than from code.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace earmark {

/// Thread-safety: a plain value.
struct Taxonomy {
  std::string name;
  std::vector<std::string> tags;  ///< as the data set's own files call them; tags of the upper level first
  std::vector<int> parents;       ///< [n_tags] index of the tag above, -1 at the top
  /// [n_tags] the "other or unknown" member among its siblings: the tag above was heard, and which of them it
  /// was could not be told, or it was none of them.
  std::vector<bool> is_other;

  std::size_t size() const noexcept { return tags.size(); }
  bool is_flat() const noexcept;
  std::optional<std::size_t> index(std::string_view tag) const noexcept;
  /// Indices of the tags below `tag`, in order; empty for a tag of the lower level.
  std::vector<std::size_t> members(std::size_t tag) const;
  /// Indices of the tags without a parent.
  std::vector<std::size_t> top_level() const;

  /// A declaration:
  ///
  ///     taxonomy: 1
  ///     name: street
  ///     tags:
  ///       - rain                                              # a flat tag
  ///       - {name: engine, members: [small, large], other: engine_of_uncertain_size}
  ///
  /// Upper-level tags come first, then the members of each in order, `other` last.
  /// @param file for messages. @throws Error(kBadFile) listing every problem with its line.
  static Taxonomy parse(std::string_view yaml, const std::string& file);
};

}  // namespace earmark
