// ensemble.h: scores of several networks become one set: their mean, their weighted geometric mean
// (Cochlear.ai, DCASE 2018 Task 2), or one network a node of the taxonomy (Microsoft, DCASE 2019 Task 5).
#pragma once
#include <string_view>
#include <vector>

#include "core/hierarchy.h"
#include "core/taxonomy.h"
#include "earmark/options.h"
#include "eval/score_table.h"

namespace earmark {

enum class EnsembleRule { kMean, kGeometric };
template <>
struct EnumNames<EnsembleRule> {
  static constexpr std::array kNames{std::pair{EnsembleRule::kMean, std::string_view("mean")},
                                     std::pair{EnsembleRule::kGeometric, std::string_view("geometric")}};
};

/// Whether the scores of a clip are made to sum to 1.
enum class RowSum { kAuto, kOne, kFree };
template <>
struct EnumNames<RowSum> {
  static constexpr std::array kNames{std::pair{RowSum::kAuto, std::string_view("auto")},
                                     std::pair{RowSum::kOne, std::string_view("one")},
                                     std::pair{RowSum::kFree, std::string_view("free")}};
};

struct EnsembleOptions {
  EnsembleRule rule = EnsembleRule::kMean;
  std::vector<double> weights;  ///< one a member; empty: all the same
  RowSum row_sum = RowSum::kAuto;
};

/// Mean: sum(w s) / sum(w). Geometric, in the log domain, of s + 1e-20: where a clip's scores are to sum to 1
/// the weights are exponents as they stand (without weights 1 / n) and the product is divided by its sum, as
/// the paper has it; elsewhere exponents w / sum(w). `auto`: they are to sum to 1 where they do so in every
/// clip of every member (a softmax's scores).
/// @param members over the same clips and tags, in any order; the result has the first one's.
/// @throws Error(kInvalidOption) naming what does not fit: clips, tags, number and signs of weights, negative
/// scores.
ScoreTable ensemble(const std::vector<ScoreTable>& members, const EnsembleOptions& options);

/// A local classifier a parent node, by hierarchy_scores() (core/hierarchy.h). Only a tag that is its
/// category's only one may be without a branch.
/// @param top all tags, of `coarse` the coarse ones at least. @param branches of which each has fine tags of
/// its own.
/// @throws Error(kInvalidOption) naming tags that are missing, strange or answered twice, and clips that
/// differ.
ScoreTable combine_hierarchy(const Taxonomy& taxonomy, const ScoreTable& top,
                             const std::vector<ScoreTable>& branches, HierarchyTop rule);

}  // namespace earmark
