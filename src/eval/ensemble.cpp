#include "eval/ensemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr double kLogFloor = 1e-20;     // added inside the logarithm
constexpr double kSumTolerance = 1e-3;  // of scores that a softmax gave, as they were printed
constexpr std::size_t kShown = 10;

using Problems = std::vector<std::string>;

std::map<std::string_view, std::size_t> places_of(const std::vector<std::string>& names) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) places.emplace(names[i], i);
  return places;
}

// Where each of `wanted` stands among `names`; what is missing or too much is told.
std::vector<std::size_t> order_of(const std::vector<std::string>& wanted,
                                  const std::vector<std::string>& names, const std::string& what,
                                  Problems& problems) {
  const auto places = places_of(names), own = places_of(wanted);
  std::vector<std::size_t> order;
  std::size_t n_told = 0;
  const auto tell = [&](const std::string& name, const char* how) {
    if (++n_told <= kShown) problems.push_back(fmt::format("{} '{}' {}", what, name, how));
  };
  for (const std::string& name : wanted) {
    const auto place = places.find(name);
    if (place == places.end()) tell(name, "is missing");
    order.push_back(place == places.end() ? 0 : place->second);
  }
  for (const std::string& name : names) {
    if (!own.contains(name)) tell(name, "is not in the first file");
  }
  if (n_told > kShown) problems.push_back(fmt::format("and {} more", n_told - kShown));
  return order;
}

// The table's scores in the order of the first member's clips and tags.
std::vector<double> aligned(const ScoreTable& first, const ScoreTable& table, std::size_t index,
                            Problems& problems) {
  const std::string where = fmt::format("file {}: ", index + 1);
  const auto rows = order_of(first.clip_ids, table.clip_ids, where + "clip", problems);
  const auto columns = order_of(first.tags, table.tags, where + "tag", problems);
  std::vector<double> scores;
  if (!problems.empty()) return scores;
  for (const std::size_t row : rows) {
    for (const std::size_t column : columns)
      scores.push_back(static_cast<double>(table.scores[row * table.tags.size() + column]));
  }
  return scores;
}

bool rows_sum_to_one(const std::vector<double>& scores, std::size_t n_tags) {
  for (std::size_t begin = 0; begin < scores.size(); begin += n_tags) {
    double sum = 0.0;
    for (std::size_t k = 0; k < n_tags; ++k) sum += scores[begin + k];
    if (std::abs(sum - 1.0) > kSumTolerance) return false;
  }
  return true;
}

// What each member counts, so that a mean is the sum of weighted scores and a geometric mean that of
// logarithms.
std::vector<double> exponents(const EnsembleOptions& options, std::size_t n, bool as_given) {
  if (options.weights.empty()) return std::vector<double>(n, 1.0 / static_cast<double>(n));
  double sum = 0.0;
  for (const double weight : options.weights) sum += weight;
  std::vector<double> exponents = options.weights;
  if (!as_given) {
    for (double& exponent : exponents) exponent /= sum;
  }
  return exponents;
}

void check_weights(const EnsembleOptions& options, std::size_t n, Problems& problems) {
  if (options.weights.empty()) return;
  if (options.weights.size() != n)
    problems.push_back(fmt::format("weights: must be one a file ({}), got {}", n, options.weights.size()));
  for (const double weight : options.weights) {
    if (!(weight >= 0.0) || !std::isfinite(weight))
      problems.push_back(fmt::format("weights: must be finite and not negative, got {}", weight));
  }
  if (std::all_of(options.weights.begin(), options.weights.end(),
                  [](double weight) { return weight == 0.0; }))
    problems.emplace_back("weights: one at least must be above 0, got none");
  if (problems.empty() && std::isinf(std::accumulate(options.weights.begin(), options.weights.end(), 0.0)))
    problems.emplace_back("weights: their sum is no number any more; divide all of them by the largest");
}

// In logarithms. Many weighted members multiply to less than a double can hold; only the ratios count.
void divide_by_row_maxima(std::vector<double>& logs, std::size_t n_tags) {
  for (auto row = logs.begin(); row != logs.end(); row += static_cast<std::ptrdiff_t>(n_tags)) {
    const double largest = *std::max_element(row, row + static_cast<std::ptrdiff_t>(n_tags));
    std::for_each(row, row + static_cast<std::ptrdiff_t>(n_tags), [&](double& x) { x -= largest; });
  }
}

void divide_by_row_sums(std::vector<double>& scores, std::size_t n_tags) {
  for (std::size_t begin = 0; begin < scores.size(); begin += n_tags) {
    double sum = 0.0;
    for (std::size_t k = 0; k < n_tags; ++k) sum += scores[begin + k];
    for (std::size_t k = 0; k < n_tags && sum > 0.0; ++k) scores[begin + k] /= sum;
  }
}

}  // namespace

ScoreTable ensemble(const std::vector<ScoreTable>& members, const EnsembleOptions& options) {
  Problems problems;
  if (members.empty()) problems.emplace_back("scores: at least one file is needed, got none");
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].clip_ids.empty()) problems.push_back(fmt::format("file {}: has no clips", i + 1));
  }
  check_weights(options, members.size(), problems);
  std::vector<std::vector<double>> scores;
  for (std::size_t i = 0; i < members.size(); ++i)
    scores.push_back(aligned(members[0], members[i], i, problems));
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the scores cannot be combined:", problems);
  ScoreTable result = members.front();
  const std::size_t n_tags = result.tags.size();
  const bool geometric = options.rule == EnsembleRule::kGeometric;
  const bool to_one =
      options.row_sum == RowSum::kOne ||
      (options.row_sum == RowSum::kAuto &&
       std::all_of(scores.begin(), scores.end(), [&](const auto& s) { return rows_sum_to_one(s, n_tags); }));
  const std::vector<double> counts = exponents(options, members.size(), geometric && to_one);
  std::vector<double> total(result.scores.size(), 0.0);
  for (std::size_t m = 0; m < scores.size(); ++m) {
    for (std::size_t i = 0; i < total.size(); ++i) {
      const double s = scores[m][i];
      if (!std::isfinite(s))
        throw Error(ErrorCode::kInvalidOption,
                    fmt::format("file {}: clip '{}', tag '{}': must be finite, got {}", m + 1,
                                result.clip_ids[i / n_tags], result.tags[i % n_tags], s));
      if (geometric && s < 0.0)
        throw Error(ErrorCode::kInvalidOption,
                    fmt::format("file {}: a geometric mean wants scores of 0 and above, got {}", m + 1, s));
      total[i] += counts[m] * (geometric ? std::log(s + kLogFloor) : s);
    }
  }
  if (geometric) {
    if (to_one) divide_by_row_maxima(total, n_tags);
    for (double& x : total) x = std::exp(x);
  }
  if (to_one) divide_by_row_sums(total, n_tags);
  for (std::size_t i = 0; i < total.size(); ++i) result.scores[i] = static_cast<float>(total[i]);
  return result;
}

namespace {

// Scores of one tag by the clips of the top network; empty where nobody answers for it.
using Columns = std::vector<std::vector<float>>;

void take_columns(const Taxonomy& taxonomy, const ScoreTable& table, const ScoreTable& top,
                  const std::string& where, Columns& columns, Problems& problems) {
  const auto rows = order_of(top.clip_ids, table.clip_ids, where + "clip", problems);
  for (std::size_t k = 0; k < table.tags.size(); ++k) {
    const auto tag = taxonomy.index(table.tags[k]);
    if (!tag) {
      problems.push_back(fmt::format("{}'{}' is no tag of {}", where, table.tags[k], taxonomy.name));
    } else if (!columns[*tag].empty()) {
      problems.push_back(fmt::format("{}'{}' has been answered for already", where, table.tags[k]));
    } else {
      for (const std::size_t row : rows) columns[*tag].push_back(table.scores[row * table.tags.size() + k]);
    }
  }
}

}  // namespace

ScoreTable combine_hierarchy(const Taxonomy& taxonomy, const ScoreTable& top,
                             const std::vector<ScoreTable>& branches, HierarchyTop rule) {
  Problems problems;
  Columns own(taxonomy.size()), branch(taxonomy.size());
  take_columns(taxonomy, top, top, "the top's ", own, problems);
  for (std::size_t i = 0; i < branches.size(); ++i)
    take_columns(taxonomy, branches[i], top, fmt::format("branch {}: ", i + 1), branch, problems);
  for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
    const bool coarse = taxonomy.parents[tag] < 0;
    const bool only =
        !coarse && taxonomy.members(static_cast<std::size_t>(taxonomy.parents[tag])).size() == 1;
    if (own[tag].empty() && (coarse || rule == HierarchyTop::kJoint))
      problems.push_back(fmt::format("the top does not answer for '{}'", taxonomy.tags[tag]));
    if (!coarse && !only && branch[tag].empty())
      problems.push_back(fmt::format("no branch answers for '{}'", taxonomy.tags[tag]));
  }
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "the hierarchy cannot be combined:", problems);

  ScoreTable result = top;
  result.tags = taxonomy.tags;
  result.scores.clear();
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 0; i < top.clip_ids.size(); ++i) {
    std::vector<float> of_top, of_branches;
    for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
      of_top.push_back(own[tag].empty() ? 0.0f : own[tag][i]);
      of_branches.push_back(branch[tag].empty() ? kNone : branch[tag][i]);
    }
    const std::vector<float> scores = hierarchy_scores(taxonomy.parents, of_top, of_branches, rule);
    result.scores.insert(result.scores.end(), scores.begin(), scores.end());
  }
  return result;
}

}  // namespace earmark
