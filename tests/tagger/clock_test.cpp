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

// Behind the seconds stands anything: only a whole offset of some zone, and nothing that goes on, is one.
TEST(TimeOfName, WhatFollowsTheSecondsIsSeldomAnOffset) {
  for (const char* name :
       {"20260501_060007Zoom.wav", "20260501_060007Z\xC3\xBCrich.wav", "20260501_060007z4.wav",
        "20260501_060007-02.wav", "20260501_060007+02.wav", "20260501-060007-1234.wav",
        "20260501_060007+10dB.wav", "2026-05-01_06-00-07-12ch.wav", "20260501_060007-0200Hz.wav",
        "20260501_060007+02:00h.wav", "20260501_060007-1500.wav", "20260501_060007-0260.wav",
        "20260501_060007-02000.wav", "20260501_060007-070000.wav", "20260501_060007+0201.wav",
        "20260501_060007-.wav", "20260501_060007-12:3.wav", "20260501060007Zoom.wav"})
    EXPECT_EQ(named(name, "Europe/Berlin"), "2026-05-01T06:00:07.000+02:00") << name;
  EXPECT_EQ(named("20260501_060007Z", "Europe/Berlin"), "2026-05-01T06:00:07.000Z");
  EXPECT_EQ(named("20260501_060007Z-4.wav", "Europe/Berlin"), "2026-05-01T06:00:07.000Z");
  EXPECT_EQ(named("20260501_060007+1400_a.wav"), "2026-05-01T06:00:07.000+14:00");
  EXPECT_EQ(named("20260501_060007+05:45.wav"), "2026-05-01T06:00:07.000+05:45");
  EXPECT_EQ(named("20260501_060007-0930"), "2026-05-01T06:00:07.000-09:30");
  // Where somebody says the time, there is no doubt.
  EXPECT_EQ(parse_time("2026-05-01T06:00:07-02", {}).text(0.0), "2026-05-01T06:00:07.000-02:00");
  EXPECT_EQ(parse_time("2026-05-01T06:00:07+0019", {}).text(0.0), "2026-05-01T06:00:07.000+00:19");
}

TEST(TimeOfName, NamesWithoutMarksOrWithoutSeconds) {
  for (const char* name :
       {"20260501060007.wav", "REC20260501060007.wav", "site_20260501060007_1.wav", "20260501060007Z.wav",
        "20260501060007.000.wav",
        "5123.260501060007.wav",  // SoundTrap
        "260501060007.wav", "ST_260501060007_x.wav", "5123.260501060007Z.wav", "335851542.260501060007.wav"})
    EXPECT_EQ(named(name), "2026-05-01T06:00:07.000Z") << name;
  for (const char* name : {"SITE-2026-05-01_06-00.wav",  // Arbimon
                           "2026-05-01_06-00", "2026-05-01_06-00_site.flac", "2026-05-01 06:00.wav",
                           "2026-05-01_06-00Z.wav", "2026-05-01_06-00.3gp"})
    EXPECT_EQ(named(name), "2026-05-01T06:00:00.000Z") << name;
  EXPECT_EQ(named("20260501060007+0200.wav"), "2026-05-01T06:00:07.000+02:00");
  EXPECT_EQ(named("SITE-2026-05-01_06-00-0330.wav"), "none") << "seconds, or an offset?";
  EXPECT_EQ(named("5123.260501060007_20250101_000000.wav"), "2025-01-01T00:00:00.000Z") << "the surer one";
}

TEST(TimeOfName, NumbersWithoutMarksMustBeDatesOfRecorders) {
  for (const char* name :
       {"20261301060007.wav",    "20260230060007.wav",    "20260501240007.wav",      "20260501066007.wav",
        "20260501060060.wav",    "19890501060007.wav",    "21000501060007.wav",      "202605010600071.wav",
        "120260501060007.wav",   "2026050106000.wav",  //
        "5123.261301060007.wav", "5123.260230060007.wav", "5123.260501250007.wav",   "5123.2605010600071.wav",
        "a260501060007.wav",     "5123-260501060007.wav", "5123.260501060007ab.wav", "123456789012.wav",
        "202605010600.wav",  // no seconds and no marks
        "20260501_0600.wav",     "20260501_06-00.wav",    "1989-05-01_06-00.wav",    "2026-05-01_0600.wav",
        "2026-05-01_25-00.wav",  "2026-05-01_06-00h.wav", "2026-05-01_06-0.wav"})
    EXPECT_EQ(named(name), "none") << name;
}

TEST(TimeOfName, EightDigitsWithoutALetterAreANumberButOfAudioMothsYears) {
  EXPECT_EQ(named("50123456.wav"), "none");
  EXPECT_EQ(named("64123456.wav"), "none");
  EXPECT_EQ(named("60123456.WAV"), "2021-01-28T03:49:42.000Z");  // 0x60123456 = 1611805782
  EXPECT_EQ(named("5012345A.wav"), "2012-07-27T06:25:30.000Z");  // 0x5012345A = 1343370330
  EXPECT_EQ(named("5eab12f0.WAV"), "2020-04-30T18:03:28.000Z");  // 0x5EAB12F0 = 1588269808
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
  EXPECT_EQ(parse_time("2026-03-29T02:30", berlin).text(0.0), "2026-03-29T03:30:00.000+02:00");
  EXPECT_EQ(parse_time("2026-10-25T02:30", berlin).text(0.0), "2026-10-25T02:30:00.000+02:00");
  EXPECT_EQ(parse_time("2026-12-31T23:59:59Z", {}).text(1.0005), "2027-01-01T00:00:00.001Z");
  EXPECT_EQ(parse_time("2026-01-01T00:00Z", {}).text(-0.25), "2025-12-31T23:59:59.750Z");
}

TEST(StartTime, KnowsThatClocksShowedItTwice) {
  const TimeZone berlin = TimeZone::parse("Europe/Berlin");
  EXPECT_TRUE(parse_time("2026-10-25T02:30", berlin).shown_twice);
  EXPECT_TRUE(time_of_name("20261025_020000.wav", berlin)->shown_twice);
  for (const char* once :
       {"2026-10-25T01:59:59", "2026-10-25T03:00", "2026-03-29T02:30", "2026-10-25T02:30+01:00"})
    EXPECT_FALSE(parse_time(once, berlin).shown_twice) << once;
  EXPECT_FALSE(time_of_name("20261025_020000.wav", TimeZone::parse("+02:00"))->shown_twice);
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
