// Tagging jobs over streams that break off and begin anew, and what outputs say of wall-clock times.
#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>

#include "../audio/scratch.h"
#include "../audio/wav_bytes.h"
#include "core/file.h"
#include "core/value.h"
#include "job_case.h"
#include "tagger/database.h"

namespace earmark::testing {
namespace {

// What a pipe gave, tagged to its end.
JobRun run_piped(TagRequest request, const std::string& bytes,
                 const std::shared_ptr<const Scorer>& scorer = step_scorer()) {
  const Scratch s;
  s.write("stream", bytes);
  std::FILE* file = std::fopen((s / "stream").c_str(), "rb");
  request.inputs = {"-"};
  request.stream_fd = ::fileno(file);
  JobRun result = run(request, scorer);
  std::fclose(file);
  return result;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string wav_of(const Waveform& wave, std::int64_t data_size = -1) {
  std::string samples;
  for (const float x : wave.samples)
    samples +=
        le(static_cast<std::uint64_t>(static_cast<std::int64_t>(std::lround(x * 32767.0f))) & 0xFFFF, 2);
  return wav(format_chunk(1, 1, wave.sample_rate_hz, 16), samples, data_size,
             data_size < 0 ? -1 : 0xFFFFFFFF);
}

TEST(TagStreamJob, AStreamThatBeginsAnewGoesOnAndSaysWhere) {
  const std::string bytes = wav_of(pattern("xx-"), 0xFFFFFFFF) + wav_of(pattern("x-x"), 0xFFFFFFFF);
  TagRequest request = request_for("-", TagFormat::kJsonl);
  request.events = true;
  const JobRun result = run_piped(request, bytes);
  ASSERT_EQ(result.entries.size(), 1U);
  EXPECT_EQ(result.entries[0].status, InputStatus::kOk);
  EXPECT_EQ(result.entries[0].segments, 6U);
  EXPECT_DOUBLE_EQ(result.entries[0].duration_s, 6.0);
  ASSERT_EQ(result.entries[0].gaps.size(), 1U);
  EXPECT_DOUBLE_EQ(result.entries[0].gaps[0].at_s, 3.0);
  EXPECT_TRUE(result.entries[0].gaps[0].restart);
  EXPECT_NE(
      ledger_line(result.entries[0]).find(R"("gaps": [{"kind": "restart", "at_s": 3.0, "missing_s": 0.0)"),
      std::string::npos)
      << ledger_line(result.entries[0]);
  std::vector<std::string> dogs;
  bool gap_told = false;
  for (const std::string& line : lines_of(result.text)) {
    const Value told = parse_json(line, "line");
    if (told.find("gap") != nullptr) {
      EXPECT_EQ(told.at("gap").at("kind").as_string(), "restart");
      EXPECT_EQ(dogs.size(), 1U) << "what was before the gap is told before it";
      gap_told = true;
    } else if (told.at("tag").as_string() == "dog") {
      dogs.push_back(to_json(told.at("start_s")) + "-" + to_json(told.at("end_s")));
    }
  }
  EXPECT_TRUE(gap_told);
  EXPECT_EQ(dogs, (std::vector<std::string>{"0.0-2.0", "3.0-4.0", "5.0-6.0"}));
}

// Rain all the time: of a file it comes first, as it began first; who listens to a stream hears of the dog
// before the rain is over.
TEST(TagStreamJob, ATagThatStaysHoldsNothingBackOfAStream) {
  const Scratch s;
  const Waveform scene = pattern("-xx-" + std::string(70, '-') + "x-");
  TagRequest request = request_for("-", TagFormat::kCsv);
  request.events = true;
  request.threshold = 0.4;
  const std::vector<std::string> heard = lines_of(run_piped(request, wav_of(scene)).text);
  record(s / "scene.wav", scene);
  request.inputs = {s / "scene.wav"};
  const std::vector<std::string> read = lines_of(run(request, step_scorer()).text);
  ASSERT_EQ(heard.size(), 4U);
  ASSERT_EQ(read.size(), 4U);
  EXPECT_NE(read[1].find("rain"), std::string::npos) << read[1];
  EXPECT_NE(heard[1].find("dog"), std::string::npos) << heard[1];
  EXPECT_NE(heard[2].find("rain"), std::string::npos) << heard[2] << " (both were over at the end)";
}

// Sound on both sides of a gap is two events, although the one ends where the other begins.
TEST(TagStreamJob, NoEventReachesAcrossAGap) {
  const std::string bytes = wav_of(pattern("xx")) + wav_of(pattern("xx"));
  TagRequest request = request_for("-", TagFormat::kCsv);
  request.events = true;
  const std::string text = run_piped(request, bytes).text;
  EXPECT_NE(text.find("-,0.0,2.0,dog,0.9"), std::string::npos) << text;
  EXPECT_NE(text.find("-,2.0,4.0,dog,0.9"), std::string::npos) << text;
}

TEST(TagStreamJob, ABadHeaderInTheMiddleFailsAndWhatCameBeforeStands) {
  const Scratch s;
  const std::string bytes =
      wav_of(pattern("xx")) + wav(format_chunk(1, 200, kRate, 16), ramp_16(400)) + std::string(4000, '\0');
  TagRequest request = request_for("-", TagFormat::kCsv);
  request.output = s / "tags.csv";
  const JobRun result = run_piped(request, bytes);
  EXPECT_EQ(result.entries.at(0).status, InputStatus::kFailed);
  EXPECT_TRUE(result.entries[0].reason.starts_with("too_many_channels")) << result.entries[0].reason;
  EXPECT_EQ(result.entries[0].segments, 2U);
  EXPECT_NE(read_text(s / "tags.csv").find("-,1.0,2.0,dog"), std::string::npos);
}

TEST(TagStreamJob, AGivenStartGoesOnBehindARestart) {
  TagRequest request = request_for("-", TagFormat::kCsv);
  request.clock = ClockSource::kGiven;
  request.start_time = parse_time("2026-05-01T06:00:00+02:00", {});
  const std::string text = run_piped(request, wav_of(pattern("x")) + wav_of(pattern("x"))).text;
  EXPECT_TRUE(text.starts_with("file,start_s,end_s,tag,score,time\n")) << text;
  EXPECT_NE(text.find("-,0.0,1.0,dog,0.9,2026-05-01T06:00:00.000+02:00"), std::string::npos) << text;
  EXPECT_NE(text.find("-,1.0,2.0,dog,0.9,2026-05-01T06:00:01."), std::string::npos) << text;
}

TEST(TagStreamJob, NowIsWhenTheSoundCame) {
  using Clock = std::chrono::system_clock;
  TagRequest request = request_for("-", TagFormat::kJsonl);
  request.clock = ClockSource::kNow;
  const auto before = Clock::now();
  const std::string text = run_piped(request, wav_of(pattern("xx"))).text;
  const StartTime told = parse_time(parse_json(lines_of(text).at(0), "line").at("time").as_string(), {});
  EXPECT_NEAR(std::chrono::duration<double>(told.moment - before).count(), 0.0, 30.0);
}

TEST(TagJobClock, FileNamesTellTimesInEveryFormat) {
  const Scratch s;
  record(s / "in/20260501_060000.wav", pattern("x-"));
  record(s / "in/nameless.wav", pattern("x"));
  const auto text_of = [&](TagFormat format, LedgerEntry* last = nullptr) {
    TagRequest request = request_for(s / "in", format);
    request.clock = ClockSource::kFileName;
    request.time_zone = TimeZone::parse("Europe/Berlin");
    JobRun result = run(request, step_scorer());
    if (last != nullptr) *last = result.entries.back();
    return result.text;
  };
  LedgerEntry nameless;
  const std::string csv = text_of(TagFormat::kCsv, &nameless);
  EXPECT_NE(csv.find(",1.0,2.0,\"rain, heavy\",0.5,2026-05-01T06:00:01.000+02:00\n"), std::string::npos)
      << csv;
  EXPECT_NE(csv.find("nameless.wav,0.0,1.0,dog,0.9,\n"), std::string::npos) << csv;
  ASSERT_EQ(nameless.warnings.size(), 1U);
  EXPECT_TRUE(nameless.warnings[0].starts_with("no_start_time"));
  const std::string json = text_of(TagFormat::kJsonl);
  EXPECT_NE(json.find(R"("end_s": 2.0, "time": "2026-05-01T06:00:01.000+02:00", "scores")"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find(R"("time": null)"), std::string::npos) << json;
  const std::string raven = text_of(TagFormat::kRaven);
  EXPECT_NE(raven.find("\tScore\tBegin Date\tBegin Clock Time\n"), std::string::npos);
  EXPECT_NE(raven.find("\t2026/05/01\t06:00:00.000\n"), std::string::npos) << raven;
  EXPECT_NE(text_of(TagFormat::kTable).find("2026-05-01T06:00:01.000+02:00"), std::string::npos);
}

TEST(TagJobClock, AnHourThatClocksShowTwiceIsToldWithAWarning) {
  const Scratch s;
  record(s / "20261025_023000.wav", pattern("x"));
  TagRequest request = request_for(s / "20261025_023000.wav", TagFormat::kCsv);
  request.clock = ClockSource::kFileName;
  request.time_zone = TimeZone::parse(request.time_zone_name = "Europe/Berlin");
  const JobRun result = run(request, step_scorer());
  EXPECT_NE(result.text.find("2026-10-25T02:30:00.000+02:00"), std::string::npos) << result.text;
  ASSERT_EQ(result.entries.at(0).warnings.size(), 1U);
  EXPECT_EQ(result.entries[0].warnings[0],
            "ambiguous_start_time: clocks of Europe/Berlin showed it twice that night; taken is the earlier, "
            "2026-10-25T02:30:00.000+02:00");
}

TEST(TagJobClock, AnAmbiguousStartOfAStreamIsToldToo) {
  TagRequest request = request_for("-", TagFormat::kCsv);
  request.clock = ClockSource::kGiven;
  request.time_zone = TimeZone::parse(request.time_zone_name = "Europe/Berlin");
  request.start_time = parse_time("2026-10-25T02:30", request.time_zone);
  const JobRun result = run_piped(request, wav_of(pattern("x")));
  ASSERT_EQ(result.entries.at(0).warnings.size(), 1U);
  EXPECT_TRUE(result.entries[0].warnings[0].starts_with("ambiguous_start_time"))
      << result.entries[0].warnings[0];
}

// A recorder that was started twice and recorded only the second time.
TEST(TagJob, AStreamWhoseFirstPartIsEmptyGoesOn) {
  const std::string sound = wav_of(pattern("x"));
  const std::string empty = sound.substr(0, 40) + std::string(4, '\xFF');
  const JobRun result = run_piped(request_for("-"), empty + sound);
  ASSERT_EQ(result.entries.size(), 1U);
  EXPECT_EQ(result.entries[0].status, InputStatus::kOk) << result.entries[0].reason;
  EXPECT_EQ(result.entries[0].warnings, std::vector<std::string>{"no_samples: the part at 0.0 s"});
  EXPECT_NE(result.text, "");
  const JobRun nothing = run_piped(request_for("-"), empty);
  EXPECT_EQ(nothing.entries.at(0).status, InputStatus::kFailed);
  EXPECT_TRUE(nothing.entries[0].reason.starts_with("no_samples")) << nothing.entries[0].reason;
}

TEST(TagJobClock, TheDatabaseTellsThemInUtcAlsoBehindAGap) {
  const Scratch s;
  TagRequest request = request_for("-", TagFormat::kSqlite);
  request.output = s / "tags.db";
  request.clock = ClockSource::kGiven;
  request.start_time = parse_time("2026-05-01T06:00:00+02:00", {});
  run_piped(request, wav_of(pattern("x")) + wav_of(pattern("x")));
  Database database(s / "tags.db", Database::Mode::kExisting);
  Statement rows(database, "SELECT time FROM tagged WHERE tag = 'dog' ORDER BY start_s");
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.text(0), "2026-05-01T04:00:00.000Z");
  ASSERT_TRUE(rows.step());
  EXPECT_TRUE(rows.text(0).starts_with("2026-05-01T04:00:01.")) << rows.text(0);
  EXPECT_EQ(database.integer("SELECT count(*) FROM gaps WHERE kind = 'restart' AND at_s = 1.0"), 1);
}

TEST(TagJobClock, WhatCannotBeIsRefused) {
  const Scratch s;
  record(s / "a.wav", pattern("x"));
  record(s / "b.wav", pattern("x"));
  TagRequest request = request_for(s / "a.wav");
  request.clock = ClockSource::kNow;
  EXPECT_NE(problems_of(request).find("start_time: now is for the standard input"), std::string::npos);
  request.clock = ClockSource::kFileName;
  request.inputs = {"-"};
  EXPECT_NE(problems_of(request).find("the standard input has no name"), std::string::npos);
  request.inputs = {s / "a.wav"};
  request.clock = ClockSource::kGiven;
  EXPECT_NE(problems_of(request).find("start_time: is needed"), std::string::npos);
  request.start_time = StartTime{};
  request.inputs.push_back(s / "b.wav");
  EXPECT_NE(problems_of(request).find("start_time: one time for several recordings"), std::string::npos);
}

}  // namespace
}  // namespace earmark::testing
