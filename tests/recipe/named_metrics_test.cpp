#include "recipe/named_metrics.h"

#include <gtest/gtest.h>

#include "earmark/error.h"

namespace earmark {
namespace {

Value figures() {
  Value level, all;
  level.set("micro_auprc", 0.25);
  level.set("macro_auprc", Value());  // undefined
  all.set("loss", 0.5);
  all.set("fine", level);
  return all;
}

std::string refusal_of(const std::string& path) {
  try {
    metric_at(figures(), path, "train.best");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(MetricAt, FindsNumbersByTheirPathAndToldFromThemWhatIsUndefined) {
  EXPECT_EQ(metric_at(figures(), "fine.micro_auprc", "train.best"), 0.25);
  EXPECT_EQ(metric_at(figures(), "loss", "train.best"), 0.5);
  EXPECT_EQ(metric_at(figures(), "fine.macro_auprc", "train.best"), std::nullopt);
}

TEST(MetricAt, NamesTheMetricsThereAre) {
  const std::string message = refusal_of("fine.accuracy");
  EXPECT_NE(message.find("train.best"), std::string::npos) << message;
  EXPECT_NE(message.find("(loss, fine.micro_auprc, fine.macro_auprc)"), std::string::npos) << message;
  EXPECT_NE(message.find("got 'fine.accuracy'"), std::string::npos) << message;
  EXPECT_NE(refusal_of("fine.micro_aupr").find("did you mean 'fine.micro_auprc'?"), std::string::npos);
  EXPECT_NE(refusal_of("fine").find("got 'fine'"), std::string::npos) << "a level is no metric";
  for (const char* path : {"", ".", "fine.", "fine..x", "loss.fine"}) EXPECT_NE(refusal_of(path), "") << path;
}

// Two clips of a data set that has no folds: nothing is held out.
TEST(CheckNamedMetrics, ClipsMustBeHeldOutWhereValidationsDecide) {
  Dataset data;
  data.name = "folder";
  data.tags = {"dog"};
  data.clips.resize(2);
  for (Clip& clip : data.clips) clip.targets = {1.0f};
  Recipe recipe;
  EXPECT_NO_THROW(check_named_metrics(recipe, data, 0)) << "validations decide nothing here";
  recipe.train.best = {"loss"};
  EXPECT_THROW(check_named_metrics(recipe, data, 0), Error);
  data.clips[1].split = "validate";
  EXPECT_NO_THROW(check_named_metrics(recipe, data, 0));
  recipe.train.best = {"los", "macro_ap", "micro"};
  try {
    check_named_metrics(recipe, data, 0, "stage top: ");
    FAIL() << "two wrong names were accepted";
  } catch (const Error& e) {
    const std::string message = e.what();
    EXPECT_NE(message.find("stage top: train.best: must be a metric"), std::string::npos) << message;
    EXPECT_NE(message.find("got 'los', did you mean 'loss'?"), std::string::npos) << message;
    EXPECT_NE(message.find("got 'micro'"), std::string::npos) << "each is named: " << message;
  }
}

}  // namespace
}  // namespace earmark
