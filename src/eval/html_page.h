// html_page.h: the shell of a page that needs nothing else (no network, no other file; light and dark), and
// the tables and bars that stand in it. Texts are escaped here.
#pragma once
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace earmark {

using Out = std::back_insert_iterator<std::string>;

inline constexpr const char* kDash = "\xE2\x80\x93";

/// @param body HTML.
std::string html_page(const std::string& title, const std::string& body);
/// The heading, and facts as name and text below it.
void add_heading(const std::string& title, const std::vector<std::pair<std::string, std::string>>& facts,
                 Out out);

/// Three digits, a dash for what is undefined.
std::string figure(double value);
/// Begins a table that sorts by the column whose title is pressed; the first column holds names.
void open_table(const std::vector<std::string>& titles, Out out);
void close_table(Out out);
/// Begins a row, which ends with "</tr>".
void add_name(const std::string& name, Out out);
void add_count(std::int64_t count, Out out);
/// A cell of a sortable table. @param bar whether its background shows the value, 0..1.
void add_cell(double value, bool bar, Out out);

/// A histogram or the like. Thread-safety: a plain value.
struct Bars {
  std::string title;
  std::string x_label;
  std::vector<std::string> names;  ///< below each bar; where they are too many, some are left out
  std::vector<double> heights;     ///< as many, not negative
};
/// Nothing when there is no bar.
void add_bars(const Bars& bars, Out out);

/// Counts of equally wide classes from `low` to `high`, values beyond them in the outermost ones.
Bars histogram(const std::string& title, const std::string& x_label, const std::vector<double>& values,
               double low, double high, int n_classes);

}  // namespace earmark
