// check_scores.h: what every evaluation asks of scores and truth before it begins. Private to eval.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "eval/evaluate.h"

namespace earmark {

/// Problems of one kind: the first twenty in full, the others counted.
class FirstProblems {
 public:
  static constexpr std::size_t kMostNamed = 20;
  void add(std::string problem);
  /// @param kind what the others are "more of".
  void finish(const std::string& kind, std::vector<std::string>& out) const;

 private:
  std::size_t count_ = 0;
  std::vector<std::string> named_;
};

/// Adds every wrong size, NaN score or truth (by clip and tag, the first twenty of a kind, the others
/// counted), repeated name, and single-label clip with several tags.
void check_scores(const LabeledScores& data, std::vector<std::string>& problems);

}  // namespace earmark
