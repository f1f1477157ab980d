#include "tagger/clock.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {
namespace {

std::string named(std::string_view file_name, const char* zone = "UTC") {
  const auto start = time_of_name(file_name, TimeZone::parse(zone));
  return start ? start->text(0.0) : "none";
}

TEST(TimeOfName, CommonRecordersNames) {
  const std::string expected = "2026-05-01T06:00:07.000Z";
  for (const char* name : {"20260501_060007.WAV",                // AudioMoth
                           "SM4A_20260501_060007.wav",           // Song Meter
                           "2026-05-01T06-00-07Z.flac",          // ISO without colons
                           "20260501T060007Z_site3.wav",         // BAR
                           "20260501T060007+0000.wav",           //
                           "rec_2026-05-01_06.00.07.wav",        //
                           "2026-05-01 06:00:07.mp3",            //
                           "69F44167.WAV",                       // old AudioMoth: hexadecimal seconds
                           "S4A00123_20260501_060007_0.wav",     //
                           "MSD-0001_20260501_060007.000.wav"})  // with milliseconds
    EXPECT_EQ(named(name), expected) << name;
}

TEST(TimeOfName, OffsetsOfTheNameStandAboveTheZone) {
  EXPECT_EQ(named("20260501T060007+0200_x.wav", "America/New_York"), "2026-05-01T06:00:07.000+02:00");
  EXPECT_EQ(named("20260501T060007-03:30.wav"), "2026-05-01T06:00:07.000-03:30");
  EXPECT_EQ(named("20260501_060007.wav", "Europe/Berlin"), "2026-05-01T06:00:07.000+02:00");
  EXPECT_EQ(named("20260101_060007.wav", "Europe/Berlin"), "2026-01-01T06:00:07.000+01:00");
  EXPECT_EQ(named("20260501_060007.wav", "-0330"), "2026-05-01T06:00:07.000-03:30");
}

TEST(TimeOfName, WhatIsNoTimeIsNone) {
  for (const char* name : {"siren.wav", "12345678_123456.wav", "20261301_060007.wav", "20260230_060007.wav",
                           "20260501_250007.wav", "120260501_060007.wav", "20260501_0600071.wav",
                           "1-100032-A-0.wav", "00000001.wav", "", "2026", "20260501.wav", "cafebabe7.wav"})
    EXPECT_EQ(named(name), "none") << name;
}

// Names are anybody's: whatever stands there is a time that can be written and read again, or none.
TEST(TimeOfName, SurvivesAnyName) {
  Rng rng(5, "clock_fuzz");
  const std::string characters = "0123456789012345678920TZ-+_:. abcdefx\xFF";
  int n_found = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string name = i % 2 == 0 ? "" : "20260501_060007+0200.wav";
    const auto length = static_cast<std::size_t>(rng.uniform(0.0, 24.0));
    if (name.empty()) {
      for (std::size_t k = 0; k < length; ++k)
        name +=
            characters[static_cast<std::size_t>(rng.uniform(0.0, static_cast<double>(characters.size())))];
    } else {
      name[static_cast<std::size_t>(rng.uniform(0.0, static_cast<double>(name.size())))] =
          characters[static_cast<std::size_t>(rng.uniform(0.0, static_cast<double>(characters.size())))];
    }
    const auto start = time_of_name(name, {});
    if (!start) continue;
    ++n_found;
    EXPECT_EQ(parse_time(start->text(0.0), {}).moment, start->moment) << name;
  }
  EXPECT_GT(n_found, 10000);
}

TEST(ParseTime, IsoWithAndWithoutParts) {
  const TimeZone berlin = TimeZone::parse("Europe/Berlin");
  EXPECT_EQ(parse_time("2026-05-01T06:00", berlin).text(0.0), "2026-05-01T06:00:00.000+02:00");
  EXPECT_EQ(parse_time("2026-05-01 06:00:00.5", berlin).text(0.0), "2026-05-01T06:00:00.500+02:00");
  EXPECT_EQ(parse_time("2026-05-01T06:00:00Z", berlin).text(0.0), "2026-05-01T06:00:00.000Z");
  EXPECT_EQ(parse_time("20260501T060000+0530", berlin).text(0.0), "2026-05-01T06:00:00.000+05:30");
  for (const char* wrong : {"", "now", "06:00", "2026-05-01", "2026-05-01T06:00:00 o'clock",
                            "2026-02-29T00:00", "2026-05-01T06:00:00+25:00", "2026-05-01T24:00"})
    EXPECT_THROW(parse_time(wrong, berlin), Error) << wrong;
}

TEST(StartTime, MomentsLaterKeepTheZonesRules) {
  // Berlin's clocks go from 02:00 to 03:00 on 29 March 2026 and from 03:00 to 02:00 on 25 October.
  const TimeZone berlin = TimeZone::parse("Europe/Berlin");
  EXPECT_EQ(parse_time("2026-03-29T01:59:59", berlin).text(1.0), "2026-03-29T03:00:00.000+02:00");
  EXPECT_EQ(parse_time("2026-10-25T02:59:59", berlin).text(1.0), "2026-10-25T02:00:00.000+01:00");
  EXPECT_EQ(parse_time("2026-03-29T02:30", berlin).text(0.0), "2026-03-29T03:00:00.000+02:00");
  EXPECT_EQ(parse_time("2026-12-31T23:59:59Z", {}).text(1.0005), "2027-01-01T00:00:00.001Z");
  EXPECT_EQ(parse_time("2026-01-01T00:00Z", {}).text(-0.25), "2025-12-31T23:59:59.750Z");
}

TEST(TimeZone, WhatIsNoneIsRefusedByName) {
  for (const char* wrong : {"", "Mars/Olympus", "+2", "+99:00", "Europe/Berlin "}) {
    try {
      TimeZone::parse(wrong);
      ADD_FAILURE() << wrong;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
      EXPECT_NE(std::string(error.what()).find("time zone: must be UTC"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace earmark
