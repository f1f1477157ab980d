#include "train/validation_watch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "earmark/error.h"

namespace earmark {
namespace {

Value metrics(double coarse, double fine) {
  Value all, upper, lower;
  upper.set("micro_auprc", coarse);
  lower.set("micro_auprc", fine);
  all.set("coarse", upper);
  all.set("fine", lower);
  return all;
}

PlateauRestartsOptions microsoft_plateau() {
  PlateauRestartsOptions options;
  options.metrics = {"coarse.micro_auprc", "fine.micro_auprc"};
  return options;
}

// Rates of the published program in double precision: 1.0000000000000002e-06 is not at most 1e-6, so the
// first fall has six levels; then a fifth at a time, then three tenths.
TEST(PlateauRestarts, FallAndRestartAtThePublishedRates) {
  const TrainOptions train;
  const ScheduleOptions schedule = microsoft_plateau();
  ValidationWatch watch(train, schedule, 0.01);
  watch.see(metrics(0.5, 0.5));
  std::vector<double> rates{watch.lr()};
  while (rates.size() < 6 + 7 + 9 + 1) {
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(watch.see(metrics(0.5, 0.4)).fresh_optimizer);
    EXPECT_TRUE(watch.see(metrics(0.4, 0.5)).fresh_optimizer);  // the eleventh without improvement
    rates.push_back(watch.lr());
  }
  const std::vector<double> first{1e-2, 1e-3, 1e-4, 1e-5, 1.0000000000000002e-06, 1e-7};
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(rates[i], first[i], 1e-12 * first[i]) << i;
  EXPECT_GT(rates[4], 1e-6);
  EXPECT_EQ(rates[6], 0.01);
  EXPECT_NEAR(rates[6 + 6], 6.4e-7, 1e-15);
  EXPECT_EQ(rates[6 + 7], 0.01);
  EXPECT_NEAR(rates[6 + 7 + 8], 6.561e-7, 1e-15);
  EXPECT_EQ(rates[6 + 7 + 9], 0.01);
}

TEST(PlateauRestarts, AnImprovementOfEitherMetricBeginsTheWaitAnew) {
  const TrainOptions train;
  const ScheduleOptions schedule = microsoft_plateau();
  ValidationWatch watch(train, schedule, 0.01);
  watch.see(metrics(0.5, 0.5));
  for (int i = 0; i < 40; ++i) {
    const double higher = i % 10 == 9 ? 0.5 + 0.001 * i : 0.4;
    EXPECT_FALSE(watch.see(metrics(0.4, higher)).fresh_optimizer);
  }
}

// Apart: the coarse best of 0.6 stays, so 0.55 is no improvement. Together: it fell to 0.4 with the fine
// one's rise.
TEST(PlateauRestarts, BestsMayBeKeptApartOrReplacedTogether) {
  for (const PlateauBests rule : {PlateauBests::kApart, PlateauBests::kTogether}) {
    const TrainOptions train;
    PlateauRestartsOptions options = microsoft_plateau();
    options.bests = rule;
    options.patience = 0;
    const ScheduleOptions schedule = options;
    ValidationWatch watch(train, schedule, 0.01);
    watch.see(metrics(0.6, 0.2));
    EXPECT_FALSE(watch.see(metrics(0.4, 0.3)).fresh_optimizer);
    EXPECT_EQ(watch.see(metrics(0.55, 0.3)).fresh_optimizer, rule == PlateauBests::kApart);
  }
}

TEST(ValidationWatch, KeepsABestForEachMetricAndStopsAfterItsPatience) {
  TrainOptions train;
  train.best = {"coarse.micro_auprc", "fine.micro_auprc"};
  train.stop = {"fine.micro_auprc", 2};
  const ScheduleOptions schedule;
  ValidationWatch watch(train, schedule, 0.01);
  EXPECT_EQ(watch.see(metrics(0.5, 0.5)).new_bests, train.best);
  EXPECT_EQ(watch.see(metrics(0.6, 0.4)).new_bests, std::vector<std::string>{"coarse.micro_auprc"});
  EXPECT_FALSE(watch.over());
  const auto verdict = watch.see(metrics(0.6, 0.5));  // as high is not higher
  EXPECT_TRUE(verdict.new_bests.empty());
  EXPECT_TRUE(verdict.stop);
  EXPECT_EQ(watch.lr(), 0.01);
}

TEST(ValidationWatch, GoesOnFromItsStateAsIfItHadNeverStopped) {
  TrainOptions train;
  train.best = {"fine.micro_auprc"};
  train.stop = {"fine.micro_auprc", 30};
  const ScheduleOptions schedule = microsoft_plateau();
  ValidationWatch whole(train, schedule, 0.01);
  for (int i = 0; i < 25; ++i) whole.see(metrics(0.5, 0.4));
  ValidationWatch resumed(train, schedule, 0.01);
  resumed.restore(parse_json(to_json(whole.state()), "state"));
  for (int i = 0; i < 25; ++i) {
    const auto a = whole.see(metrics(0.5, 0.4)), b = resumed.see(metrics(0.5, 0.4));
    EXPECT_EQ(a.fresh_optimizer, b.fresh_optimizer);
    EXPECT_EQ(a.stop, b.stop);
  }
  EXPECT_EQ(whole.lr(), resumed.lr());
  EXPECT_EQ(to_json(whole.state()), to_json(resumed.state()));
}

// A diverged validation must not become the best, nor keep later ones from it.
TEST(ValidationWatch, WhatIsNoNumberIsNoImprovement) {
  TrainOptions train;
  train.best = {"loss"};
  train.stop = {"loss", 3};
  PlateauRestartsOptions plateau;
  plateau.metrics = {"loss"};
  const ScheduleOptions schedule = plateau;
  ValidationWatch watch(train, schedule, 0.1);
  const auto see = [&](const Value& loss) {
    Value all;
    all.set("loss", loss);
    return watch.see(all);
  };
  EXPECT_TRUE(see(Value(std::nan(""))).new_bests.empty());
  EXPECT_EQ(see(Value(1.0)).new_bests, std::vector<std::string>{"loss"});
  EXPECT_TRUE(see(Value()).new_bests.empty());
  EXPECT_TRUE(see(Value(std::numeric_limits<double>::infinity())).new_bests.empty());
  ValidationWatch resumed(train, schedule, 0.1);
  resumed.restore(parse_json(to_json(watch.state()), "state"));
  EXPECT_EQ(to_json(resumed.state()), to_json(watch.state()));
  EXPECT_EQ(see(Value(0.9)).new_bests, std::vector<std::string>{"loss"});
}

TEST(ValidationWatch, OfTheLossALowerOneIsBetter) {
  TrainOptions train;
  train.best = {"loss"};
  train.stop = {"loss", 2};
  PlateauRestartsOptions plateau;
  plateau.metrics = {"loss"};
  plateau.patience = 0;
  plateau.keep_moments = true;
  const ScheduleOptions schedule = plateau;
  ValidationWatch watch(train, schedule, 0.01);
  const auto loss = [](double x) { return Value(Value::Map{{"loss", Value(x)}}); };
  EXPECT_EQ(watch.see(loss(0.5)).new_bests.size(), 1U);
  EXPECT_EQ(watch.see(loss(0.4)).new_bests.size(), 1U);
  EXPECT_EQ(watch.lr(), 0.01);
  const auto worse = watch.see(loss(0.45));
  EXPECT_TRUE(worse.new_bests.empty());
  EXPECT_NEAR(watch.lr(), 0.001, 1e-12);
  EXPECT_FALSE(worse.fresh_optimizer) << "the moments are kept";
  EXPECT_TRUE(watch.see(loss(0.45)).stop);
}

}  // namespace
}  // namespace earmark
