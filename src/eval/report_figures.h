// report_figures.h: the parts of a report that hold figures and their intervals. Private to eval.
#pragma once
#include <string>
#include <vector>

#include "eval/html_page.h"
#include "eval/sonyc_metrics.h"
#include "eval/task_evaluation.h"

namespace earmark {

/// One card a figure, with its interval below.
void add_cards(const std::vector<NamedMetric>& metrics, Out out);
/// What the intervals are; nothing without a bootstrap.
void add_interval_note(double confidence, Out out);
/// The official figures of SONYC-UST: cards for both levels and a table by category.
void add_levels(const SonycEvaluation& levels, Out out);
/// A table of the parts' first figures; nothing without parts.
void add_parts(const std::string& part_by, const std::vector<PartEvaluation>& parts, Out out);

}  // namespace earmark
