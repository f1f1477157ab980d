#include "tagger/clock.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "earmark/error.h"

namespace earmark {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using LocalMs = std::chrono::local_time<milliseconds>;

constexpr int kFirstYear = 1970;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads from the front of a text; a step that does not fit leaves it as it was.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  bool one_of(std::string_view characters) {
    if (text_.empty() || characters.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::optional<int> number(std::size_t n_digits) {
    if (text_.size() < n_digits) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < n_digits; ++i) {
      if (!is_digit(text_[i])) return std::nullopt;
      value = 10 * value + (text_[i] - '0');
    }
    text_.remove_prefix(n_digits);
    return value;
  }
  bool next_is_digit() const { return !text_.empty() && is_digit(text_.front()); }
  // Bytes beyond ASCII are parts of letters: "Zürich".
  bool next_is_alphanumeric() const {
    if (text_.empty()) return false;
    const auto c = static_cast<unsigned char>(text_.front());
    return c >= 0x80 || std::isalnum(c) != 0;
  }
  // Digits behind the point of seconds; fewer than `least` are something else ("060007.3gp").
  std::optional<milliseconds> fraction(int least) {
    Reader ahead = *this;
    if (!ahead.one_of(".,")) return std::nullopt;
    double value = 0.0, place = 100.0;
    int n = 0;
    for (; ahead.next_is_digit(); place /= 10.0, ++n) value += place * *ahead.number(1);
    if (n < least) return std::nullopt;
    *this = ahead;
    return milliseconds(std::lround(value));
  }

 private:
  std::string_view text_;
};

std::optional<LocalMs> local_time_of(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < kFirstYear || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::local_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

// Recorders' clocks; numbers in names that are none seldom fall between.
bool is_year_of_recorder(int year) { return year >= 1990 && year <= 2099; }

// "Z", "+02:00", "+0200" or "+02".
std::optional<minutes> read_offset(Reader& reader) {
  Reader ahead = reader;
  if (ahead.one_of("Zz")) {
    reader = ahead;
    return minutes(0);
  }
  const bool minus = ahead.one_of("-");
  if (!minus && !ahead.one_of("+")) return std::nullopt;
  const auto hour = ahead.number(2);
  if (!hour || *hour > 14) return std::nullopt;
  Reader with_minutes = ahead;
  with_minutes.one_of(":");
  const auto minute = with_minutes.number(2);
  if (minute && *minute > 59) return std::nullopt;
  if (minute) ahead = with_minutes;
  if (ahead.next_is_digit()) return std::nullopt;
  reader = ahead;
  const minutes offset = hours(*hour) + minutes(minute.value_or(0));
  return minus ? -offset : offset;
}

// In a file's name much else follows a time ("Zoom", "-02" of a take, "-1234" of a counter, "+10dB"): an
// offset is Z, "+02:00" or "+0200" with the minutes of some zone, and no letter or digit behind it.
std::optional<minutes> read_offset_of_name(Reader& reader) {
  Reader ahead = reader;
  minutes offset{0};
  if (!ahead.one_of("Zz")) {
    const bool minus = ahead.one_of("-");
    if (!minus && !ahead.one_of("+")) return std::nullopt;
    const auto hour = ahead.number(2);
    ahead.one_of(":");
    const auto minute = ahead.number(2);
    if (!hour || !minute || *hour > 14 || *minute > 45 || *minute % 15 != 0) return std::nullopt;
    offset = hours(*hour) + minutes(*minute);
    if (minus) offset = -offset;
  }
  if (ahead.next_is_alphanumeric()) return std::nullopt;
  reader = ahead;
  return offset;
}

struct DateAndTime {
  LocalMs local;
  std::optional<minutes> offset;
};

// A date and a time of day, with or without marks between their parts, as files and ISO 8601 write them.
// @param in_name of a file: a time without seconds only with marks everywhere ("2026-05-01_06-00" of
// Arbimon), as a number without them may be anything.
std::optional<DateAndTime> read_date_and_time(Reader& reader, bool in_name) {
  Reader ahead = reader;
  const auto year = ahead.number(4);
  const bool dashed = ahead.one_of("-_.");
  const auto month = ahead.number(2);
  if (dashed && !ahead.one_of("-_.")) return std::nullopt;
  const auto day = ahead.number(2);
  if (!year || !month || !day || !ahead.one_of("T_ -.t")) return std::nullopt;
  const auto hour = ahead.number(2);
  const bool marked = ahead.one_of(":-_.");
  const auto minute = ahead.number(2);
  if (!hour || !minute) return std::nullopt;
  Reader with_seconds = ahead;
  std::optional<int> second;
  if (!marked || with_seconds.one_of(":-_.")) second = with_seconds.number(2);
  if (second) ahead = with_seconds;
  if (!second && in_name && !(dashed && marked && is_year_of_recorder(*year))) return std::nullopt;
  if (ahead.next_is_digit()) return std::nullopt;  // a longer number is no time
  const auto local = local_time_of(*year, *month, *day, *hour, *minute, second.value_or(0));
  if (!local) return std::nullopt;
  DateAndTime found{*local, std::nullopt};
  if (second) found.local += ahead.fraction(in_name ? 3 : 1).value_or(milliseconds(0));
  found.offset = in_name ? read_offset_of_name(ahead) : read_offset(ahead);
  if (!second && in_name && ahead.next_is_alphanumeric()) return std::nullopt;
  reader = ahead;
  return found;
}

// A name's whole run of digits: "20260501060000", or "260501060000" of SoundTraps.
// @param year_digits 4 or 2 (of this century)
std::optional<DateAndTime> read_digits(std::string_view text, std::size_t year_digits) {
  Reader reader(text);
  const std::array<std::size_t, 6> widths{year_digits, 2, 2, 2, 2, 2};
  std::array<int, 6> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = reader.number(widths[i]);
    if (!part) return std::nullopt;
    parts[i] = *part;
  }
  if (reader.next_is_digit()) return std::nullopt;
  if (year_digits == 2) parts[0] += 2000;
  const auto local = local_time_of(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
  if (!local || !is_year_of_recorder(parts[0])) return std::nullopt;
  DateAndTime found{*local + reader.fraction(3).value_or(milliseconds(0)), std::nullopt};
  found.offset = read_offset_of_name(reader);
  // Twelve digits in the middle of a word are some other number.
  if (year_digits == 2 && reader.next_is_alphanumeric()) return std::nullopt;
  return found;
}

StartTime start_of(const DateAndTime& found, const TimeZone& zone) {
  if (!found.offset) return {zone.moment_of(found.local), zone, zone.shows_twice(found.local)};
  const TimeZone own = TimeZone::parse(fmt::format("{}{:02}:{:02}", found.offset->count() < 0 ? '-' : '+',
                                                   std::abs(found.offset->count()) / 60,
                                                   std::abs(found.offset->count()) % 60));
  return {own.moment_of(found.local), own, false};
}

// "5EAB12F0": seconds since 1970 of some day between 2000 and 2100. Eight digits without a letter are a
// number, as most programs count their files, but where they are of the years in which AudioMoths wrote such
// names.
std::optional<TimeZone::Milliseconds> read_hexadecimal(std::string_view stem) {
  if (stem.size() != 8) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : stem) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    value = 16 * value + (is_digit(c) ? c - '0' : std::tolower(static_cast<unsigned char>(c)) - 'a' + 10);
  }
  constexpr std::int64_t kYear2000 = 946684800, kYear2100 = 4102444800;
  constexpr std::int64_t kYear2017 = 1483228800, kYear2023 = 1672531200;
  const bool has_letter = !std::all_of(stem.begin(), stem.end(), is_digit);
  if (value < (has_letter ? kYear2000 : kYear2017) || value >= (has_letter ? kYear2100 : kYear2023))
    return std::nullopt;
  return TimeZone::Milliseconds(seconds(value));
}

}  // namespace

TimeZone TimeZone::parse(std::string_view text) {
  TimeZone zone;
  Reader reader(text);
  if (text == "UTC" || text == "utc") return zone;
  if (const auto offset = read_offset(reader); offset && reader.at_end()) {
    zone.offset_ = *offset;
    return zone;
  }
  zone.name_ = text;
  try {
    date::locate_zone(zone.name_);
  } catch (const std::exception&) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("time zone: must be UTC, an offset such as +02:00, or a name of the time zone "
                            "database such as Europe/Berlin, got '{}'",
                            text));
  }
  return zone;
}

std::chrono::minutes TimeZone::offset_at(Milliseconds moment) const {
  if (name_.empty()) return offset_;
  const date::sys_info info = date::locate_zone(name_)->get_info(moment);
  return std::chrono::duration_cast<minutes>(info.offset);
}

TimeZone::Milliseconds TimeZone::moment_of(LocalMs local) const {
  if (name_.empty()) return Milliseconds(local.time_since_epoch() - offset_);
  const date::local_time<milliseconds> shown(local.time_since_epoch());
  const date::local_info info = date::locate_zone(name_)->get_info(shown);
  // The first of two offsets: of a time that there is twice the earlier moment, and of one that the clocks
  // leap over what a clock that nobody has set shows, so that such times keep their distance.
  return Milliseconds(shown.time_since_epoch() - info.first.offset);
}

bool TimeZone::shows_twice(LocalMs local) const {
  if (name_.empty()) return false;
  const date::local_time<milliseconds> shown(local.time_since_epoch());
  return date::locate_zone(name_)->get_info(shown).result == date::local_info::ambiguous;
}

std::string StartTime::text(double after_s) const {
  const TimeZone::Milliseconds at = later(after_s).moment;
  const minutes offset = zone.offset_at(at);
  const TimeZone::Milliseconds local = at + offset;
  const auto day = std::chrono::floor<days>(local);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{local - day};
  std::string zone_text = "Z";
  if (offset != minutes(0))
    zone_text = fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', std::abs(offset.count()) / 60,
                            std::abs(offset.count()) % 60);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count(), zone_text);
}

StartTime StartTime::later(double after_s) const {
  return {moment + milliseconds(std::llround(1000.0 * after_s)), zone, shown_twice};
}

StartTime parse_time(std::string_view text, const TimeZone& zone) {
  Reader reader(text);
  const auto found = read_date_and_time(reader, /*in_name=*/false);
  constexpr std::size_t kShortest = std::string_view("1969-12-31T06").size();
  if (const auto year = Reader(text).number(4);
      !found && year && *year < kFirstYear && text.size() >= kShortest)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("start time: must be of {} or later, got '{}'", kFirstYear, text));
  if (!found || !reader.at_end())
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format("start time: must be a date and a time such as 2026-05-01T06:00:00+02:00, got '{}'",
                    text));
  return start_of(*found, zone);
}

std::optional<StartTime> time_of_name(std::string_view file_name, const TimeZone& zone) {
  std::optional<DateAndTime> short_year;  // the least certain, so only where nothing else is found
  for (std::size_t i = 0; i < file_name.size(); ++i) {
    if (!is_digit(file_name[i]) || (i > 0 && is_digit(file_name[i - 1]))) continue;
    const std::string_view rest = file_name.substr(i);
    Reader reader(rest);
    if (const auto found = read_date_and_time(reader, /*in_name=*/true)) return start_of(*found, zone);
    if (const auto found = read_digits(rest, 4)) return start_of(*found, zone);
    if (!short_year && (i == 0 || file_name[i - 1] == '.' || file_name[i - 1] == '_'))
      short_year = read_digits(rest, 2);
  }
  if (short_year) return start_of(*short_year, zone);
  const std::string_view stem = file_name.substr(0, file_name.find('.'));
  if (const auto moment = read_hexadecimal(stem)) return StartTime{*moment, zone, false};
  return std::nullopt;
}

}  // namespace earmark
