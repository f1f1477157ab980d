#include "eval/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "earmark/error.h"
#include "eval/metrics.h"
#include "eval/report_figures.h"
#include "eval/report_svg.h"

namespace earmark {
namespace {

void add_metrics(const Evaluation& evaluation, Out out) {
  if (evaluation.metrics.empty()) return;
  fmt::format_to(out, "<h2>Metrics</h2>\n");
  std::vector<NamedMetric> cards;
  for (const Metric& metric : evaluation.metrics) cards.push_back({metric.name, metric});
  add_cards(cards, out);
  add_interval_note(evaluation.confidence, out);
}

void add_notes(const std::vector<std::string>& notes, Out out) {
  for (const std::string& note : notes) fmt::format_to(out, "<p class=\"note\">{}</p>\n", escape_html(note));
}

void add_published(const BesidePublished& beside, Out out) {
  if (beside.metrics.empty() && beside.classes.empty()) return;
  fmt::format_to(out, "<h2>Beside the paper</h2>\n<p class=\"note\">Published on: {}.</p>\n",
                 escape_html(beside.on));
  if (!beside.metrics.empty()) {
    open_table({"metric", "here", "published"}, out);
    for (const MetricBeside& m : beside.metrics) {
      add_name(m.metric, out);
      for (const double value : {m.own, m.published}) add_cell(value, false, out);
      fmt::format_to(out, "</tr>\n");
    }
    close_table(out);
  }
  if (beside.classes.empty()) return;
  open_table({beside.part.empty() ? "class" : "class, part " + beside.part, "recall", "published recall",
              "precision", "published precision"},
             out);
  for (const ClassBeside& c : beside.classes) {
    add_name(c.tag, out);
    for (const double value : {c.own_recall, c.recall, c.own_precision, c.precision})
      add_cell(value, false, out);
    fmt::format_to(out, "</tr>\n");
  }
  close_table(out);
}

void add_stages(const PartsTable& stages, Out out) {
  if (stages.rows.empty()) return;
  fmt::format_to(out, "<h2>Stages</h2>\n<p class=\"note\">Each on the clips that it held out.</p>\n");
  std::vector<std::string> titles{"stage"};
  titles.insert(titles.end(), stages.figures.begin(), stages.figures.end());
  open_table(titles, out);
  for (const auto& [name, figures] : stages.rows) {
    add_name(name, out);
    for (const double figure : figures) add_cell(figure, false, out);
    fmt::format_to(out, "</tr>\n");
  }
  close_table(out);
}

// @param of which clips: nothing of all, else ", device b+c".
void add_classes(const Evaluation& evaluation, const std::string& of, Out out) {
  if (evaluation.per_class.empty()) return;
  fmt::format_to(out, "<h2>By class{}</h2>\n", escape_html(of));
  open_table({"tag", "AP", "ROC-AUC", "lwlrap", "recall", "precision", "F1", "support", "predicted"}, out);
  for (const ClassResult& result : evaluation.per_class) {
    add_name(result.tag, out);
    add_cell(result.average_precision, true, out);
    const double ranking = result.support > 0 ? result.lwlrap : std::nan("");
    for (const double value : {result.roc_auc, ranking, result.recall, result.precision, result.f1}) {
      add_cell(value, false, out);
    }
    add_count(result.support, out);
    add_count(result.predicted, out);
    fmt::format_to(out, "</tr>\n");
  }
  close_table(out);
}

void add_confusion(const Evaluation& evaluation, const std::string& of, Out out) {
  if (!evaluation.single_label || evaluation.confusion.empty()) return;
  fmt::format_to(
      out,
      "<h2>Confusion{}</h2>\n<p class=\"note\">Rows: the true class. Columns: the predicted one. Shade and "
      "figure: share of the row, in per cent.</p>\n{}\n",
      escape_html(of), confusion_svg(evaluation));
}

void add_charts(const std::vector<Chart>& charts, Out out) {
  bool titled = false;
  for (const Chart& chart : charts) {
    const std::string svg = chart_svg(chart);
    if (svg.empty()) continue;
    if (!titled) fmt::format_to(out, "<h2>Learning curves</h2>\n");
    titled = true;
    fmt::format_to(out, "<h3>{}</h3>\n{}\n", escape_html(chart.title), svg);
  }
}

void add_mistakes(const std::vector<Mistake>& mistakes, Out out) {
  if (mistakes.empty()) return;
  fmt::format_to(out, "<h2>Most confident mistakes</h2>\n<div class=\"scroll\"><table>\n<thead><tr>");
  fmt::format_to(out,
                 "<th class=\"name\" scope=\"col\">clip</th><th class=\"name\" scope=\"col\">truth</th>");
  fmt::format_to(
      out,
      "<th class=\"name\" scope=\"col\">predicted</th><th scope=\"col\">score</th></tr></thead>\n<tbody>\n");
  for (const Mistake& mistake : mistakes) {
    fmt::format_to(out,
                   "<tr><td class=\"name\">{}</td><td class=\"name\">{}</td><td "
                   "class=\"name\">{}</td><td>{:.3f}</td></tr>\n",
                   escape_html(mistake.clip_id), escape_html(mistake.truth), escape_html(mistake.predicted),
                   mistake.score);
  }
  close_table(out);
}

void check(const ReportData& report) {
  std::vector<std::string> problems;
  for (const Chart& chart : report.charts) {
    for (const Series& series : chart.series) {
      if (series.x.size() == series.y.size()) continue;
      problems.push_back(fmt::format("charts: '{}', series '{}': x and y must be as many, got {} and {}",
                                     chart.title, series.name, series.x.size(), series.y.size()));
    }
  }
  for (const auto& [name, figures] : report.stages.rows) {
    if (figures.size() != report.stages.figures.size())
      problems.push_back(fmt::format("stages: '{}' must have {} figures, got {}", name,
                                     report.stages.figures.size(), figures.size()));
  }
  const std::size_t n_tags = report.evaluation.per_class.size();
  if (!report.evaluation.confusion.empty() && report.evaluation.confusion.size() != n_tags * n_tags) {
    problems.push_back(fmt::format("evaluation.confusion: must hold {} counts, got {}", n_tags * n_tags,
                                   report.evaluation.confusion.size()));
  }
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the report cannot be written", problems);
}

std::string tags_of(const LabeledScores& data, std::size_t clip) {
  std::string text;
  for (std::size_t tag = 0; tag < data.n_tags(); ++tag) {
    if (is_positive_truth(data.truth[clip * data.n_tags() + tag]))
      text += (text.empty() ? "" : ", ") + data.tags[tag];
  }
  return text.empty() ? "(none)" : text;
}

// Places in the arrays of the wrong decisions.
std::vector<std::size_t> wrong_places(const LabeledScores& data, double threshold) {
  const ScoreView view(data.truth, data.scores, data.n_tags());
  std::vector<std::size_t> places;
  if (data.single_label) {
    const std::vector<int> labels = labels_of(view);
    for (std::size_t clip = 0; clip < labels.size(); ++clip) {
      const std::size_t best = top_k(view.scores.subspan(clip * view.n_tags, view.n_tags), 1).front();
      if (labels[clip] != kNoLabel && best != static_cast<std::size_t>(labels[clip])) {
        places.push_back(clip * view.n_tags + best);
      }
    }
    return places;
  }
  for (std::size_t i = 0; i < view.scores.size(); ++i) {
    const bool known_not = is_known_truth(view.truth[i]) && !is_positive_truth(view.truth[i]);
    if (known_not && static_cast<double>(view.scores[i]) > threshold) places.push_back(i);
  }
  return places;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) {
          out += "\xEF\xBF\xBD";
        } else {
          out += c;
        }
    }
  }
  return out;
}

void show_evaluation(ReportData& report, const TaskEvaluation& evaluation,
                     const PublishedFigures& published) {
  if (evaluation.levels)
    report.facts.emplace_back("order of ties", tie_order_name(evaluation.levels->tie_order));
  report.evaluation = evaluation.tags;
  report.levels = evaluation.levels;
  report.part_by = evaluation.part_by;
  report.parts = evaluation.parts;
  report.notes = evaluation.notes;
  report.published = beside_published(evaluation, published);
}

std::vector<Mistake> most_confident_mistakes(const LabeledScores& data, double threshold,
                                             std::size_t at_most) {
  std::vector<std::size_t> places = wrong_places(data, threshold);
  at_most = std::min(at_most, places.size());
  const auto surer = [&](std::size_t a, std::size_t b) {
    return data.scores[a] != data.scores[b] ? data.scores[a] > data.scores[b] : a < b;
  };
  std::partial_sort(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(at_most), places.end(),
                    surer);
  std::vector<Mistake> mistakes;
  for (std::size_t i = 0; i < at_most; ++i) {
    const std::size_t clip = places[i] / data.n_tags();
    mistakes.push_back({data.clip_ids[clip], tags_of(data, clip), data.tags[places[i] % data.n_tags()],
                        data.scores[places[i]]});
  }
  return mistakes;
}

std::string html_report(const ReportData& report) {
  check(report);
  std::string body;
  Out out(body);
  std::vector<std::pair<std::string, std::string>> facts{
      {"clips", std::to_string(report.evaluation.n_clips)}};
  facts.insert(facts.end(), report.facts.begin(), report.facts.end());
  add_heading(report.title, facts, out);
  if (report.levels) {
    add_levels(*report.levels, out);
  } else {
    add_metrics(report.evaluation, out);
  }
  add_notes(report.notes, out);
  add_published(report.published, out);
  add_stages(report.stages, out);
  add_parts(report.part_by, report.parts, out);
  add_charts(report.charts, out);
  add_classes(report.evaluation, "", out);
  add_confusion(report.evaluation, "", out);
  for (const PartEvaluation& part : report.parts) {
    if (!part.is_told) continue;
    const std::string of = fmt::format(", {} {}", report.part_by, part.name);
    add_classes(part.tags, of, out);
    add_confusion(part.tags, of, out);
  }
  add_mistakes(report.mistakes, out);
  if (!report.recipe.empty()) {
    fmt::format_to(out, "<h2>Recipe</h2>\n<details><summary>as resolved</summary><pre>{}</pre></details>\n",
                   escape_html(report.recipe));
  }
  return html_page(report.title, body);
}

}  // namespace earmark
