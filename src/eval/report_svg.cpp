#include "eval/report_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace earmark {
namespace {

constexpr int kColours = 6;  // .s0 ... .s5 in the style sheet

using Out = std::back_insert_iterator<std::string>;

std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;  // not inside a UTF-8 character
  return text.substr(0, end) + "\xE2\x80\xA6";
}

// Ends and step of an axis that holds [low, high] with about five round marks.
struct Axis {
  double low;
  double high;
  double step;

  Axis(double least, double most) {
    if (!(most - least > 1e-9 * std::max(std::abs(least), std::abs(most)))) {
      const double margin = std::max(std::abs(least) * 0.1, 1e-3);
      least -= margin;
      most += margin;
    }
    const double rough = (most - least) / 5.0;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    const double lead = rough / power;
    step = power * (lead < 1.5 ? 1.0 : lead < 3.5 ? 2.0 : lead < 7.5 ? 5.0 : 10.0);
    low = std::floor(least / step) * step;
    high = std::ceil(most / step) * step;
  }
  int n_marks() const { return static_cast<int>(std::lround((high - low) / step)) + 1; }
  double mark(int i) const { return low + i * step; }
  double place(double value) const { return (value - low) / (high - low); }
};

std::string mark_text(double value, double step) {
  return fmt::format("{:.6g}", std::abs(value) < step * 1e-6 ? 0.0 : value);
}

struct Frame {
  double left = 56, top = 12, width = 560, height = 240;
  Axis x, y;
  double px(double value) const { return left + width * x.place(value); }
  double py(double value) const { return top + height * (1.0 - y.place(value)); }
};

void draw_axes(const Frame& frame, const std::string& x_label, Out out) {
  for (int i = 0; i < frame.y.n_marks(); ++i) {
    const double value = frame.y.mark(i);
    fmt::format_to(out, "<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
                   frame.left, frame.left + frame.width, frame.py(value), frame.py(value));
    fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", frame.left - 6,
                   frame.py(value) + 4, mark_text(value, frame.y.step));
  }
  for (int i = 0; i < frame.x.n_marks(); ++i) {
    const double value = frame.x.mark(i);
    fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", frame.px(value),
                   frame.top + frame.height + 18, mark_text(value, frame.x.step));
  }
  fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>",
                 frame.left + frame.width / 2, frame.top + frame.height + 36, escape_html(x_label));
}

// Neither NaN nor beyond what an axis can be computed for.
bool drawable(double x, double y) { return std::abs(x) < 1e100 && std::abs(y) < 1e100; }

void draw_line(const Frame& frame, const Series& series, std::size_t colour, Out out) {
  std::string points;
  int count = 0;
  const auto flush = [&] {
    if (count == 1) fmt::format_to(out, "<circle class=\"dot s{}\" r=\"3\" {}/>", colour % kColours, points);
    if (count > 1)
      fmt::format_to(out, "<polyline class=\"line s{}\" points=\"{}\"/>", colour % kColours, points);
    points.clear();
    count = 0;
  };
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (!drawable(series.x[i], series.y[i])) {
      flush();
      continue;
    }
    const bool next = i + 1 < series.x.size() && drawable(series.x[i + 1], series.y[i + 1]);
    const double px = frame.px(series.x[i]), py = frame.py(series.y[i]);
    points += count == 0 && !next ? fmt::format("cx=\"{:.1f}\" cy=\"{:.1f}\"", px, py)
                                  : fmt::format("{}{:.1f},{:.1f}", count > 0 ? " " : "", px, py);
    ++count;
  }
  flush();
}

}  // namespace

std::string chart_svg(const Chart& chart) {
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  for (const Series& series : chart.series) {
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!drawable(series.x[i], series.y[i])) continue;
      x_low = std::min(x_low, series.x[i]);
      x_high = std::max(x_high, series.x[i]);
      y_low = std::min(y_low, series.y[i]);
      y_high = std::max(y_high, series.y[i]);
    }
  }
  if (x_low > x_high) return "";
  const Frame frame{.x = Axis(x_low, x_high), .y = Axis(y_low, y_high)};
  std::string svg;
  Out out(svg);
  fmt::format_to(out, "<svg class=\"chart\" viewBox=\"0 0 640 300\" role=\"img\" aria-label=\"{}\">",
                 escape_html(chart.title));
  draw_axes(frame, chart.x_label, out);
  for (std::size_t i = 0; i < chart.series.size(); ++i) draw_line(frame, chart.series[i], i, out);
  svg += "</svg><p class=\"legend\">";
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    fmt::format_to(out, "<span class=\"s{}\"><i></i>{}</span>", i % kColours,
                   escape_html(chart.series[i].name));
  }
  return svg + "</p>";
}

std::string confusion_svg(const Evaluation& evaluation) {
  const std::size_t n = evaluation.per_class.size();
  const double cell = std::clamp(640.0 / static_cast<double>(n), 3.0, 34.0);
  const bool labels = cell >= 8.5;
  const bool figures = cell >= 25;
  const double margin = labels ? 130 : 10;
  const double side = cell * static_cast<double>(n);
  std::string svg;
  Out out(svg);
  fmt::format_to(
      out,
      "<svg class=\"confusion\" style=\"max-width:{0:.0f}px\" viewBox=\"0 0 {0:.1f} {0:.1f}\" role=\"img\" "
      "aria-label=\"Confusion: true class by row, predicted class by column\">",
      margin + side + 4);
  fmt::format_to(out, "<rect class=\"sheet\" x=\"{0}\" y=\"{0}\" width=\"{1:.2f}\" height=\"{1:.2f}\"/>",
                 margin, side);
  for (std::size_t row = 0; row < n; ++row) {
    const std::string& tag = evaluation.per_class[row].tag;
    const double middle = margin + cell * (static_cast<double>(row) + 0.5);
    if (labels) {
      const std::string text = escape_html(shortened(tag, 20));
      fmt::format_to(out, "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", margin - 5,
                     middle + 3.5, text);
      fmt::format_to(out, "<text transform=\"translate({:.1f} {}) rotate(-90)\">{}</text>", middle + 3.5,
                     margin - 5, text);
    }
    std::int64_t total = 0;
    for (std::size_t column = 0; column < n; ++column) total += evaluation.confusion[row * n + column];
    for (std::size_t column = 0; column < n; ++column) {
      const std::int64_t count = evaluation.confusion[row * n + column];
      if (count == 0) continue;
      const double share = static_cast<double>(count) / static_cast<double>(total);
      const double x = margin + cell * static_cast<double>(column);
      fmt::format_to(out,
                     "<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" "
                     "fill-opacity=\"{:.3f}\"><title>{} \xE2\x86\x92 {}: {} of {} ({:.0f} %)</title></rect>",
                     row == column ? "right" : "wrong", x, middle - cell / 2, cell, cell, 0.08 + 0.92 * share,
                     escape_html(tag), escape_html(evaluation.per_class[column].tag), count, total,
                     100 * share);
      if (figures) {
        fmt::format_to(
            out, "<text class=\"figure{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.0f}</text>",
            share > 0.5 ? " strong" : "", x + cell / 2, middle + 3.5, 100 * share);
      }
    }
  }
  return svg + "</svg>";
}

}  // namespace earmark
