#include "eval/published.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/report.h"

namespace earmark {
namespace {

// Four clips of device a, all right, and four of device b, of which one bus is heard as a tram.
TaskScores published_scenes() {
  TaskScores data;
  data.scores.tags = {"bus", "tram"};
  data.scores.single_label = true;
  data.part_by = "device";
  for (int i = 0; i < 8; ++i) {
    const bool bus = i % 2 == 0, heard_as_bus = bus && i != 6;
    data.scores.clip_ids.push_back(std::to_string(i));
    data.parts.push_back(i < 4 ? "a" : "b");
    for (const bool tag_is_bus : {true, false}) {
      data.scores.truth.push_back(bus == tag_is_bus ? 1.0f : 0.0f);
      data.scores.scores.push_back(heard_as_bus == tag_is_bus ? 0.9f : 0.1f);
    }
  }
  return data;
}

PublishedFigures paper() {
  PublishedFigures figures;
  figures.metric = "accuracy";
  figures.value = 0.75;
  figures.on = "the <test> clips";
  figures.others = {{"balanced_accuracy", 0.7}, {"no_such_metric", 0.5}};
  figures.classes = {{"bus", 0.6, 0.8}, {"ferry", 0.4, 0.2}};
  return figures;
}

TEST(BesidePublished, OnesOwnFiguresStandBesideThePapersAndWhatIsMissingIsNoNumber) {
  const TaskEvaluation own = evaluate_task(published_scenes(), task_of("tau_scenes2019_mobile"));
  const BesidePublished beside = beside_published(own, paper());
  ASSERT_EQ(beside.metrics.size(), 3U);
  EXPECT_EQ(beside.metrics[0].own, 7.0 / 8.0);
  EXPECT_EQ(beside.metrics[0].published, 0.75);
  EXPECT_EQ(beside.metrics[1].own, (3.0 / 4.0 + 1.0) / 2.0);
  EXPECT_TRUE(std::isnan(beside.metrics[2].own));
  ASSERT_EQ(beside.classes.size(), 3U);  // and their mean
  EXPECT_EQ(beside.classes[0].own_recall, 3.0 / 4.0);
  EXPECT_EQ(beside.classes[0].own_precision, 1.0);
  EXPECT_TRUE(std::isnan(beside.classes[1].own_recall));
  EXPECT_EQ(beside.classes[2].tag, "mean");
  EXPECT_DOUBLE_EQ(beside.classes[2].recall, 0.5);
  EXPECT_DOUBLE_EQ(beside.classes[2].precision, 0.5);
  EXPECT_TRUE(to_value(beside).at("metrics").at("no_such_metric").at("own").is_null());
}

// The paper's row "known" is the mean without the unknown class.
TEST(BesidePublished, AnOpenSetsKnownClassesHaveAMeanOfTheirOwn) {
  TaskEvaluation own = evaluate_task(published_scenes(), task_of("tau_scenes2019_mobile"));
  own.unknown_tag = "ferry";
  const BesidePublished beside = beside_published(own, paper());
  ASSERT_EQ(beside.classes.size(), 4U);
  EXPECT_EQ(beside.classes[2].tag, "mean of known");
  EXPECT_DOUBLE_EQ(beside.classes[2].recall, 0.6);
  EXPECT_DOUBLE_EQ(beside.classes[2].own_recall, 3.0 / 4.0);
  EXPECT_EQ(beside.classes[3].tag, "mean");
  EXPECT_DOUBLE_EQ(beside.classes[3].recall, 0.5);
}

// A paper's means are of figures before they were rounded.
TEST(BesidePublished, MeansThatThePaperTellsStandAsItTellsThem) {
  TaskEvaluation own = evaluate_task(published_scenes(), task_of("tau_scenes2019_mobile"));
  own.unknown_tag = "ferry";
  PublishedFigures figures = paper();
  figures.classes.push_back({"mean of known", 0.61, 0.79});
  figures.classes.push_back({"mean", 0.48, 0.49});
  const BesidePublished beside = beside_published(own, figures);
  ASSERT_EQ(beside.classes.size(), 4U);
  EXPECT_EQ(beside.classes[2].tag, "mean of known");
  EXPECT_EQ(beside.classes[2].recall, 0.61);
  EXPECT_EQ(beside.classes[2].precision, 0.79);
  EXPECT_DOUBLE_EQ(beside.classes[2].own_recall, 3.0 / 4.0);
  EXPECT_EQ(beside.classes[3].recall, 0.48);
  EXPECT_EQ(beside.classes[3].precision, 0.49);
}

TEST(BesidePublished, ATableOfSomeClipsIsComparedWithTheFiguresOfThese) {
  const TaskEvaluation own = evaluate_task(published_scenes(), task_of("tau_scenes2019_mobile"));
  PublishedFigures figures = paper();
  figures.part = "b";
  EXPECT_EQ(beside_published(own, figures).classes[0].own_recall, 0.5);
  figures.part = "c";
  EXPECT_TRUE(std::isnan(beside_published(own, figures).classes[0].own_recall));
}

TEST(BesidePublished, IsPartOfTheReportAndOfTheText) {
  const TaskEvaluation own = evaluate_task(published_scenes(), task_of("tau_scenes2019_mobile"));
  ReportData report;
  show_evaluation(report, own, paper());
  const std::string page = html_report(report);
  EXPECT_NE(page.find("Beside the paper"), std::string::npos);
  EXPECT_NE(page.find("the &lt;test&gt; clips"), std::string::npos);
  EXPECT_NE(page.find("published precision"), std::string::npos);
  const std::string text = beside_text(report.published);
  EXPECT_NE(text.find("accuracy                       0.875      0.750"), std::string::npos) << text;
  EXPECT_NE(text.find("bus                            0.750      0.600"), std::string::npos) << text;

  ReportData plain;
  show_evaluation(plain, own);
  EXPECT_EQ(html_report(plain).find("Beside the paper"), std::string::npos);
  EXPECT_EQ(beside_text(plain.published), "");
}

}  // namespace
}  // namespace earmark
