// evaluation.h: predictions of a data set's clips beside its own truth, as `earmark evaluate` judges them.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "app/dataset_choice.h"
#include "core/value.h"
#include "eval/paired_comparison.h"
#include "eval/published.h"
#include "eval/report.h"
#include "eval/task_evaluation.h"

namespace earmark {

struct EvaluationRequest {
  DatasetChoice choice;  ///< data_root or annotations
  EvaluateOptions options;
  std::filesystem::path scores;   ///< a table of scores or the task's form of submission
  std::filesystem::path against;  ///< other scores of the same clips, to be compared with; empty: none
  std::string unknown_weight;     ///< open set: a number, or "best" of these clips; empty: 1
  std::string part_by;            ///< metadata field; empty: the task's own, where clips have it
  PublishedFigures published;     ///< a paper's, shown beside these
};

/// Thread-safety: a plain value.
struct EvaluationResult {
  std::string dataset, split;  ///< "all" where no split was asked for
  int fold = 0;
  TaskScores data;
  TaskEvaluation evaluation;
  double unknown_weight = 1.0;                ///< that the unknown tag's scores were multiplied by
  std::vector<PairedDifference> differences;  ///< from the scores compared with
  BesidePublished published;                  ///< the paper's figures beside these
  std::vector<std::string> warnings;
};

/// The truth is the task's official one unless the choice's overrides say otherwise.
/// @throws as load_chosen(), read_predictions(), join_scores() and evaluate_task() do, and
/// Error(kInvalidOption) unless exactly one of data_root and annotations is given.
EvaluationResult evaluate_predictions(const EvaluationRequest& request);

/// {"dataset", "split", "fold" where there is one}, the members of the TaskEvaluation, "against" where
/// scores were compared with, "published" where a paper's figures stand beside.
Value to_value(const EvaluationResult& result);
/// Tables for a person.
std::string evaluation_text(const EvaluationResult& result, const EvaluateOptions& options);
/// The page of --report.
ReportData report_of(const EvaluationResult& result, const EvaluationRequest& request);

}  // namespace earmark
