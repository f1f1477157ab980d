// soundscape_time.h: when a simulated scene was recorded, and how much more often a source sounds then.
#pragma once
#include "core/rng.h"
#include "data/sound_sources.h"

namespace earmark {

/// Thread-safety: a plain value.
struct SceneTime {
  int year = 2016;
  int week = 1;  ///< of the year, 1..52
  int day = 0;   ///< 0 Monday .. 6 Sunday
  int hour = 0;  ///< 0..23
};

/// Any week, day and hour with the same probability.
SceneTime draw_scene_time(int first_year, int last_year, Rng& rng);

/// How many times its average a source of this habit is to be heard at that time; the average over all weeks,
/// days and hours is 1.
double habit_factor(Habit habit, const SceneTime& time) noexcept;

}  // namespace earmark
