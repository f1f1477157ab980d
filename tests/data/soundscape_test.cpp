#include "data/soundscape.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "data/sound_sources.h"
#include "data/sound_tools.h"
#include "data/soundscape_annotators.h"
#include "data/taxonomies.h"
#include "earmark/error.h"

namespace earmark {
namespace {

/// Short scenes at a low rate, heard by sensors that leave everything as it is.
SoundscapeOptions plain_options() {
  SoundscapeOptions options;
  options.sample_rate_hz = 16000;
  options.duration_s = 4.0;
  options.max_snr_db = 15.0;
  options.sensor_colour_db = 0.0;
  options.sensor_noise_db = -140.0;
  return options;
}

double power(std::span<const float> x) { return std::pow(root_mean_square(x), 2.0); }

/// Share of the power of neighbours' differences: 2 (1 - cos w) of a tone, so it grows with frequency.
double brightness(std::span<const float> x) {
  double change = 0.0, all = 0.0;
  for (std::size_t i = 1; i < x.size(); ++i) {
    change += std::pow(static_cast<double>(x[i]) - static_cast<double>(x[i - 1]), 2.0);
    all += std::pow(static_cast<double>(x[i]), 2.0);
  }
  return change / all;
}

/// Scenes with exactly one event, which no peak was cut for.
void for_single_events(const Soundscapes& scenes, std::size_t n,
                       const std::function<void(const Soundscape& scene, std::span<const float> street,
                                                std::span<const float> event)>& visit) {
  for (std::size_t number = 0; n > 0; ++number) {
    ASSERT_LT(number, 2000U);
    const ScenePlan plan = scenes.plan(number);
    if (plan.events.size() != 1) continue;
    const Soundscape scene = scenes.render(plan);
    float peak = 0.0f;
    for (const float x : scene.waveform.samples) peak = std::max(peak, std::fabs(x));
    ASSERT_LE(peak, 0.981f);
    if (peak > 0.975f) continue;
    const std::vector<float> street = scenes.background(number);
    ASSERT_EQ(street.size(), scene.waveform.n_samples());
    std::vector<float> sound = scene.waveform.samples;
    for (std::size_t i = 0; i < sound.size(); ++i) sound[i] -= street[i];
    const double rate = scenes.options().sample_rate_hz;
    const auto begin = static_cast<std::size_t>(plan.events[0].start_s * rate);
    const auto length = static_cast<std::size_t>((plan.events[0].end_s - plan.events[0].start_s) * rate);
    visit(scene, std::span(street).subspan(begin, length), std::span(sound).subspan(begin, length));
    --n;
  }
}

TEST(Soundscapes, AnEventStandsOverTheStreetByTheSnrThatIsListed) {
  const Soundscapes scenes(plain_options());
  for_single_events(
      scenes, 40, [&](const Soundscape& scene, std::span<const float> street, std::span<const float> event) {
        const SoundscapeEvent& listed = scene.plan.events[0];
        EXPECT_NEAR(10.0 * std::log10(power(event) / power(street)), listed.snr_db, 1.0)
            << scenes.tags()[listed.tag];
        EXPECT_GE(listed.snr_db, listed.proximity == Proximity::kNear ? 5.0 : -5.0);
        EXPECT_LE(listed.snr_db, listed.proximity == Proximity::kNear ? 15.0 : 5.0);
      });
}

TEST(Soundscapes, BeforeAndAfterItsEventsASceneIsTheStreetAlone) {
  const Soundscapes scenes(plain_options());
  for_single_events(scenes, 10, [&](const Soundscape& scene, std::span<const float>, std::span<const float>) {
    const SoundscapeEvent& event = scene.plan.events[0];
    const std::vector<float> street = scenes.background(scene.plan.number);
    for (std::size_t i = 0; i < street.size(); ++i) {
      const double t_s = static_cast<double>(i) / 16000.0;
      // Walls answer for 0.4 s; the sensors' own noise is 140 dB below full scale.
      if (t_s < event.start_s - 0.001 || t_s > event.end_s + 0.401) {
        ASSERT_NEAR(scene.waveform.samples[i], street[i], 1e-5) << t_s;
      }
    }
  });
}

TEST(Soundscapes, NearEventsAreLouderThanFarOnes) {
  const Soundscapes scenes(plain_options());
  double level[2] = {0.0, 0.0}, n[2] = {0.0, 0.0};
  for_single_events(
      scenes, 60, [&](const Soundscape& scene, std::span<const float> street, std::span<const float> event) {
        const bool near = scene.plan.events[0].proximity == Proximity::kNear;
        level[near] += 10.0 * std::log10(power(event) / power(street));
        ++n[near];
      });
  ASSERT_GT(n[0], 10.0);
  ASSERT_GT(n[1], 10.0);
  // Middles of the two halves of -5 .. 15 dB are 10 dB apart.
  EXPECT_GT(level[1] / n[1], level[0] / n[0] + 6.0);
}

TEST(Propagate, NearSoundsAreBrighterThanFarOnes) {
  double sum[2] = {0.0, 0.0};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const bool near : {false, true}) {
      Rng rng(seed, "propagate");
      Noise noise(rng);
      std::vector<float> x(16000);
      for (float& v : x) v = static_cast<float>(noise());
      propagate(x, near ? Proximity::kNear : Proximity::kFar, 44100.0, rng);
      sum[near] += brightness(x) / 20.0;
    }
  }
  EXPECT_GT(sum[1], 2.0 * sum[0]);
}

TEST(Soundscapes, AreTheSameWhateverElseIsMade) {
  SoundscapeOptions options = plain_options();
  const Soundscapes scenes(options);
  options.n_scenes = 7;
  const Soundscapes fewer(options);
  options.seed = 2;
  const Soundscapes others(options);
  for (const std::size_t number : {5U, 3U}) {
    const Soundscape scene = scenes.render(scenes.plan(number));
    EXPECT_EQ(scene.waveform.samples, fewer.render(fewer.plan(number)).waveform.samples);
    EXPECT_NE(scene.waveform.samples, others.render(others.plan(number)).waveform.samples);
  }
}

TEST(Soundscapes, HaveTheAverageNumberOfEventsAskedForAllWithinTheScene) {
  SoundscapeOptions options;
  options.n_sensors = 100;
  options.events_per_scene = 3.0;
  const Soundscapes scenes(options);
  std::size_t n = 0;
  for (std::size_t number = 0; number < 10000; ++number) {
    const ScenePlan plan = scenes.plan(number);
    n += plan.events.size();
    for (const SoundscapeEvent& event : plan.events) {
      ASSERT_GE(event.start_s, 0.0);
      ASSERT_GE(event.end_s - event.start_s, 0.249);
      ASSERT_LE(event.end_s, 10.0);
    }
  }
  // A sensor's rates spread by 0.16 (log-normal, 29 tags of unequal weight): 0.016 of a hundred.
  EXPECT_NEAR(static_cast<double>(n) / 10000.0, 3.0, 0.2);
}

/// Share of the events of the tags that a test names which fall where another says.
double share_at(const std::function<bool(const std::string& tag)>& of,
                const std::function<bool(const SceneTime&)>& at) {
  SoundscapeOptions options;
  options.n_sensors = 100;
  const Soundscapes scenes(options);
  double n = 0.0, n_at = 0.0;
  for (std::size_t number = 0; number < 40000; ++number) {
    const ScenePlan plan = scenes.plan(number);
    for (const SoundscapeEvent& event : plan.events) {
      if (!of(scenes.tags()[event.tag])) continue;
      ++n;
      n_at += at(plan.time);
    }
  }
  EXPECT_GT(n, 1000.0);
  return n_at / n;
}

// Expected shares: activity within the hours over activity in all hours, from soundscape_time.cpp. Standard
// deviations are below 0.01 (1000 events and more).
TEST(Soundscapes, IceCreamTrucksComeOnSummerAfternoons) {
  // 18 weeks of 52, 9 hours of 24: 0.1298 of the time, at 1.086 on average; else 0.01: 0.141 / 0.1497.
  EXPECT_NEAR(share_at([](const auto& tag) { return tag == "6-3_ice-cream-truck"; },
                       [](const SceneTime& t) {
                         return t.week >= 20 && t.week <= 37 && t.hour >= 12 && t.hour <= 20;
                       }),
              0.942, 0.04);
}

TEST(Soundscapes, ConstructionIsHeardOnWeekdaysInWorkingHours) {
  // 50 of 168 hours at 1, 6 at 0.3, 112 at 0.02: 50 / 54.04.
  EXPECT_NEAR(share_at([](const auto& tag) { return tag.starts_with("2-") || tag.starts_with("4-"); },
                       [](const SceneTime& t) { return t.day < 5 && t.hour >= 7 && t.hour <= 16; }),
              0.925, 0.02);
}

TEST(Soundscapes, CrowdsAndMusicAreHeardInWeekendNights) {
  // 16 of 168 hours at 1, 20 at 0.35, 132 at 0.12: 16 / 38.84; without habits it would be 0.095.
  EXPECT_NEAR(
      share_at([](const auto& tag) { return tag == "7-3_large-crowd" || tag == "6-1_stationary-music"; },
               [](const SceneTime& t) {
                 return ((t.day == 4 || t.day == 5) && t.hour >= 20) ||
                        ((t.day == 5 || t.day == 6) && t.hour <= 3);
               }),
      0.412, 0.04);
}

TEST(HabitFactor, AveragesToOneOverTheYear) {
  for (const Habit habit : {Habit::kAnyTime, Habit::kTraffic, Habit::kDaytime, Habit::kConstruction,
                            Habit::kIceCream, Habit::kNightlife}) {
    double sum = 0.0;
    for (int week = 1; week <= 52; ++week) {
      for (int at = 0; at < 168; ++at) sum += habit_factor(habit, {2016, week, at / 24, at % 24});
    }
    EXPECT_NEAR(sum / (52.0 * 168.0), 1.0, 1e-9);
  }
}

TEST(SceneSensors, AreDealtOutToTheSplitsAndDifferInEverything) {
  SoundscapeOptions options;
  options.n_sensors = 20;
  options.validate_share = 0.25;
  options.test_share = 0.0;
  const Soundscapes scenes(options);
  std::array<int, 3> n{};
  std::set<double> places, colours, rates;
  for (const SceneSensor& sensor : scenes.sensors()) {
    ++n[sensor.split];
    places.insert(sensor.latitude);
    colours.insert(sensor.peak_db);
    rates.insert(sensor.rates.begin(), sensor.rates.end());
  }
  EXPECT_EQ(n, (std::array<int, 3>{15, 5, 0}));
  EXPECT_EQ(places.size(), 20U);
  EXPECT_EQ(colours.size(), 20U);
  EXPECT_EQ(rates.size(), 20U * 29U);
}

TEST(SceneSensors, ColourWhatTheyHear) {
  SoundscapeOptions options = plain_options();
  const Soundscapes plain(options);
  options.sensor_colour_db = 12.0;
  options.sensor_noise_db = -50.0;
  const Soundscapes coloured(options);
  const auto x = plain.render(plain.plan(1)).waveform.samples,
             y = coloured.render(coloured.plan(1)).waveform.samples;
  EXPECT_GT(
      std::fabs(10.0 * std::log10(power(x) / power(y))) + 20.0 * std::fabs(brightness(x) - brightness(y)),
      0.5);
  // What a sensor adds of its own: the noise that was asked for, give or take its 6 dB.
  std::vector<float> silence(16000, 0.0f);
  Rng rng(1, "hear");
  hear(coloured.sensors()[1], silence, 16000.0, rng);
  EXPECT_NEAR(20.0 * std::log10(root_mean_square(silence)), coloured.sensors()[1].noise_db, 0.2);
  EXPECT_NEAR(coloured.sensors()[1].noise_db, -50.0, 6.0);
}

TEST(SoundscapeOptions, EveryOneOutOfRangeIsNamed) {
  SoundscapeOptions options;
  options.n_scenes = 0;
  options.duration_s = 0.1;
  options.near_share = 1.5;
  options.min_snr_db = 30.0;
  options.sensor_noise_db = 3.0;
  options.annotators.miss_rate = 0.9;
  options.annotators.annotators_per_clip = 70;
  options.n_sensors = 2;
  const std::vector<std::string> problems = options.problems();
  const auto named = [&](const std::string& start) {
    return std::count_if(problems.begin(), problems.end(),
                         [&](const auto& p) { return p.starts_with(start); });
  };
  for (const char* field : {"n_scenes:", "duration_s:", "near_share:", "min_snr_db:", "sensor_noise_db:",
                            "annotators.miss_rate:", "annotators.annotators_per_clip:", "n_sensors:"})
    EXPECT_EQ(named(field), 1) << field;
  EXPECT_EQ(problems.size(), 8U);
  EXPECT_THROW(Soundscapes{options}, Error);
  EXPECT_TRUE(SoundscapeOptions().problems().empty());
  EXPECT_THROW(Soundscapes(SoundscapeOptions(), EventLibrary(), true), Error);
}

class Annotators : public ::testing::Test {
 protected:
  Annotators() {
    truth_.present.assign(taxonomy_.size(), false);
    truth_.proximity.assign(taxonomy_.size(), Proximity::kNone);
    for (const char* tag :
         {"1-2_medium-sounding-engine", "5-3_siren", "7-3_large-crowd", "8-1_dog-barking-whining"}) {
      const std::size_t i = *taxonomy_.index(tag);
      truth_.present[i] = truth_.present[static_cast<std::size_t>(taxonomy_.parents[i])] = true;
      truth_.proximity[i] = Proximity::kFar;
    }
  }
  std::vector<SonycRow> rows(std::size_t scene, bool consensus = false) const {
    return annotate_scene(truth_, taxonomy_, options_, 1, scene, consensus);
  }
  std::size_t tag(const char* name) const { return *taxonomy_.index(name); }

  Taxonomy taxonomy_ = known_taxonomy("sonyc_ust");
  SceneTruth truth_;
  AnnotatorOptions options_;
};

TEST_F(Annotators, MissAndImagineAsOftenAsTheirOwnRatesSay) {
  options_.n_annotators = 12;
  options_.miss_rate = 0.25;
  options_.false_alarm_rate = 0.05;
  options_.to_x_rate = 0.0;
  struct Count {
    double present = 0.0, missed = 0.0, absent = 0.0, imagined = 0.0;
  };
  std::map<int, Count> counts;
  for (std::size_t scene = 0; scene < 2000; ++scene) {
    for (const SonycRow& row : rows(scene)) {
      Count& count = counts[row.votes.annotator];
      for (std::size_t i = 8; i < taxonomy_.size(); ++i) {
        const bool said = row.votes.votes[i] == 1;
        (truth_.present[i] ? count.present : count.absent) += 1.0;
        if (truth_.present[i] && !said) ++count.missed;
        if (!truth_.present[i] && said) ++count.imagined;
      }
    }
  }
  ASSERT_EQ(counts.size(), 12U);
  double mean = 0.0, lowest = 1.0, highest = 0.0;
  for (const auto& [annotator, count] : counts) {
    const AnnotatorRates rates = annotator_rates(options_, 1, annotator);
    // 500 clips each: standard deviations at most sqrt(0.25 / 2000) = 0.011 and sqrt(0.09 / 12500) = 0.003.
    EXPECT_NEAR(count.missed / count.present, rates.miss, 0.045) << annotator;
    EXPECT_NEAR(count.imagined / count.absent, rates.false_alarm, 0.012) << annotator;
    mean += count.missed / count.present / 12.0;
    lowest = std::min(lowest, rates.miss);
    highest = std::max(highest, rates.miss);
  }
  // Uniform between 0 and 0.5: standard deviation 0.144, of the average of twelve 0.042.
  EXPECT_NEAR(mean, 0.25, 0.13);
  EXPECT_GT(highest, 2.0 * lowest);
}

TEST_F(Annotators, TakeWhatTheyHearForTheXOfItsCategoryWhereThereIsOne) {
  options_.miss_rate = options_.false_alarm_rate = 0.0;
  options_.to_x_rate = 0.2;
  double n = 0.0, blurred = 0.0;
  for (std::size_t scene = 0; scene < 2000; ++scene) {
    for (const SonycRow& row : rows(scene)) {
      ++n;
      const bool x = row.votes.votes[tag("5-X_other-unknown-alert-signal")] == 1;
      blurred += x;
      EXPECT_NE(row.votes.votes[tag("5-3_siren")] == 1, x) << "one or the other";
      EXPECT_EQ(row.votes.votes[tag("5_alert-signal")], 1) << "either way";
      EXPECT_EQ(row.votes.votes[tag("8-1_dog-barking-whining")], 1) << "a category without X";
    }
  }
  // Rates of 60 annotators, uniform between 0 and 0.4: standard deviation of their average 0.015.
  EXPECT_NEAR(blurred / n, 0.2, 0.06);
}

TEST_F(Annotators, NobodyHearsAClipTwiceAndTheConsensusIsTheTruth) {
  for (std::size_t scene = 0; scene < 50; ++scene) {
    const std::vector<SonycRow> all = rows(scene, true);
    ASSERT_EQ(all.size(), 4U);
    std::set<int> annotators;
    for (const SonycRow& row : all) {
      annotators.insert(row.votes.annotator);
      for (const std::size_t parent : taxonomy_.top_level()) {
        std::int8_t any = 0;
        for (const std::size_t member : taxonomy_.members(parent))
          any = std::max(any, row.votes.votes[member]);
        EXPECT_EQ(row.votes.votes[parent], any);
      }
      for (std::size_t i = 0; i < taxonomy_.size(); ++i) {
        const bool said = row.votes.votes[i] == 1 && taxonomy_.parents[i] >= 0;
        EXPECT_EQ(row.proximity[i] != Proximity::kNone, said);
      }
    }
    EXPECT_EQ(annotators.size(), 4U);
    EXPECT_EQ(all[3].votes.annotator, 0);
    for (std::size_t i = 0; i < taxonomy_.size(); ++i)
      EXPECT_EQ(all[3].votes.votes[i] == 1, truth_.present[i]) << taxonomy_.tags[i];
    EXPECT_EQ(all[3].proximity[tag("5-3_siren")], Proximity::kFar);
  }
}

TEST_F(Annotators, AreUnsureOfTheProximityAsOftenAsAskedFor) {
  options_.miss_rate = options_.false_alarm_rate = options_.to_x_rate = 0.0;
  options_.notsure_rate = 0.3;
  double n = 0.0, unsure = 0.0;
  for (std::size_t scene = 0; scene < 500; ++scene) {
    for (const SonycRow& row : rows(scene)) {
      ++n;
      const Proximity said = row.proximity[tag("5-3_siren")];
      unsure += said == Proximity::kNotSure;
      EXPECT_TRUE(said == Proximity::kNotSure || said == Proximity::kFar);
    }
  }
  EXPECT_NEAR(unsure / n, 0.3, 0.05);  // 1500 draws: standard deviation 0.012
}

}  // namespace
}  // namespace earmark
