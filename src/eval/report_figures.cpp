#include "eval/report_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/report.h"

namespace earmark {
namespace {

std::string interval_text(const Metric& metric) {
  if (!metric.interval) return "";
  return fmt::format("{} {} {}", figure(metric.interval->low), kDash, figure(metric.interval->high));
}

// Sorted by its lower end.
void add_interval(const Metric& metric, Out out) {
  if (!metric.interval) {
    add_cell(std::nan(""), false, out);
  } else {
    fmt::format_to(out, "<td data-value=\"{}\">{}</td>", metric.interval->low, interval_text(metric));
  }
}

void add_level(const std::string& title, const SonycLevel& level, Out out) {
  fmt::format_to(out, "<h2>{}</h2>\n", escape_html(title));
  add_cards(
      {{"micro_auprc", level.micro_auprc}, {"micro_f1", level.micro_f1}, {"macro_auprc", level.macro_auprc}},
      out);
  fmt::format_to(out, "<h3>By category</h3>\n");
  open_table({"category", "AUPRC", "interval", "precision", "recall", "F1", "support"}, out);
  for (const SonycCategory& category : level.categories) {
    add_name(category.tag, out);
    add_cell(category.auprc.value, true, out);
    add_interval(category.auprc, out);
    for (const double value : {category.precision, category.recall, category.f1}) add_cell(value, false, out);
    add_count(category.support, out);
    fmt::format_to(out, "</tr>\n");
  }
  close_table(out);
}

}  // namespace

void add_cards(const std::vector<NamedMetric>& metrics, Out out) {
  fmt::format_to(out, "<div class=\"cards\">\n");
  for (const auto& [name, metric] : metrics) {
    fmt::format_to(out, "<div class=\"card\"><small>{}</small><b>{}</b>", escape_html(name),
                   figure(metric.value));
    if (metric.interval) {
      const double low = std::clamp(metric.interval->low, 0.0, 1.0);
      const double high = std::clamp(metric.interval->high, 0.0, 1.0);
      fmt::format_to(out, "<small>{}</small>", interval_text(metric));
      fmt::format_to(out, "<span class=\"span\"><i style=\"left:{:.2f}%;width:{:.2f}%\"></i></span>",
                     100 * low, 100 * (high - low));
    }
    fmt::format_to(out, "</div>\n");
  }
  fmt::format_to(out, "</div>\n");
}

void add_interval_note(double confidence, Out out) {
  if (confidence <= 0) return;
  fmt::format_to(out, "<p class=\"note\">Below each figure: its {:.4g} % bootstrap interval.</p>\n",
                 100 * confidence);
}

void add_levels(const SonycEvaluation& levels, Out out) {
  add_level("Coarse tags", levels.coarse, out);
  add_level("Fine tags", levels.fine, out);
  add_interval_note(levels.confidence, out);
}

void add_parts(const std::string& part_by, const std::vector<PartEvaluation>& parts, Out out) {
  if (parts.empty()) return;
  fmt::format_to(out, "<h2>By {}</h2>\n", escape_html(part_by));
  std::vector<std::string> titles{part_by, "clips"};
  for (const NamedMetric& metric : shown_metrics(parts.front())) {
    titles.push_back(metric.name);
    titles.emplace_back("interval");
  }
  open_table(titles, out);
  for (const PartEvaluation& part : parts) {
    add_name(part.name, out);
    add_count(part.tags.n_clips, out);
    for (const NamedMetric& metric : shown_metrics(part)) {
      add_cell(metric.metric.value, true, out);
      add_interval(metric.metric, out);
    }
    fmt::format_to(out, "</tr>\n");
  }
  close_table(out);
}

}  // namespace earmark
