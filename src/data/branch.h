// branch.h: a data set as a local classifier of a hierarchy meets it (Microsoft, DCASE 2019 Task 5,
// "Hierarchical CNN+VGGish"): the tags below one tag, on the clips that have it.
#pragma once
#include <string>

#include "data/dataset.h"
#include "earmark/options.h"

namespace earmark {

enum class BranchNegatives { kNone, kDummy };
template <>
struct EnumNames<BranchNegatives> {
  static constexpr std::array kNames{std::pair{BranchNegatives::kNone, std::string_view("none")},
                                     std::pair{BranchNegatives::kDummy, std::string_view("dummy")}};
};

struct BranchOptions {
  std::string of;
  BranchNegatives negatives = BranchNegatives::kNone;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("of", self.of, kAny,
          "tag of the upper level: the network answers for the tags below it alone and learns from the clips "
          "that have it; empty: no branch");
    visit("negatives", self.negatives, kAny,
          "none: only clips that have the tag; dummy: all clips, and a further output for those without it");
  }
};

/// Name of the output for clips without the tag.
std::string dummy_tag(const std::string& of);

/// The branch below `options.of` as a flat data set of its own name; `data` as it is when that is empty. What
/// a clip had before wrong or new labels took its place is narrowed likewise; the labels in use say which
/// clips stay.
/// @throws Error(kInvalidOption) naming the tags that have some below them when it is none of these,
/// Error(kBadDataset) when no clip has the tag.
Dataset branch_of(Dataset data, const BranchOptions& options);

}  // namespace earmark
