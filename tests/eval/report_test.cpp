#include "eval/report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "earmark/error.h"
#include "eval/sonyc_case.h"

namespace earmark {
namespace {

constexpr const char* kNasty = "<script>alert(\"x\")</script> & 'y'";

// The first break of well-formedness, or "": every tag closed in order, attributes quoted, `&` only in
// entities,
// `<` and `>` only around tags. The content of <style> and <script> is not read.
std::string malformed(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t i = 0; i < page.size(); ++i) {
    if (page[i] == '&' && page.find(';', i) - i > 6) return "bare & at " + page.substr(i, 20);
    if (page[i] == '>') return "bare > at " + page.substr(i, 20);
    if (page[i] != '<') continue;
    std::size_t end = i;
    for (bool quoted = false; end < page.size() && (quoted || page[end] != '>'); ++end) {
      if (page[end] == '"') quoted = !quoted;
    }
    if (end == page.size()) return "unclosed tag at " + page.substr(i, 20);
    const std::string tag = page.substr(i + 1, end - i - 1);
    if (tag.find('<') != std::string::npos) return "< inside " + tag;
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    i = end;
    if (tag.starts_with("!DOCTYPE") || tag.ends_with("/")) continue;
    if (tag.starts_with("/")) {
      if (open.empty() || "/" + open.back() != tag) return "unexpected <" + tag + ">";
      open.pop_back();
      continue;
    }
    open.push_back(name);
    if (name == "style" || name == "script") i = page.find("</" + name + ">", end) - 1;
  }
  return open.empty() ? "" : "<" + open.back() + "> is never closed";
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

LabeledScores three_clips(bool single_label) {
  return {{"dog", kNasty, "never"},
          {"a", kNasty, "c"},
          {},
          {1, 0, 0, 0, 1, 0, 1, 0, 0},
          {0.9f, 0.1f, 0.2f, 0.7f, 0.2f, 0.1f, 0.3f, 0.8f, 0.0f},
          single_label};
}

ReportData full_report(bool single_label) {
  EvaluateOptions options;
  options.bootstrap_resamples = 50;
  ReportData report;
  report.title = kNasty;
  report.facts = {{kNasty, kNasty}};
  report.evaluation = evaluate(three_clips(single_label), options);
  report.mistakes = most_confident_mistakes(three_clips(single_label), 0.5, 10);
  report.charts = {{kNasty, kNasty, {{kNasty, {0, 100, 200}, {2.5, 0.7, 0.6}}, {"one point", {100}, {0.5}}}}};
  report.recipe = std::string("recipe: 1\n# ") + kNasty;
  return report;
}

TEST(HtmlReport, IsWellFormedWhateverTheNamesHold) {
  for (const bool single_label : {false, true}) {
    const std::string page = html_report(full_report(single_label));
    EXPECT_EQ(malformed(page), "");
    EXPECT_EQ(page.find("alert(\""), std::string::npos);
    EXPECT_EQ(count(page, "<script"), 1U);
    EXPECT_GT(count(page, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;"), 5U);
  }
}

TEST(HtmlReport, NeedsNothingFromOutside) {
  const std::string page = html_report(full_report(true));
  for (const char* part : {"http:", "https:", "src=", "href=", "url(", "@import"}) {
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  }
}

TEST(HtmlReport, ShowsEveryPartThereIs) {
  const std::string page = html_report(full_report(true));
  for (const char* part :
       {"Metrics", "By class", "Confusion", "Learning curves", "Most confident mistakes", "<details>",
        "95 % bootstrap interval", "<polyline", "<circle", "balanced_accuracy"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(html_report(full_report(false)).find("<h2>Confusion"), std::string::npos);
}

TEST(HtmlReport, ShowsBothLevelsPartsAndNotes) {
  EvaluateOptions options;
  options.bootstrap_resamples = 20;
  TaskScores data;
  data.scores = testing::sonyc_case(60);
  data.taxonomy = testing::sonyc_taxonomy();
  data.part_by = kNasty;
  for (std::size_t i = 0; i < 60; ++i) data.parts.push_back(i % 3 == 0 ? kNasty : "other");
  const TaskEvaluation evaluation = evaluate_task(data, task_of("sonyc_ust"), options);
  ReportData report;
  report.title = "levels";
  report.evaluation = evaluation.tags;
  report.levels = evaluation.levels;
  report.part_by = evaluation.part_by;
  report.parts = evaluation.parts;
  report.notes = {kNasty};
  const std::string page = html_report(report);
  EXPECT_EQ(malformed(page), "");
  EXPECT_EQ(count(page, "<script"), 1U);
  for (const char* level : {"<h2>Coarse tags</h2>", "<h2>Fine tags</h2>", "95 % bootstrap interval"})
    EXPECT_EQ(count(page, level), 1U) << level;
  EXPECT_EQ(count(page, "<td class=\"name\" data-value=\"8_dog\">"), 3U);  // both levels, and by itself
  EXPECT_EQ(count(page, "<small>macro_auprc</small>"), 2U);
  EXPECT_EQ(count(page, "<h2>By &lt;script&gt;"), 1U);
  EXPECT_EQ(count(page, "<h2>Metrics</h2>"), 0U) << "in place of them are the two levels";
}

TEST(HtmlReport, LeavesOutWhatIsNotThere) {
  ReportData report;
  report.title = "bare";
  const std::string page = html_report(report);
  EXPECT_EQ(malformed(page), "");
  EXPECT_EQ(page.find("<h2>"), std::string::npos);
}

TEST(HtmlReport, UndefinedFiguresAreDashes) {
  ReportData report = full_report(true);
  EXPECT_TRUE(std::isnan(report.evaluation.per_class[2].average_precision));
  const std::string page = html_report(report);
  EXPECT_EQ(page.find("nan"), std::string::npos);
  EXPECT_NE(page.find("<td data-value=\"\">\xE2\x80\x93</td>"), std::string::npos);
}

TEST(HtmlReport, ConfusionCellsTellShareAndCount) {
  // Truth dog twice: once predicted dog, once the second tag. Two rows hold three counts.
  const std::string page = html_report(full_report(true));
  EXPECT_EQ(count(page, "<rect class=\"right\""), 1U);
  EXPECT_EQ(count(page, "<rect class=\"wrong\""), 2U);
  EXPECT_NE(page.find("dog \xE2\x86\x92 dog: 1 of 2 (50 %)"), std::string::npos);
}

TEST(HtmlReport, GapsAndExtremesInCurvesDrawOnlyNumbers) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ReportData report;
  report.charts = {{"gap", "x", {{"s", {0, 1, 2, 3, 4, 5}, {1, 2, nan, 4, 5, INFINITY}}}},
                   {"flat", "x", {{"s", {7, 7}, {1e9, 1e9}}}},
                   {"huge", "x", {{"s", {0, 1, 2}, {-1e99, 1e99, 1e300}}}},
                   {"nothing", "x", {{"s", {0}, {nan}}, {"none", {}, {}}}}};
  const std::string page = html_report(report);
  EXPECT_EQ(malformed(page), "");
  EXPECT_EQ(count(page, "<polyline"), 4U);  // two of "gap", one each of "flat" and "huge"
  EXPECT_EQ(page.find("nothing"), std::string::npos);
  EXPECT_EQ(page.find("nan"), std::string::npos);
  EXPECT_EQ(page.find("inf,"), std::string::npos);
}

TEST(HtmlReport, SeriesOfUnequalLengthsAreNamed) {
  ReportData report;
  report.charts = {{"loss", "x", {{"train", {0, 1}, {1}}}}};
  try {
    html_report(report);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
    EXPECT_EQ(error.problems().at(0), "charts: 'loss', series 'train': x and y must be as many, got 2 and 1");
  }
}

TEST(HtmlReport, ManyClassesStayReadable) {
  LabeledScores data;
  data.single_label = true;
  for (int tag = 0; tag < 300; ++tag) data.tags.push_back("t" + std::to_string(tag));
  data.clip_ids = {"a"};
  data.truth.assign(300, 0.0f);
  data.truth[0] = 1.0f;
  data.scores.assign(300, 0.0f);
  ReportData report;
  report.evaluation = evaluate(data);
  const std::string page = html_report(report);
  EXPECT_EQ(malformed(page), "");
  EXPECT_EQ(count(page, "<rect class=\"right\""),
            1U);  // empty cells are not drawn: 300 x 300 would be a big file
}

TEST(Mistakes, SingleLabelOnesAreWrongClipsByScore) {
  // Clip 0 is right; clip 1 is taken for a dog with .7, clip 2 for the second tag with .8.
  const std::vector<Mistake> mistakes = most_confident_mistakes(three_clips(true), 0.5, 10);
  ASSERT_EQ(mistakes.size(), 2U);
  EXPECT_EQ(mistakes[0].clip_id, "c");
  EXPECT_EQ(mistakes[0].truth, "dog");
  EXPECT_EQ(mistakes[0].predicted, kNasty);
  EXPECT_EQ(mistakes[0].score, 0.8f);
  EXPECT_EQ(mistakes[1].clip_id, kNasty);
  EXPECT_EQ(most_confident_mistakes(three_clips(true), 0.5, 1).size(), 1U);
}

TEST(Mistakes, MultiLabelOnesAreFalseAlarmsAboveTheThresholdNotUnknowns) {
  const LabeledScores data{{"dog", "rain"}, {"a", "b"}, {}, {0, -1, 0, 0}, {0.9f, 0.99f, 0.4f, 0.6f}, false};
  const std::vector<Mistake> mistakes = most_confident_mistakes(data, 0.5, 10);
  ASSERT_EQ(mistakes.size(), 2U);
  EXPECT_EQ(mistakes[0].predicted, "dog");
  EXPECT_EQ(mistakes[0].truth, "(none)");
  EXPECT_EQ(mistakes[1].clip_id, "b");
}

TEST(EscapeHtml, ReplacesWhatHtmlForbids) {
  EXPECT_EQ(escape_html("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escape_html(std::string_view("\0\x1b", 2)), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(escape_html("Stra\xC3\x9F"
                        "e\n"),
            "Stra\xC3\x9F"
            "e\n");
}

}  // namespace
}  // namespace earmark
