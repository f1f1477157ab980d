#include "app/relabelling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "app/dataset_choice.h"
#include "core/options_io.h"
#include "data/label_noise.h"
#include "data/truth.h"
#include "earmark/error.h"
#include "eval/ensemble.h"

namespace earmark {
namespace {

constexpr std::size_t kShown = 10;

// The mean of several tables of the same clips and tags, in the order of the first.
ScoreTable mean_table(const Dataset& data, const std::vector<std::filesystem::path>& paths) {
  std::vector<ScoreTable> tables;
  for (const std::filesystem::path& path : paths) {
    tables.push_back(read_score_table(path));
    use_clip_ids(data, tables.back());
  }
  EnsembleOptions mean;
  mean.row_sum = RowSum::kFree;
  return ensemble(tables, mean);
}

// The scores of `labeled`'s clips, every tag of the data set; @return whether each tag was answered for.
std::vector<bool> fill_scores(const Dataset& data, const ScoreTable& table, LabeledScores& labeled) {
  std::vector<std::string> problems;
  std::vector<bool> answered(data.tags.size(), false);
  std::vector<std::size_t> column(table.tags.size(), 0);
  for (std::size_t k = 0; k < table.tags.size(); ++k) {
    const auto index = data.tag_index(table.tags[k]);
    if (!index) {
      problems.push_back(fmt::format("'{}' is no tag of {}", table.tags[k], data.name));
    } else {
      column[k] = *index;
      answered[*index] = true;
    }
  }
  std::map<std::string_view, std::size_t> row_of;
  for (std::size_t i = 0; i < table.clip_ids.size(); ++i) row_of.emplace(table.clip_ids[i], i);
  labeled.scores.assign(labeled.n_clips() * labeled.n_tags(), 0.0f);
  std::size_t n_missing = 0;
  for (std::size_t i = 0; i < labeled.n_clips(); ++i) {
    const auto row = row_of.find(labeled.clip_ids[i]);
    if (row == row_of.end()) {
      if (++n_missing <= kShown)
        problems.push_back(fmt::format("clip '{}' has no scores", labeled.clip_ids[i]));
      continue;
    }
    for (std::size_t k = 0; k < column.size(); ++k)
      labeled.scores[i * labeled.n_tags() + column[k]] = table.scores[row->second * column.size() + k];
  }
  if (n_missing > kShown) problems.push_back(fmt::format("and {} clips more", n_missing - kShown));
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "--scores: they do not fit the data set:", problems);
  return answered;
}

Value tag_changes(const Relabelled& made, const Dataset& data, const std::vector<bool>& answered) {
  Value tags{Value::Map()};
  for (std::size_t k = 0; k < data.tags.size(); ++k) {
    if (!answered[k]) continue;
    Value tag;
    if (!std::isnan(made.thresholds[k])) tag.set("threshold", made.thresholds[k]);
    tag.set("set", static_cast<std::int64_t>(made.n_set[k]));
    tag.set("removed", static_cast<std::int64_t>(made.n_removed[k]));
    tags.set(data.tags[k], tag);
  }
  return tags;
}

}  // namespace

RelabelResult relabel_clips(const Dataset& data, const std::vector<std::size_t>& clips,
                            const RelabelRequest& request) {
  LabeledScores labeled = truth_of(data, clips);
  const std::vector<bool> answered = fill_scores(data, mean_table(data, request.scores), labeled);
  const Relabelled made = relabel(labeled, answered, request.options, request.drop_empty);
  RelabelResult result;
  result.labels.tags = data.tags;
  const std::size_t n_tags = data.tags.size();
  LabelRecovery recovery;
  for (std::size_t i = 0; i < labeled.n_clips(); ++i) {
    const auto first = made.targets.begin() + static_cast<std::ptrdiff_t>(i * n_tags);
    count_recovery(data.clips[clips[i]], &*first, recovery);
    if (made.keeps_old[i]) continue;
    result.labels.clip_ids.push_back(labeled.clip_ids[i]);
    result.labels.scores.insert(result.labels.scores.end(), first,
                                first + static_cast<std::ptrdiff_t>(n_tags));
  }
  Value::List files;
  for (const std::filesystem::path& path : request.scores) files.emplace_back(path.filename().string());
  result.provenance.set("dataset", data.name);
  Value rule = write_options(request.options);
  if (request.options.rule != RelabelRule::kThreshold) rule = Value(Value::Map{{"rule", rule.at("rule")}});
  result.provenance.set("rule", rule);
  result.provenance.set("scores", Value(std::move(files)));
  result.provenance.set("n_clips", static_cast<std::int64_t>(result.labels.clip_ids.size()));
  result.provenance.set("n_empty", static_cast<std::int64_t>(made.n_empty));
  if (recovery.n_wrong > 0) {
    Value counts;
    counts.set("wrong", static_cast<std::int64_t>(recovery.n_wrong));
    counts.set("mended", static_cast<std::int64_t>(recovery.n_mended));
    counts.set("spoilt", static_cast<std::int64_t>(recovery.n_spoilt));
    result.provenance.set("label_noise", counts);
  }
  Value::List kept;
  for (std::size_t k = 0; k < n_tags; ++k) {
    if (!answered[k]) kept.emplace_back(data.tags[k]);
  }
  result.provenance.set("tags", tag_changes(made, data, answered));
  result.provenance.set("kept_tags", Value(std::move(kept)));
  return result;
}

}  // namespace earmark
