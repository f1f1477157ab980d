// report_svg.h: the drawings of a report. Private to eval.
#pragma once
#include <string>

#include "eval/report.h"

namespace earmark {

/// Heat map of the confusion, each row divided by its sum. @param evaluation single-label.
std::string confusion_svg(const Evaluation& evaluation);

/// Lines over a common x axis with a legend; empty when no series has a point.
std::string chart_svg(const Chart& chart);

}  // namespace earmark
