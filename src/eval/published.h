// published.h: the figures of a paper, beside which one's own are shown.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "core/value.h"
#include "earmark/options.h"
#include "eval/task_evaluation.h"

namespace earmark {

struct PublishedMetric {
  std::string metric;
  double value = 0.0;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("metric", self.metric, kAny, "name of the metric");
    visit("value", self.value, kAny, "as published");
  }
};

struct PublishedClass {
  std::string tag;
  double recall = 0.0;
  double precision = 0.0;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("tag", self.tag, kAny, "class");
    visit("recall", self.recall, kProbability, "as published");
    visit("precision", self.precision, kProbability, "as published");
  }
};

/// A recipe's `expect`. Thread-safety: a plain value.
struct PublishedFigures {
  std::string metric;
  double value = 0.0;
  std::string on;
  std::vector<PublishedMetric> others;
  std::string part;
  std::vector<PublishedClass> classes;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("metric", self.metric, kAny, "name of the metric");
    visit("value", self.value, kAny, "what a run should come near");
    visit("on", self.on, kAny, "which data it is measured on");
    visit("others", self.others, kAny, "further figures of the same run");
    visit("part", self.part, kAny, "part of the clips that `classes` speaks of; empty: all clips");
    visit("classes", self.classes, kAny,
          "recall and precision of each class; tags `mean` and `mean of known`: the paper's own, which it "
          "did not make of "
          "rounded rows");
  }
  bool empty() const noexcept { return metric.empty() && others.empty() && classes.empty(); }
};

/// One's own beside the paper's. A figure of one's own that is not there is NaN.
struct MetricBeside {
  std::string metric;
  double own = 0.0, published = 0.0;
};
struct ClassBeside {
  std::string tag;
  double own_recall = 0.0, recall = 0.0;
  double own_precision = 0.0, precision = 0.0;
};
/// Thread-safety: a plain value.
struct BesidePublished {
  std::string on, part;
  std::vector<MetricBeside> metrics;
  std::vector<ClassBeside> classes;  ///< with means as the last rows: of an open set's known classes, of all
};

/// Metrics are looked for under their names, those of two levels as "fine.macro_auprc".
BesidePublished beside_published(const TaskEvaluation& own, const PublishedFigures& published);

/// {"on", "metrics": {name: {"own", "published"}}, "part", "classes": {tag: {"recall", "published_recall",
/// "precision", "published_precision"}}}.
Value to_value(const BesidePublished& beside);

/// Two tables for a person; empty without figures.
std::string beside_text(const BesidePublished& beside);

}  // namespace earmark
