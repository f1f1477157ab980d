// clock.h: when a recording was made: a time that somebody names, or the file's name as recorders write it.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace earmark {

/// "UTC", an offset ("+02:00", "-0330") or a name of the system's time zone database ("Europe/Berlin").
/// Thread-safety: a plain value.
class TimeZone {
 public:
  TimeZone() = default;  ///< UTC
  /// @throws Error(kInvalidOption) for what is none of the three.
  static TimeZone parse(std::string_view text);

  using Milliseconds = std::chrono::sys_time<std::chrono::milliseconds>;
  /// From UTC to local time, at that moment.
  std::chrono::minutes offset_at(Milliseconds moment) const;
  /// The moment that clocks of this zone show as `local`: the earlier one where they show it twice; where
  /// they pass over it, the moment at which they do.
  Milliseconds moment_of(std::chrono::local_time<std::chrono::milliseconds> local) const;
  bool shows_twice(std::chrono::local_time<std::chrono::milliseconds> local) const;

 private:
  std::string name_;  // of the database; empty: the offset
  std::chrono::minutes offset_{0};
};

/// Thread-safety: a plain value.
struct StartTime {
  TimeZone::Milliseconds moment{};
  TimeZone zone;  ///< in which it is written
  bool shown_twice =
      false;  ///< the zone's clocks showed it twice, as in autumn, and this is the earlier moment

  /// ISO 8601 of the moment `seconds` later, with milliseconds and the offset:
  /// "2026-05-01T06:00:05.250+02:00"; of UTC "2026-05-01T06:00:05.250Z". Rounded to the nearest millisecond.
  std::string text(double seconds) const;
  StartTime later(double seconds) const;
};

/// Where the wall-clock times of a tagging job come from.
enum class ClockSource {
  kNone,
  kGiven,     ///< somebody says when the recording began
  kFileName,  ///< each file's name does
  kNow,       ///< of a live stream: when its sound arrives
};

/// A moment, and where in a recording it lies.
struct ClockAnchor {
  StartTime start;
  double at_s = 0.0;
  std::string text(double seconds) const { return start.text(seconds - at_s); }
};

/// ISO 8601, as "2026-05-01T06:00", "2026-05-01 06:00:00.5", "2026-05-01T06:00:00Z", "20260501T060000+0200";
/// without an offset of its own it is a time of `zone`.
/// @throws Error(kInvalidOption) naming what is wrong.
StartTime parse_time(std::string_view text, const TimeZone& zone);

/// The start that a file's name tells, as recorders write it: a date and a time of day anywhere in it
/// (20260501_060000, 20260501T060000, 2026-05-01T06-00-00, 2026-05-01_06.00.00, 20260501060000, without
/// seconds 2026-05-01_06-00, at the beginning or behind "." or "_" 260501060000 ...), followed or not by Z or
/// an offset (+0200, -03:30) that ends there, else of `zone`; or the whole name is eight hexadecimal digits,
/// seconds since 1970 (old AudioMoths; without a letter only of 2017 to 2022). Nothing where there is none,
/// or no such day or hour.
std::optional<StartTime> time_of_name(std::string_view file_name, const TimeZone& zone);

}  // namespace earmark
