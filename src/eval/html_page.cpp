#include "eval/html_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/report.h"
#include "eval/report_style.h"

namespace earmark {

std::string html_page(const std::string& title, const std::string& body) {
  std::string page;
  Out out(page);
  fmt::format_to(
      out,
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'\"/>\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
      escape_html(title), kReportStyle);
  page += body;
  fmt::format_to(out, "</main>\n<script>{}</script>\n</body>\n</html>\n", kReportScript);
  return page;
}

void add_heading(const std::string& title, const std::vector<std::pair<std::string, std::string>>& facts,
                 Out out) {
  fmt::format_to(out, "<h1>{}</h1>\n<dl class=\"facts\">", escape_html(title));
  for (const auto& [name, text] : facts)
    fmt::format_to(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape_html(name), escape_html(text));
  fmt::format_to(out, "</dl>\n");
}

std::string figure(double value) { return std::isnan(value) ? kDash : fmt::format("{:.3f}", value); }

void add_cell(double value, bool bar, Out out) {
  if (std::isnan(value)) {
    fmt::format_to(out, "<td data-value=\"\">{}</td>", kDash);
  } else if (bar) {
    fmt::format_to(out, "<td class=\"bar\" style=\"--w:{:.1f}%\" data-value=\"{}\">{:.3f}</td>", 100 * value,
                   value, value);
  } else {
    fmt::format_to(out, "<td data-value=\"{}\">{:.3f}</td>", value, value);
  }
}

void open_table(const std::vector<std::string>& titles, Out out) {
  fmt::format_to(out, "<div class=\"scroll\"><table class=\"sortable\">\n<thead><tr>");
  for (std::size_t i = 0; i < titles.size(); ++i) {
    fmt::format_to(out, "<th{} scope=\"col\"><button type=\"button\">{}</button></th>",
                   i == 0 ? " class=\"name\"" : "", escape_html(titles[i]));
  }
  fmt::format_to(out, "</tr></thead>\n<tbody>\n");
}

void add_name(const std::string& name, Out out) {
  const std::string text = escape_html(name);
  fmt::format_to(out, "<tr><td class=\"name\" data-value=\"{}\">{}</td>", text, text);
}

void add_count(std::int64_t count, Out out) {
  fmt::format_to(out, "<td data-value=\"{}\">{}</td>", count, count);
}

void close_table(Out out) { fmt::format_to(out, "</tbody></table></div>\n"); }

void add_bars(const Bars& bars, Out out) {
  if (bars.heights.empty()) return;
  constexpr double kLeft = 56, kTop = 12, kWidth = 560, kHeight = 160;
  constexpr double kNameWidth = 46;
  const auto n = static_cast<double>(bars.heights.size());
  const double highest = std::max(1e-12, *std::max_element(bars.heights.begin(), bars.heights.end()));
  const double step = kWidth / n;
  const auto every = static_cast<std::size_t>(std::ceil(kNameWidth / step));
  fmt::format_to(out,
                 "<h3>{}</h3>\n<svg class=\"chart\" viewBox=\"0 0 640 220\" role=\"img\" aria-label=\"{}\">",
                 escape_html(bars.title), escape_html(bars.title));
  for (const double share : {0.0, 0.5, 1.0}) {
    const double y = kTop + kHeight * (1.0 - share);
    fmt::format_to(out, "<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
                   kLeft, kLeft + kWidth, y, y);
    fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:.6g}</text>", kLeft - 6, y + 4,
                   share * highest);
  }
  for (std::size_t i = 0; i < bars.heights.size(); ++i) {
    const double height = kHeight * bars.heights[i] / highest, x = kLeft + step * static_cast<double>(i);
    fmt::format_to(out,
                   "<rect class=\"right\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">"
                   "<title>{}: {:.6g}</title></rect>",
                   x + 0.1 * step, kTop + kHeight - height, 0.8 * step, height, escape_html(bars.names[i]),
                   bars.heights[i]);
    if (i % every == 0) {
      fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", x + 0.5 * step,
                     kTop + kHeight + 16, escape_html(bars.names[i]));
    }
  }
  fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text></svg>\n",
                 kLeft + kWidth / 2, kTop + kHeight + 36, escape_html(bars.x_label));
}

Bars histogram(const std::string& title, const std::string& x_label, const std::vector<double>& values,
               double low, double high, int n_classes) {
  Bars bars{title, x_label, {}, std::vector<double>(static_cast<std::size_t>(n_classes), 0.0)};
  const double width = (high - low) / n_classes;
  for (int i = 0; i < n_classes; ++i) bars.names.push_back(fmt::format("{:.4g}", low + width * i));
  for (const double value : values) {
    if (std::isnan(value)) continue;
    const double place = std::clamp(std::floor((value - low) / width), 0.0, n_classes - 1.0);
    bars.heights[static_cast<std::size_t>(place)] += 1.0;
  }
  return bars;
}

}  // namespace earmark
