#include "eval/check_scores.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "eval/metrics.h"

namespace earmark {
namespace {

void check_sizes(const LabeledScores& data, std::vector<std::string>& problems) {
  const std::size_t cells = data.n_clips() * data.n_tags();
  const auto expect = [&](const char* name, std::size_t found, std::size_t wanted) {
    if (found != wanted) {
      problems.push_back(fmt::format("{}: must hold {} values ({} clips, {} tags), got {}", name, wanted,
                                     data.n_clips(), data.n_tags(), found));
    }
  };
  if (data.tags.empty()) problems.emplace_back("tags: there must be at least one, got none");
  if (data.clip_ids.empty()) problems.emplace_back("clip_ids: there must be at least one, got none");
  expect("truth", data.truth.size(), cells);
  expect("scores", data.scores.size(), cells);
  if (!data.groups.empty()) expect("groups", data.groups.size(), data.n_clips());
  // A position in a list is kept in 31 bits and a place in all lists in 32.
  if (data.n_clips() >= (std::size_t{1} << 31) || cells >= (std::size_t{1} << 32)) {
    problems.push_back(
        fmt::format("scores: at most 2^32 of them, got {} clips x {} tags", data.n_clips(), data.n_tags()));
  }
}

void check_unique(const char* field, const std::vector<std::string>& names,
                  std::vector<std::string>& problems) {
  FirstProblems repeated;
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second)
      repeated.add(fmt::format("{}: '{}' stands there more than once", field, name));
  }
  repeated.finish(field, problems);
}

void check_values(const LabeledScores& data, std::vector<std::string>& problems) {
  FirstProblems scores, truths, labels;
  for (std::size_t clip = 0; clip < data.n_clips(); ++clip) {
    int positives = 0;
    for (std::size_t tag = 0; tag < data.n_tags(); ++tag) {
      const std::size_t at = clip * data.n_tags() + tag;
      if (std::isnan(data.scores[at])) {
        scores.add(fmt::format("scores: clip '{}', tag '{}': must be a number, got NaN", data.clip_ids[clip],
                               data.tags[tag]));
      }
      if (std::isnan(data.truth[at]) || data.truth[at] > 1.0f) {
        truths.add(fmt::format("truth: clip '{}', tag '{}': must be 0..1 or negative (unknown), got {}",
                               data.clip_ids[clip], data.tags[tag], data.truth[at]));
      }
      if (is_positive_truth(data.truth[at])) ++positives;
    }
    if (data.single_label && positives > 1) {
      labels.add(fmt::format("truth: clip '{}': must have one tag in a single-label task, got {}",
                             data.clip_ids[clip], positives));
    }
  }
  scores.finish("scores", problems);
  truths.finish("truth", problems);
  labels.finish("truth", problems);
}

}  // namespace

void FirstProblems::add(std::string problem) {
  if (++count_ <= kMostNamed) named_.push_back(std::move(problem));
}

void FirstProblems::finish(const std::string& kind, std::vector<std::string>& out) const {
  out.insert(out.end(), named_.begin(), named_.end());
  if (count_ > kMostNamed) out.push_back(fmt::format("... and {} more of {}", count_ - kMostNamed, kind));
}

void check_scores(const LabeledScores& data, std::vector<std::string>& problems) {
  const std::size_t before = problems.size();
  check_sizes(data, problems);
  const bool sizes_fit = problems.size() == before;
  check_unique("tags", data.tags, problems);
  check_unique("clip_ids", data.clip_ids, problems);
  if (data.n_ranked < 0 || (data.n_ranked > 0 && !data.single_label)) {
    problems.push_back(
        fmt::format("n_ranked: must be 0, or positive in a single-label task, got {}", data.n_ranked));
  }
  if (sizes_fit) check_values(data, problems);
}

}  // namespace earmark
