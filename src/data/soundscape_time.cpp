#include "data/soundscape_time.h"

#include <array>
#include <cstddef>

namespace earmark {
namespace {

constexpr int kWeeks = 52, kDays = 7, kHours = 24;
constexpr std::size_t kHabits = static_cast<std::size_t>(Habit::kNightlife) + 1;

constexpr bool between(int x, int low, int high) { return x >= low && x <= high; }

constexpr double construction(int day, int hour) {
  if (day < 5 && between(hour, 7, 16)) return 1.0;
  return day == 5 && between(hour, 9, 14) ? 0.3 : 0.02;
}

constexpr double ice_cream(int week, int day, int hour) {
  if (!between(week, 20, 37) || !between(hour, 12, 20)) return 0.01;
  return day >= 5 ? 1.3 : 1.0;
}

// Friday and Saturday evening, and the hours after them.
constexpr double nightlife(int day, int hour) {
  if ((day == 4 || day == 5) && hour >= 20) return 1.0;
  if ((day == 5 || day == 6) && hour <= 3) return 1.0;
  return hour >= 20 ? 0.35 : 0.12;
}

constexpr double traffic(int day, int hour) {
  if (day < 5 && (between(hour, 7, 9) || between(hour, 16, 18))) return 1.0;
  return between(hour, 6, 21) ? 0.7 : 0.25;
}

constexpr double activity(Habit habit, int week, int day, int hour) {
  switch (habit) {
    case Habit::kAnyTime:
      return 1.0;
    case Habit::kTraffic:
      return traffic(day, hour);
    case Habit::kDaytime:
      return between(hour, 7, 21) ? 1.0 : 0.2;
    case Habit::kConstruction:
      return construction(day, hour);
    case Habit::kIceCream:
      return ice_cream(week, day, hour);
    case Habit::kNightlife:
      return nightlife(day, hour);
  }
  return 1.0;
}

std::array<double, kHabits> average_activities() {
  std::array<double, kHabits> averages{};
  for (std::size_t habit = 0; habit < kHabits; ++habit) {
    for (int week = 1; week <= kWeeks; ++week) {
      for (int at = 0; at < kDays * kHours; ++at)
        averages[habit] += activity(static_cast<Habit>(habit), week, at / kHours, at % kHours);
    }
    averages[habit] /= kWeeks * kDays * kHours;
  }
  return averages;
}

}  // namespace

SceneTime draw_scene_time(int first_year, int last_year, Rng& rng) {
  const auto from = [&](int low, int n) {
    return low + static_cast<int>(rng.below(static_cast<unsigned>(n)));
  };
  SceneTime time;
  time.year = from(first_year, last_year - first_year + 1);
  time.week = from(1, kWeeks);
  time.day = from(0, kDays);
  time.hour = from(0, kHours);
  return time;
}

double habit_factor(Habit habit, const SceneTime& time) noexcept {
  static const std::array<double, kHabits> averages = average_activities();
  return activity(habit, time.week, time.day, time.hour) / averages[static_cast<std::size_t>(habit)];
}

}  // namespace earmark
