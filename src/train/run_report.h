// run_report.h: a finished run as one HTML page.
#pragma once
#include <string>
#include <vector>

#include "core/value.h"
#include "eval/published.h"
#include "eval/task_evaluation.h"

namespace earmark {

/// @param metrics as in metrics.json. @param log records of log.jsonl. @param scores of the held-out clips;
/// without clips the page has learning curves only.
/// @param recipe as resolved. @param published its paper's figures.
std::string run_report(const Value& metrics, const std::vector<Value>& log, const TaskScores& scores,
                       const std::string& recipe, const PublishedFigures& published);

}  // namespace earmark
