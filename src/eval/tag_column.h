// tag_column.h: one tag's part of labelled scores, for what looks at tags one by one.
#pragma once
#include <cstddef>
#include <vector>

#include "eval/evaluate.h"

namespace earmark {

/// [n_clips] each. Thread-safety: a plain value.
struct TagColumn {
  std::vector<float> truth, scores;
};

/// @param tag index below labeled.n_tags().
inline TagColumn tag_column(const LabeledScores& labeled, std::size_t tag) {
  TagColumn column;
  for (std::size_t at = tag; at < labeled.scores.size(); at += labeled.n_tags()) {
    column.truth.push_back(labeled.truth[at]);
    column.scores.push_back(labeled.scores[at]);
  }
  return column;
}

}  // namespace earmark
