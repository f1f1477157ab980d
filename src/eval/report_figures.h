// report_figures.h: the parts of a report that hold figures and their intervals. Private to eval.
#pragma once
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "eval/sonyc_metrics.h"
#include "eval/task_evaluation.h"

namespace earmark {

using Out = std::back_insert_iterator<std::string>;

inline constexpr const char* kDash = "\xE2\x80\x93";

/// Three digits, a dash for what is undefined.
std::string figure(double value);
/// Begins a table that sorts by the column whose title is pressed; the first column holds names.
void open_table(const std::vector<std::string>& titles, Out out);
/// Begins a row.
void add_name(const std::string& name, Out out);
void add_count(std::int64_t count, Out out);
/// A cell of a sortable table. @param bar whether its background shows the value.
void add_cell(double value, bool bar, Out out);
/// One card a figure, with its interval below.
void add_cards(const std::vector<NamedMetric>& metrics, Out out);
/// What the intervals are; nothing without a bootstrap.
void add_interval_note(double confidence, Out out);
/// The official figures of SONYC-UST: cards for both levels and a table by category.
void add_levels(const SonycEvaluation& levels, Out out);
/// A table of the parts' first figures; nothing without parts.
void add_parts(const std::string& part_by, const std::vector<PartEvaluation>& parts, Out out);

}  // namespace earmark
