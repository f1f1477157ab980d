#include "eval/published.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

namespace earmark {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double of_level(const SonycLevel& level, std::string_view name) {
  if (name == "micro_auprc") return level.micro_auprc.value;
  if (name == "micro_f1") return level.micro_f1.value;
  if (name == "macro_auprc") return level.macro_auprc.value;
  return kNone;
}

double own_value(const TaskEvaluation& own, const std::string& name) {
  const std::size_t dot = name.find('.');
  if (own.levels && dot != std::string::npos) {
    const std::string level = name.substr(0, dot), metric = name.substr(dot + 1);
    if (level == "coarse") return of_level(own.levels->coarse, metric);
    if (level == "fine") return of_level(own.levels->fine, metric);
  }
  const Metric* metric = own.tags.find(name);
  return metric == nullptr ? kNone : metric->value;
}

// The evaluation of the clips that the paper's table by class speaks of; null: there are none here.
const Evaluation* part_of(const TaskEvaluation& own, const std::string& part) {
  if (part.empty()) return &own.tags;
  const auto found = std::find_if(own.parts.begin(), own.parts.end(),
                                  [&](const PartEvaluation& p) { return p.name == part; });
  return found == own.parts.end() ? nullptr : &found->tags;
}

constexpr const char *kMean = "mean", *kMeanOfKnown = "mean of known";

ClassBeside average(const std::vector<ClassBeside>& rows, const std::string& name) {
  ClassBeside mean{name};
  for (const ClassBeside& row : rows) {
    mean.own_recall += row.own_recall;
    mean.recall += row.recall;
    mean.own_precision += row.own_precision;
    mean.precision += row.precision;
  }
  const auto n = static_cast<double>(rows.size());
  for (double* sum : {&mean.own_recall, &mean.recall, &mean.own_precision, &mean.precision}) *sum /= n;
  return mean;
}

Value number(double value) { return std::isnan(value) ? Value() : Value(value); }

std::string text_figure(double value) { return std::isnan(value) ? "-" : fmt::format("{:.3f}", value); }

}  // namespace

BesidePublished beside_published(const TaskEvaluation& own, const PublishedFigures& published) {
  BesidePublished beside{published.on, published.part, {}, {}};
  if (!published.metric.empty())
    beside.metrics.push_back({published.metric, own_value(own, published.metric), published.value});
  for (const PublishedMetric& other : published.others)
    beside.metrics.push_back({other.metric, own_value(own, other.metric), other.value});
  const Evaluation* part = part_of(own, published.part);
  std::map<std::string, PublishedClass> told;  // rows of means: a table's own, as its classes are rounded
  for (const PublishedClass& row : published.classes) {
    if (row.tag == kMean || row.tag == kMeanOfKnown) {
      told[row.tag] = row;
      continue;
    }
    ClassBeside here{row.tag, kNone, row.recall, kNone, row.precision};
    if (part != nullptr) {
      const auto found = std::find_if(part->per_class.begin(), part->per_class.end(),
                                      [&](const ClassResult& c) { return c.tag == row.tag; });
      if (found != part->per_class.end()) {
        here.own_recall = found->recall;
        here.own_precision = found->precision;
      }
    }
    beside.classes.push_back(here);
  }
  if (beside.classes.size() < 2) return beside;
  const auto mean_of = [&](const std::vector<ClassBeside>& rows, const std::string& name) {
    ClassBeside mean = average(rows, name);
    if (const auto own = told.find(name); own != told.end()) {
      mean.recall = own->second.recall;
      mean.precision = own->second.precision;
    }
    return mean;
  };
  const ClassBeside mean = mean_of(beside.classes, kMean);
  std::vector<ClassBeside> known = beside.classes;
  std::erase_if(known, [&](const ClassBeside& row) { return row.tag == own.unknown_tag; });
  if (known.size() < beside.classes.size() && !known.empty())
    beside.classes.push_back(mean_of(known, kMeanOfKnown));
  beside.classes.push_back(mean);
  return beside;
}

Value to_value(const BesidePublished& beside) {
  Value value;
  value.set("on", beside.on);
  Value metrics{Value::Map()};
  for (const MetricBeside& m : beside.metrics) {
    Value pair;
    pair.set("own", number(m.own));
    pair.set("published", m.published);
    metrics.set(m.metric, pair);
  }
  value.set("metrics", metrics);
  if (beside.classes.empty()) return value;
  if (!beside.part.empty()) value.set("part", beside.part);
  Value classes{Value::Map()};
  for (const ClassBeside& c : beside.classes) {
    Value row;
    row.set("recall", number(c.own_recall));
    row.set("published_recall", c.recall);
    row.set("precision", number(c.own_precision));
    row.set("published_precision", c.precision);
    classes.set(c.tag, row);
  }
  value.set("classes", classes);
  return value;
}

std::string beside_text(const BesidePublished& beside) {
  std::string text;
  if (!beside.metrics.empty())
    text += fmt::format("\n  {:<26}{:>10}{:>11}   published on: {}\n", "beside the paper", "here",
                        "published", beside.on);
  for (const MetricBeside& m : beside.metrics)
    text += fmt::format("  {:<26}{:>10}{:>11}\n", m.metric, text_figure(m.own), text_figure(m.published));
  if (beside.classes.empty()) return text;
  text += fmt::format("\n  {:<26}{:>10}{:>11}{:>12}{:>11}\n",
                      beside.part.empty() ? "class" : "class, part " + beside.part, "recall", "published",
                      "precision", "published");
  for (const ClassBeside& c : beside.classes)
    text += fmt::format("  {:<26}{:>10}{:>11}{:>12}{:>11}\n", c.tag, text_figure(c.own_recall),
                        text_figure(c.recall), text_figure(c.own_precision), text_figure(c.precision));
  return text;
}

}  // namespace earmark
