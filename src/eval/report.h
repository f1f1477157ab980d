// report.h: an evaluation as one HTML page that needs nothing else: no network, no other file. Light and
// dark.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/evaluate.h"
#include "eval/published.h"
#include "eval/task_evaluation.h"

namespace earmark {

/// A line of a chart; points that are no finite numbers are gaps. Thread-safety: a plain value.
struct Series {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;  ///< as many as x
};

struct Chart {
  std::string title;
  std::string x_label;
  std::vector<Series> series;
};

struct Mistake {
  std::string clip_id;
  std::string truth;  ///< its tags, ", " between them; "(none)" without any
  std::string predicted;
  float score = 0;
};

/// A run's parts, a row each. Thread-safety: a plain value.
struct PartsTable {
  std::vector<std::string> figures;                               ///< titles of the columns
  std::vector<std::pair<std::string, std::vector<double>>> rows;  ///< a name, a figure a column; NaN: none
};

/// What the page shows; empty parts are left out. Thread-safety: a plain value.
struct ReportData {
  std::string title;
  std::vector<std::pair<std::string, std::string>>
      facts;  ///< data set, split, fold, model ... as name and text
  Evaluation evaluation;
  std::optional<SonycEvaluation> levels;  ///< of a task with two levels: shown in place of evaluation.metrics
  std::string part_by;                    ///< metadata field that tells the parts apart
  std::vector<PartEvaluation> parts;
  std::vector<std::string> notes;
  BesidePublished published;  ///< a paper's figures beside these
  PartsTable stages;          ///< of a run of several trainings, each on the clips that it held out
  std::vector<Chart> charts;  ///< learning curves
  std::vector<Mistake> mistakes;
  std::string recipe;  ///< as resolved, folded away
};

/// Puts all of an evaluation's figures on the page, and beside them what a paper reports.
void show_evaluation(ReportData& report, const TaskEvaluation& evaluation,
                     const PublishedFigures& published = {});

/// So many wrong decisions stand on a page.
inline constexpr std::size_t kMistakesShown = 30;
/// The wrong decisions with the highest scores, best score first, then in the order of the clips.
/// Single-label: clips whose best class is not theirs. Multi-label: tags above the threshold that the clip is
/// known not to have.
/// @param data as evaluate() accepts it.
std::vector<Mistake> most_confident_mistakes(const LabeledScores& data, double threshold,
                                             std::size_t at_most);

/// Every text is escaped. @throws Error(kInvalidOption) for a series whose x and y differ in length, a row of
/// stages with more or fewer figures than columns.
std::string html_report(const ReportData& report);

/// `& < > " '` as entities; control characters, which HTML does not allow, as U+FFFD.
std::string escape_html(std::string_view text);

}  // namespace earmark
