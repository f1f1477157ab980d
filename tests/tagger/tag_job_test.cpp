#include "tagger/tag_job.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <limits>

#include "../audio/scratch.h"
#include "../audio/wav_bytes.h"
#include "core/file.h"
#include "core/value.h"
#include "job_case.h"
#include "tagger/text.h"

namespace earmark::testing {
namespace {

TEST(TagJob, SameBytesWhateverTheThreads) {
  const Scratch s;
  make_recordings(s, 20);
  for (const TagFormat format : {TagFormat::kTable, TagFormat::kCsv, TagFormat::kJsonl, TagFormat::kRaven}) {
    std::string first;
    for (const int threads : {1, 2, 7}) {
      TagRequest request = request_for(s / "in", format);
      request.threads = threads;
      request.cut.hop_s = 0.3;
      const std::string text = run(request).text;
      if (threads == 1) first = text;
      EXPECT_FALSE(text.empty());
      EXPECT_EQ(text, first) << threads;
    }
  }
}

TEST(TagJob, OneLongRecordingIsSharedAndStaysInOrder) {
  const Scratch s;
  record(s / "long.wav", noise(200.0, 1));
  TagRequest request = request_for(s / "long.wav");
  request.threads = 1;
  request.cut.hop_s = 0.25;
  const std::string alone = run(request).text;
  request.threads = 6;
  EXPECT_EQ(run(request).text, alone);
}

TEST(TagJob, LedgerIsAsTheContractHasIt) {
  const Scratch s;
  record(s / "in/a.wav", noise(2.0, 1));
  s.write("in/b \"x\"\n\xFF.wav", "");
  record(s / "in/c.wav", pattern("-"));
  TagRequest request = request_for(s / "in");
  request.ledger = s / "ledger.jsonl";
  const JobRun result = run(request);
  const std::string in = (s / "in/").native();
  EXPECT_EQ(read_text(s / "ledger.jsonl"),
            "{\"input\": \"" + in +
                "a.wav\", \"status\": \"ok\", \"reason\": null, \"warnings\": [], \"duration_s\": 2.0, "
                "\"segments\": 2}\n"
                "{\"input\": \"" +
                in +
                "b \\\"x\\\"\\n\\\\xFF.wav\", \"status\": \"failed\", \"reason\": \"empty_file: the file has "
                "0 bytes\", "
                "\"warnings\": [], \"duration_s\": 0.0, \"segments\": 0}\n"
                "{\"input\": \"" +
                in + "c.wav\", \"status\": \"ok\", \"reason\": null, \"warnings\": [" +
                json_text(result.entries.at(2).warnings.at(0)) +
                "], \"duration_s\": 1.0, \"segments\": 1}\n");
  EXPECT_EQ(result.summary.n_ok, 2u);
  EXPECT_EQ(result.summary.n_failed, 1u);
}

TEST(TagJob, OddNamesGiveValidJsonAndCsv) {
  const Scratch s;
  for (const char* name :
       {"sp ace.wav", "quo\"te.wav", "new\nline.wav", "bad\xFF\xC0utf.wav", "com,ma.wav", "back\\slash.wav"})
    record(s / ("in/" + std::string(name)), noise(1.0, 1));
  const std::string text = run(request_for(s / "in")).text;
  std::size_t n = 0;
  for (std::size_t begin = 0; begin < text.size(); ++n) {
    const std::size_t end = text.find('\n', begin);
    const Value line = parse_json(std::string_view(text).substr(begin, end - begin), "line");
    EXPECT_EQ(line.at("scores").as_map().size(), 3u);
    begin = end + 1;
  }
  EXPECT_EQ(n, 6u);
  EXPECT_NE(text.find("bad\\\\xFF\\\\xC0utf.wav"), std::string::npos);
}

TEST(TagJob, TwelveKindsOfDamageEachWithItsReason) {
  const Scratch s;
  const std::string format = format_chunk(1, 1, kRate, 16);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::string nan_bytes(8, '\0');
  std::memcpy(nan_bytes.data() + 4, &nan, 4);
  std::filesystem::create_directories(s / "dir.wav/sub");
  std::map<std::string, std::string> expected{
      {s.write("01.wav", ""), "empty_file"},
      {s.write("02.wav", "hello, I am a letter and no sound at all"), "not_audio"},
      {s.write("03.wav", std::string("\x01\x02\x7F\x00\xEE", 5) + std::string(600, '\xA7')), "not_audio"},
      {s.write("04.wav", wav(format, ramp_16(100)).substr(0, 21)), "damaged_header"},
      {s.write("05.wav", wav(format, "")), "no_samples"},
      {s.write("06.wav", wav(format_chunk(3, 1, kRate, 32), nan_bytes)), "non_finite"},
      {s.write("07.wav", wav(format_chunk(1, 200, kRate, 16), ramp_16(400))), "too_many_channels"},
      {s.write("08.wav", wav(format_chunk(1, 1, 7, 16), ramp_16(100))), "bad_sample_rate"},
      {s.write("09.wav", wav(format_chunk(0x5678, 1, kRate, 16), ramp_16(100))), "unsupported_codec"},
      {s.write("10.m4a", std::string("\0\0\0\x18"
                                     "ftypM4A ",
                                     12) +
                             std::string(200, '\0')),
       "needs_ffmpeg"},
      {(s / "11.wav").native(), "not_found"},
      {(s / "dir.wav/sub").native(), "no_audio_files"}};
  const std::string fifo = (s / "12.wav").native();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  expected[fifo] = "not_a_file";
  TagRequest request;
  request.threads = 3;
  request.decode.ffmpeg = "";
  for (const auto& [path, reason] : expected) request.inputs.push_back(path);
  record(s / "good.wav", noise(1.0, 1));
  request.inputs.push_back(s / "good.wav");
  const JobRun result = run(request);
  ASSERT_EQ(result.entries.size(), expected.size() + 1);
  for (const LedgerEntry& entry : result.entries) {
    if (entry.input == (s / "good.wav").native()) {
      EXPECT_EQ(entry.status, InputStatus::kOk);
      continue;
    }
    EXPECT_EQ(entry.status, entry.input.ends_with("sub") ? InputStatus::kSkipped : InputStatus::kFailed)
        << entry.input;
    EXPECT_EQ(entry.reason.substr(0, entry.reason.find(':')), expected[entry.input])
        << entry.input << " " << entry.reason;
  }
}

TEST(TagJob, SoundOfLessThanASampleAtTheBundlesRateIsTooShort) {
  const Scratch s;
  s.write("one.wav", wav(format_chunk(1, 1, 44100, 16), ramp_16(1)));
  const JobRun result = run(request_for(s / "one.wav"));
  ASSERT_EQ(result.entries.size(), 1U);
  EXPECT_EQ(result.entries[0].status, InputStatus::kFailed);
  EXPECT_EQ(result.entries[0].reason, "too_short: the sound is shorter than one sample at 8000 Hz");
  EXPECT_EQ(result.text, "");
}

TEST(TagJob, RecordingThatFailsHalfWayLeavesNothing) {
  const Scratch s;
  Waveform wave = noise(3.0, 1);
  record(s / "in/b.wav", wave, WavFormat::kFloat);
  std::string bytes = read_text(s / "in/b.wav");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + bytes.size() - 400, &nan, 4);
  s.write("in/a.wav", bytes);
  TagRequest request = request_for(s / "in", TagFormat::kCsv);
  request.output = s / "tags.csv";
  const JobRun result = run(request);
  EXPECT_EQ(result.entries[0].status, InputStatus::kFailed);
  EXPECT_EQ(result.entries[0].segments, 0u);
  const std::string text = read_text(s / "tags.csv");
  EXPECT_EQ(text.find("a.wav"), std::string::npos);
  EXPECT_NE(text.find("b.wav"), std::string::npos);
}

// Stops a run after each recording in turn, takes it up again, and compares every file with an uninterrupted
// run's.
TEST(TagJob, ResumedOutputEqualsUninterrupted) {
  const Scratch s;
  make_recordings(s, 8);
  s.write("in/3x.wav", "damaged");
  for (const TagFormat format : {TagFormat::kTable, TagFormat::kCsv, TagFormat::kJsonl, TagFormat::kRaven}) {
    TagRequest whole = request_for(s / "in", format);
    whole.overwrite = true;
    whole.output = s / "whole";
    run(whole);
    for (int stop_after = 1; stop_after < 9; ++stop_after) {
      std::atomic<bool> stop{false};
      TagRequest part = whole;
      part.output = s / "part";
      part.stop = &stop;
      int n = 0;
      part.on_done = [&](const LedgerEntry&) { stop = ++n >= stop_after; };
      const TagSummary first = TagJob(part).run(*mean_scorer());
      if (first.interrupted) {
        // A kill may also leave half a record behind each of them.
        for (const char* torn :
             {"part.ledger.jsonl", "part.progress", format == TagFormat::kJsonl ? "part" : "part.partial"}) {
          const std::string text = read_text(s / torn);
          s.write(torn, text + "{\"input\": \"tor");
        }
        EXPECT_EQ(std::filesystem::exists(s / "part"), format == TagFormat::kJsonl);
      }
      part.stop = nullptr;
      part.on_done = nullptr;
      part.overwrite = false;
      part.resume = true;
      const TagSummary second = TagJob(part).run(*mean_scorer());
      EXPECT_FALSE(second.interrupted);
      EXPECT_EQ(second.n_before + second.n_ok + second.n_failed, 9u);
      EXPECT_EQ(read_text(s / "part"), read_text(s / "whole")) << stop_after;
      EXPECT_EQ(read_text(s / "part.ledger.jsonl"), read_text(s / "whole.ledger.jsonl")) << stop_after;
      EXPECT_FALSE(std::filesystem::exists(s / "part.progress"));
      EXPECT_FALSE(std::filesystem::exists(s / "part.partial"));
    }
  }
}

TEST(TagJob, OutputAheadOfTheLedgerIsCutBack) {
  const Scratch s;
  make_recordings(s, 4);
  TagRequest request = request_for(s / "in");
  request.output = s / "whole";
  run(request);
  // As after a kill between the output's record and the ledger's: the ledger lacks the last two.
  request.output = s / "part";
  std::atomic<bool> stop{false};
  request.stop = &stop;
  request.threads = 1;  // two could be done with the fourth before they see the stop
  int n = 0;
  request.on_done = [&](const LedgerEntry&) { stop = ++n >= 3; };
  TagJob(request).run(*mean_scorer());
  std::string ledger = read_text(s / "part.ledger.jsonl");
  s.write("part.ledger.jsonl", ledger.substr(0, ledger.find('\n') + 1));
  request.stop = nullptr;
  request.threads = 0;
  request.on_done = nullptr;
  request.resume = true;
  TagJob(request).run(*mean_scorer());
  EXPECT_EQ(read_text(s / "part"), read_text(s / "whole"));
  EXPECT_EQ(read_text(s / "part.ledger.jsonl"), read_text(s / "whole.ledger.jsonl"));
}

TEST(TagJob, AResumedRunWithOtherOptionsIsRefusedAndNothingIsMixed) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  TagRequest request = request_for(s / "in");
  request.output = s / "t.jsonl";
  run(request);
  const std::string before = read_text(s / "t.jsonl");
  record(s / "in/b.wav", noise(1.0, 2));
  request.resume = true;
  TagRequest other = request;
  other.format = TagFormat::kCsv;
  other.threshold = 0.9;
  try {
    run(other);
    FAIL() << "must not be accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.problems().size(), 2u) << e.what();
  }
  EXPECT_EQ(read_text(s / "t.jsonl"), before);
  run(request);
  EXPECT_GT(read_text(s / "t.jsonl").size(), before.size());
}

TEST(TagJob, FailuresOfTheRunThatIsResumedStillCount) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  s.write("in/b.wav", "no sound");
  TagRequest request = request_for(s / "in");
  request.output = s / "t.jsonl";
  EXPECT_EQ(TagJob(request).run(*mean_scorer()).n_failed, 1u);
  request.resume = true;
  const TagSummary resumed = TagJob(request).run(*mean_scorer());
  EXPECT_EQ(resumed.n_failed, 0u);
  EXPECT_EQ(resumed.n_failed_before, 1u);
}

// An output that is gone is not done, whatever the ledger says.
TEST(TagJob, AnOutputThatIsGoneIsMadeAgain) {
  const Scratch s;
  make_recordings(s, 5);
  for (const TagFormat format : {TagFormat::kCsv, TagFormat::kJsonl}) {
    TagRequest request = request_for(s / "in", format);
    request.output = s / (format == TagFormat::kCsv ? "a.csv" : "a.jsonl");
    run(request);
    const std::string whole = read_text(request.output);
    std::filesystem::remove(request.output);
    request.resume = true;
    const JobRun again = run(request);
    EXPECT_EQ(again.summary.n_ok, 5U);
    EXPECT_EQ(read_text(request.output), whole);
  }
  TagRequest tree = request_for(s / "in", TagFormat::kCsv);
  tree.output_dir = s / "tree";
  run(tree);
  std::filesystem::remove(s / "tree/2.wav.csv");
  tree.resume = true;
  EXPECT_EQ(run(tree).summary.n_ok, 1U);
  EXPECT_TRUE(std::filesystem::exists(s / "tree/2.wav.csv"));
}

// Killed between the last rename and the end, or while new inputs followed a finished run.
TEST(TagJob, AFinishedOutputSurvivesAKillAtItsEndAndOneOfTheRunThatFollows) {
  const Scratch s;
  make_recordings(s, 4);
  TagRequest request = request_for(s / "in", TagFormat::kCsv);
  request.output = s / "a.csv";
  run(request);
  const std::string whole = read_text(s / "a.csv");
  request.resume = true;

  // As if the journal had not been removed.
  s.write("a.csv.progress",
          "{\"input\": " + json_text((s / "in/deep/0.wav").native()) + ", \"end\": 99999999, \"rows\": 3}\n");
  EXPECT_EQ(run(request).summary.n_ok, 4U);  // a journal that does not fit the file is not believed
  EXPECT_EQ(read_text(s / "a.csv"), whole);

  // A new input, and a stop before it is through.
  record(s / "in/zz.wav", noise(2.0, 9));
  std::atomic<bool> stop{true};
  request.stop = &stop;
  run(request);
  EXPECT_FALSE(std::filesystem::exists(s / "a.csv"));
  request.stop = nullptr;
  run(request);
  EXPECT_TRUE(read_text(s / "a.csv").starts_with(whole));
  EXPECT_NE(read_text(s / "a.csv").find("zz.wav"), std::string::npos);
}

TEST(TagJob, NewInputsFollowAFinishedRun) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  TagRequest request = request_for(s / "in", TagFormat::kRaven);
  request.all_scores = true;
  request.output = s / "t.txt";
  run(request);
  record(s / "in/b.wav", noise(1.0, 2));
  request.resume = true;
  run(request);
  const std::string resumed = read_text(s / "t.txt");
  request.resume = false;
  request.overwrite = true;
  run(request);
  EXPECT_EQ(resumed, read_text(s / "t.txt"));
}

TEST(TagJob, TreeMirrorsTheInputs) {
  const Scratch s;
  record(s / "in/a.wav", pattern("x"));
  record(s / "in/deep/er/a.wav", pattern("x-"));
  record(s / "other/a.wav", pattern("-x"));
  s.write("in/bad.wav", "no sound");
  TagRequest request = request_for(s / "in", TagFormat::kAudacity);
  request.inputs.push_back(s / "other");
  request.output_dir = s / "out";
  run(request, step_scorer());
  EXPECT_EQ(read_text(s / "out/a.wav.txt"), "0.000000\t1.000000\tdog\n");
  EXPECT_EQ(read_text(s / "out/deep/er/a.wav.txt"), "0.000000\t1.000000\tdog\n");
  EXPECT_EQ(read_text(s / "out/a.wav.2.txt"), "1.000000\t2.000000\tdog\n");
  EXPECT_FALSE(std::filesystem::exists(s / "out/bad.wav.txt"));
  EXPECT_TRUE(std::filesystem::exists(s / "out/ledger.jsonl"));
  EXPECT_NE(problems_of(request).find("exists"), std::string::npos);
  request.resume = true;
  EXPECT_EQ(run(request, step_scorer()).summary.n_before, 4u);
}

TEST(TagJob, EventsUseTheBundlesThresholds) {
  const Scratch s;
  record(s / "a.wav", pattern("xx-x"));
  TagRequest request = request_for(s / "a.wav", TagFormat::kCsv);
  request.events = true;
  const std::string name = (s / "a.wav").native();
  EXPECT_EQ(run(request, step_scorer()).text,
            "file,start_s,end_s,tag,score\n" + name + ",0.0,2.0,dog,0.9\n" + name + ",3.0,4.0,dog,0.9\n");
}

TEST(TagJob, EventsAreMadeAsTheBundleSaysUnlessTheRequestSaysOtherwise) {
  const Scratch s;
  record(s / "a.wav", pattern("xx-x--x"));
  Bundle bundle = fake_bundle();
  bundle.events = EventOptions{1, 0.0, 1.5, 1.5};
  const auto scorer = std::make_shared<Scorer>(bundle, make_step);
  TagRequest request = request_for(s / "a.wav", TagFormat::kAudacity);
  request.events = true;
  request.overwrite = true;
  request.output_dir = s / "out";
  run(request, scorer);
  EXPECT_EQ(read_text(s / "out/a.wav.txt"), "0.000000\t4.000000\tdog\n");
  request.event_options.set("min_duration_s", 0.0);  // the gap stays the bundle's
  run(request, scorer);
  EXPECT_EQ(read_text(s / "out/a.wav.txt"), "0.000000\t4.000000\tdog\n6.000000\t7.000000\tdog\n");
}

TEST(TagJob, OptionsOfEventsNeedEventsAndMustBeInRange) {
  const Scratch s;
  record(s / "a.wav", noise(1.0, 1));
  TagRequest request = request_for(s / "a.wav", TagFormat::kRaven);
  request.event_options.set("min_gap_s", 2.0);
  EXPECT_NE(problems_of(request).find("min_gap_s: shapes events, and no events are asked for"),
            std::string::npos)
      << problems_of(request);
  request.events = true;
  EXPECT_EQ(problems_of(request), "");
  request.event_options.set("median", 4);
  EXPECT_NE(problems_of(request).find("median: must be odd"), std::string::npos);
  request.event_options.set("hysteresis", 1.0);
  request.event_options.set("maximum", 1);
  const std::string what = problems_of(request);
  EXPECT_NE(what.find("hysteresis: "), std::string::npos) << what;
  EXPECT_NE(what.find("maximum"), std::string::npos) << what;
}

TEST(TagJob, AResumedRunMustMakeItsEventsTheSameWay) {
  const Scratch s;
  record(s / "in/a.wav", pattern("x-x"));
  TagRequest request = request_for(s / "in");
  request.events = true;
  request.output = s / "t.jsonl";
  run(request);
  record(s / "in/b.wav", pattern("x"));
  request.resume = true;
  TagRequest other = request;
  other.event_options.set("median", 3);
  EXPECT_THROW(run(other), Error);
  EXPECT_EQ(run(request).summary.n_ok, 1u);
}

TEST(TagJob, RawStreamIsTheRecording) {
  const Scratch s;
  const Waveform wave = noise(3.5, 4);
  record(s / "a.wav", wave);
  const std::string wav_bytes = read_text(s / "a.wav");
  s.write("a.raw", wav_bytes.substr(wav_bytes.size() - 2 * wave.samples.size()));
  TagRequest request = request_for(s / "a.wav", TagFormat::kCsv);
  std::string from_file = run(request).text;
  request.inputs = {"-"};
  request.raw = RawFormat{PcmEncoding::kS16le, kRate, 1};
  request.stream_fd = ::open((s / "a.raw").c_str(), O_RDONLY);
  std::string from_stream = run(request).text;
  ::close(request.stream_fd);
  request.raw.reset();
  request.stream_fd = ::open((s / "a.wav").c_str(), O_RDONLY);
  const std::string from_wav_stream = run(request).text;
  ::close(request.stream_fd);
  for (std::size_t at = 0; (at = from_file.find((s / "a.wav").native())) != std::string::npos;)
    from_file.replace(at, (s / "a.wav").native().size(), "-");
  EXPECT_EQ(from_stream, from_file);
  EXPECT_EQ(from_wav_stream, from_file);
}

TEST(TagJob, StoppedStreamKeepsItsSegments) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string bytes(static_cast<std::size_t>(2.5 * kRate) * 2, '\x11');
  ASSERT_EQ(::write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  std::atomic<bool> stop{false};
  TagRequest request = request_for("-");
  request.raw = RawFormat{PcmEncoding::kS16le, kRate, 1};
  request.stream_fd = ends[0];
  request.stop = &stop;
  request.on_progress = [&](const TagProgress& p) { stop = stop || p.audio_s >= 2.0; };
  const JobRun result = run(request);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_TRUE(result.summary.interrupted);
  ASSERT_EQ(result.entries.size(), 1u);
  EXPECT_EQ(result.entries[0].status, InputStatus::kOk);
  EXPECT_EQ(result.entries[0].segments, 2u);
  EXPECT_TRUE(result.entries[0].warnings.back().starts_with("interrupted"));
}

TEST(TagJob, EveryProblemOfARequestIsNamed) {
  const Scratch s;
  record(s / "a.wav", noise(1.0, 1));
  s.write("there", "old");
  TagRequest request = request_for(s / "a.wav", TagFormat::kAudacity);
  request.output = s / "there";
  request.threshold = 2.0;
  request.top_k = 0;
  request.raw = RawFormat{PcmEncoding::kS16le, 5, 0};
  const std::string what = problems_of(request);
  for (const char* part : {"audacity", "exists", "threshold: must be 0..1, got 2", "top_k",
                           "raw_format: describes", "raw_format: sample_rate_hz", "n_channels"})
    EXPECT_NE(what.find(part), std::string::npos) << part << "\n" << what;
  EXPECT_EQ(read_text(s / "there"), "old");
  TagRequest resume = request_for(s / "a.wav");
  resume.resume = true;
  EXPECT_NE(problems_of(resume).find("resume: needs output"), std::string::npos);
  TagRequest pictures = request_for(s / "a.wav");
  record(s / "b.wav", noise(1.0, 1));
  pictures.inputs.push_back(s / "b.wav");
  pictures.picture = s / "p.png";
  EXPECT_NE(problems_of(pictures).find("picture"), std::string::npos);
}

TEST(TagJob, FullOrForbiddenOutputEndsTheJob) {
  const Scratch s;
  make_recordings(s, 6);
  TagRequest request = request_for(s / "in");
  request.output = s / "no/such/folder/out.jsonl";
  EXPECT_THROW(run(request), Error);
  TagRequest failing = request_for(s / "in");
  failing.on_text = [](std::string_view) { throw Error(ErrorCode::kIo, "the disk is full"); };
  EXPECT_THROW(TagJob(failing).run(*mean_scorer()), Error);
}

}  // namespace
}  // namespace earmark::testing
