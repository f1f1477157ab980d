#include "tagger/clips.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cctype>
#include <cmath>
#include <csignal>
#include <set>

#include "audio/read_audio.h"
#include "audio/write_flac.h"
#include "core/csv.h"
#include "job_case.h"
#include "tagger/run_file.h"

namespace earmark::testing {
namespace {

TagInput input_of(const std::string& relative, const std::string& name = "") {
  return {relative, name.empty() ? relative : name, relative, std::nullopt};
}

Waveform heard(const std::filesystem::path& path) {
  ReadOptions options;
  options.channels = ChannelMode::kKeep;
  auto loaded = read_audio(path, options);
  EXPECT_TRUE(loaded) << path;
  return loaded ? loaded->waveform : Waveform{};
}

// [n_channels, n] of the samples from..to of every channel.
std::vector<float> part_of(const Waveform& wave, std::size_t from, std::size_t to) {
  std::vector<float> part;
  for (std::size_t c = 0; c < static_cast<std::size_t>(wave.n_channels); ++c) {
    const auto begin = wave.samples.begin() + static_cast<std::ptrdiff_t>(c * wave.n_samples());
    part.insert(part.end(), begin + static_cast<std::ptrdiff_t>(from),
                begin + static_cast<std::ptrdiff_t>(to));
  }
  return part;
}

std::set<std::string> files_below(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) names.insert(std::filesystem::relative(entry.path(), folder).string());
  }
  return names;
}

ClipFolder folder_at(const std::filesystem::path& path, double margin_s) {
  ClipFolder::Options options;
  options.folder = path;
  options.margin_s = margin_s;
  options.tags = {"dog", "rain"};
  return ClipFolder(options, {});
}

TEST(ClipNames, SafeOnEveryFileSystemAndToldApart) {
  const std::vector<std::string> tags{"dog",
                                      "DOG",
                                      "a/b\\c",
                                      "a_b c",
                                      "../../etc",
                                      "",
                                      "...",
                                      "rain, heavy",
                                      "say \"hi\"?",
                                      "\xC3\xA4\xE2\x82\xAC",
                                      std::string(300, 'x'),
                                      std::string(299, 'x') + "y",
                                      "b\xFF",
                                      "tab\t*",
                                      "/",
                                      "\xE9\xB8\x9F" + std::string(58, 'y')};
  const std::vector<std::string> names = safe_tag_names(tags);
  std::set<std::string> lower;
  for (const std::string& name : names) {
    EXPECT_FALSE(name.empty());
    EXPECT_LE(name.size(), 64u);
    EXPECT_EQ(name.find_first_of("/\\:*?\"<>|_ \t\n"), std::string::npos) << name;
    std::string folded = name;
    for (char& c : folded) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_TRUE(lower.insert(folded).second) << name;
  }
  EXPECT_EQ(names[0], "dog");
  EXPECT_EQ(names[1], "DOG-2");
  EXPECT_EQ(names[7], "rain,-heavy");
  EXPECT_EQ(names[9], "\xC3\xA4\xE2\x82\xAC");
}

TEST(ClipNames, PrefixesMirrorTheTreeAndStayBelowTheFolder) {
  const std::vector<std::string> prefixes =
      clip_prefixes({input_of("a.wav"), input_of("deep/er/a.wav"), input_of("a.wav"), input_of("A.wav"),
                     input_of("../../x.wav"), input_of(".hidden/.x.wav"), input_of("new\nline.wav"),
                     input_of(std::string(250, 'n') + "1.wav"), input_of(std::string(250, 'n') + "2.wav")});
  EXPECT_EQ(prefixes[0], "a.wav");
  EXPECT_EQ(prefixes[1], "deep/er/a.wav");
  EXPECT_EQ(prefixes[2], "a.wav.2");
  EXPECT_EQ(prefixes[3], "A.wav.3");
  EXPECT_EQ(prefixes[4], "-/-/x.wav");
  EXPECT_EQ(prefixes[5], "-hidden/-x.wav");
  EXPECT_EQ(prefixes[6], "new-line.wav");
  EXPECT_NE(prefixes[7], prefixes[8]);
  EXPECT_LE(prefixes[7].size(), 140u);
}

TEST(ClipNames, SortByTimeAndAreUniqueWithinAMillisecond) {
  const std::vector<TagEvent> events{
      {0, 2.0, 3.0, 0.5f}, {1, 2.0, 3.0, 0.5f}, {0, 10.0, 11.0, 0.5f}, {0, 10.0001, 11.0, 0.5f}};
  EXPECT_EQ(clip_names("d/a.wav", events, {"dog", "rain"}),
            (std::vector<std::string>{"d/a.wav_000002.000_dog.flac", "d/a.wav_000002.000_rain.flac",
                                      "d/a.wav_000010.000_dog.flac", "d/a.wav_000010.000-2_dog.flac"}));
}

struct Kind {
  int rate, n_channels;
  WavFormat format;
  int n_bits;  // of the clip
};

TEST(ClipFolder, ClipsAreTheRecordingToTheSample) {
  for (const Kind& kind : {Kind{48000, 2, WavFormat::kPcm16, 16}, Kind{11025, 1, WavFormat::kPcm16, 16},
                           Kind{44100, 3, WavFormat::kPcm24, 24}, Kind{22050, 2, WavFormat::kFloat, 24}}) {
    const Scratch s;
    record(s / "a.wav", noise(3.0, 5, kind.rate, kind.n_channels), kind.format);
    const ClipFolder folder = folder_at(s / "clips", 0.25);
    // At the beginning, overlapping in the middle, at the end.
    const std::vector<TagEvent> events{
        {0, 0.1, 0.7, 0.5f}, {0, 1.0, 2.0, 0.75f}, {1, 1.5, 1.6, 0.5f}, {0, 2.5, 3.0, 0.5f}};
    const auto clips = folder.cut(input_of((s / "a.wav").native()), "sub/a.wav", events, nullptr);
    EXPECT_EQ(clips.warning, "");
    ASSERT_EQ(clips.rows.size(), 4u);
    EXPECT_EQ(clips.rows[1].clip, "sub/a.wav_000001.000_dog.flac");
    EXPECT_EQ(clips.rows[1].tags, "dog;rain");
    EXPECT_EQ(clips.rows[2].tags, "rain;dog");
    EXPECT_EQ(clips.rows[0].tags, "dog");
    const Waveform whole = heard(s / "a.wav");
    const double limits[4][2] = {{0.0, 0.95}, {0.75, 2.25}, {1.25, 1.85}, {2.25, 3.0}};
    for (std::size_t i = 0; i < 4; ++i) {
      const Waveform clip = heard(s / "clips" / clips.rows[i].clip);
      EXPECT_EQ(clip.sample_rate_hz, kind.rate);
      EXPECT_EQ(clip.n_channels, kind.n_channels);
      EXPECT_EQ((*open_audio(s / "clips" / clips.rows[i].clip))->n_bits(), kind.n_bits);
      const auto at = [&](double t) { return static_cast<std::size_t>(std::llround(t * kind.rate)); };
      const std::vector<float> expected = part_of(whole, at(limits[i][0]), at(limits[i][1]));
      ASSERT_EQ(clip.samples.size(), expected.size()) << i << " at " << kind.rate;
      if (kind.format != WavFormat::kFloat) {
        EXPECT_EQ(clip.samples, expected) << i << " at " << kind.rate;
      } else {  // half a step of 24 bits
        for (std::size_t k = 0; k < expected.size(); ++k)
          ASSERT_NEAR(clip.samples[k], expected[k], 0.5 / 8388608.0 + 1e-9);
      }
    }
  }
}

TEST(ClipFolder, MoreOverlappingClipsThanAreOpenAtOnceAreAllCut) {
  const Scratch s;
  const Waveform wave = noise(4.0, 5);
  record(s / "a.wav", wave);
  const ClipFolder folder = folder_at(s / "clips", 1.0);
  std::vector<TagEvent> events;
  for (int i = 0; i < 200; ++i) events.push_back({0, 1.0 + 0.005 * i, 1.004 + 0.005 * i, 0.5f});
  const auto clips = folder.cut(input_of((s / "a.wav").native()), "a.wav", events, nullptr);
  EXPECT_EQ(clips.rows.size(), 200u);
  const Waveform whole = heard(s / "a.wav");
  for (std::size_t i = 0; i < 200; ++i) {
    const std::size_t from = i * 40;  // 0.005 s at 8 kHz
    EXPECT_EQ(heard(s / "clips" / clips.rows[i].clip).samples, part_of(whole, from, from + 16032)) << i;
  }
}

TEST(ClipFolder, ARecordingThatIsGoneShorterOrTooManyChannelsIsAWarning) {
  const Scratch s;
  const ClipFolder folder = folder_at(s / "clips", 0.0);
  const std::vector<TagEvent> events{{0, 0.0, 1.0, 0.5f}, {0, 2.0, 3.0, 0.5f}};
  const auto gone = folder.cut(input_of((s / "gone.wav").native()), "gone.wav", events, nullptr);
  EXPECT_TRUE(gone.rows.empty());
  EXPECT_TRUE(gone.warning.starts_with("clips_missing: 2 of 2 could not be cut: not_found: "))
      << gone.warning;
  record(s / "short.wav", noise(2.5, 1));
  const auto cut_off = folder.cut(input_of((s / "short.wav").native()), "short.wav", events, nullptr);
  EXPECT_EQ(cut_off.rows.size(), 1u);
  EXPECT_EQ(cut_off.warning,
            "clips_missing: 1 of 2 could not be cut: truncated: the recording now ends after 2.500 s");
  record(s / "many.wav", noise(3.0, 1, 8000, 9));
  const auto many = folder.cut(input_of((s / "many.wav").native()), "many.wav", events, nullptr);
  EXPECT_NE(many.warning.find("unsupported: n_channels: FLAC holds 1..8, got 9"), std::string::npos)
      << many.warning;
  EXPECT_EQ(files_below(s / "clips"),
            (std::set<std::string>{"manifest.csv", "short.wav_000000.000_dog.flac"}));
}

TagRequest clips_of(const Scratch& s, TagFormat format = TagFormat::kCsv) {
  TagRequest request = request_for(s / "in", format);
  request.output = s / "t";
  request.clips = s / "clips";
  return request;
}

TEST(TagJob, ClipsOfEventsInWhateverFormat) {
  const Scratch s;
  record(s / "in/a.wav", pattern("-xx--x"));
  record(s / "in/deep/b.wav", pattern("--"));
  s.write("in/c.wav", "no sound");
  const std::string in = (s / "in/").native();
  const std::string expected =
      "file,tags,group,start_s,end_s,tag,score\n"
      "a.wav_000001.000_dog.flac,dog," +
      in +
      "a.wav,1.0,3.0,dog,0.9\n"
      "a.wav_000005.000_dog.flac,dog," +
      in + "a.wav,5.0,6.0,dog,0.9\n";
  for (const TagFormat format : {TagFormat::kCsv, TagFormat::kJsonl, TagFormat::kSqlite, TagFormat::kRaven}) {
    TagRequest request = clips_of(s, format);
    request.overwrite = true;
    EXPECT_EQ(run(request, step_scorer()).summary.n_clips, 2u);
    EXPECT_EQ(read_text(s / "clips/manifest.csv"), expected);
    EXPECT_EQ(files_below(s / "clips"),
              (std::set<std::string>{"a.wav_000001.000_dog.flac", "a.wav_000005.000_dog.flac", "manifest.csv",
                                     "run.json"}));
  }
  // Half a second before and behind, as far as there is sound.
  EXPECT_EQ(heard(s / "clips/a.wav_000001.000_dog.flac").n_samples(), 3u * kRate);
  EXPECT_EQ(heard(s / "clips/a.wav_000005.000_dog.flac").n_samples(), 3u * kRate / 2);
  EXPECT_EQ(read_run_file(s / "clips/run.json").options.at("clip_margin_s").as_number(), 0.5);
}

TEST(TagJob, OverwriteRemovesTheClipsThatTheListNamesAndNoOthers) {
  const Scratch s;
  record(s / "in/a.wav", pattern("xx-x"));
  TagRequest request = clips_of(s);
  run(request, step_scorer());
  EXPECT_NE(problems_of(request).find("clips: "), std::string::npos);
  s.write("clips/mine.flac", "x");
  s.write("precious.flac", "x");
  write_text(s / "clips/manifest.csv",
             read_text(s / "clips/manifest.csv") + "../precious.flac,x,x,0,1,x,1\n");
  record(s / "in/a.wav", pattern("-x"));
  request.overwrite = true;
  run(request, step_scorer());
  EXPECT_EQ(files_below(s / "clips"),
            (std::set<std::string>{"a.wav_000001.000_dog.flac", "manifest.csv", "mine.flac", "run.json"}));
  EXPECT_TRUE(std::filesystem::exists(s / "precious.flac"));
}

TEST(TagJob, ResumedClipsEqualUninterrupted) {
  const Scratch s;
  for (int i = 0; i < 5; ++i)
    record(s / ("in/" + std::to_string(i) + ".wav"), pattern(i % 2 == 0 ? "x-xx" : "-x-x-x"));
  TagRequest whole = clips_of(s);
  whole.threads = 1;
  run(whole, step_scorer());
  const auto names = files_below(s / "clips");
  for (int n_done = 1; n_done < 5; ++n_done) {
    TagRequest part = whole;
    part.output = s / "p";
    part.clips = s / "pc";
    part.overwrite = true;
    std::atomic<bool> stop{false};
    part.stop = &stop;
    int n = 0;
    part.on_done = [&](const LedgerEntry&) { stop = ++n >= n_done; };
    EXPECT_TRUE(TagJob(part).run(*step_scorer()).interrupted);
    // As a kill between the list and the ledger, in the middle of a row, leaves it.
    write_text(s / "pc/manifest.csv",
               read_text(s / "pc/manifest.csv") + "x.flac,dog," + (s / "in/4.wav").native() + ",0.0");
    write_text(s / "pc/run.json.999999999.1.tmp", "{");  // of a process that is no more
    part.overwrite = false;
    part.resume = true;
    part.stop = nullptr;
    run(part, step_scorer());
    EXPECT_EQ(files_below(s / "pc"), names);
    for (const std::string& name : names) {
      if (name == "run.json") continue;  // it tells the time
      EXPECT_EQ(read_text(s / ("pc/" + name)), read_text(s / ("clips/" + name))) << name;
    }
  }
  TagRequest other = whole;
  other.resume = true;
  other.clip_margin_s = 2.0;
  EXPECT_THROW(run(other, step_scorer()), Error);
  // Half of the clips in one folder and half in another.
  other.clip_margin_s = whole.clip_margin_s;
  run(other, step_scorer());
  for (const char* folder : {"elsewhere", "pc"}) {
    other.clips = s / folder;
    try {
      run(other, step_scorer());
      FAIL() << folder << " was accepted";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("is not the folder that the run began with"), std::string::npos)
          << e.what();
    }
  }
  EXPECT_FALSE(std::filesystem::exists(s / "elsewhere/manifest.csv"));
}

TEST(TagJob, ClipsThatCannotBeMadeAreNamedBeforehand) {
  const Scratch s;
  TagRequest request = request_for("-");
  request.clips = s / "clips";
  request.clip_margin_s = -1.0;
  const std::string what = problems_of(request);
  EXPECT_NE(what.find("clips: the standard input cannot be read a second time"), std::string::npos) << what;
  EXPECT_NE(what.find("clip_margin_s: must be 0..3600, got -1"), std::string::npos) << what;
  record(s / "in/a.wav", noise(1.0, 1));
  TagRequest inside = request_for(s / "in");
  inside.clips = s / "in/../in/new/clips";
  EXPECT_NE(problems_of(inside).find("lies in"), std::string::npos);
  inside.clips = s / "in2";
  EXPECT_EQ(problems_of(inside), "");
  inside.clips = s / "in/a.wav";
  EXPECT_NE(problems_of(inside).find("must be a folder"), std::string::npos);
}

TEST(TagJob, AFullDiskUnderClipsStopsCleanlyAndTheRunGoesOnLater) {
  const Scratch s;
  record(s / "in/a.wav", pattern("x"));
  record(s / "in/b.wav", noise(30.0, 1));  // 400 kB as FLAC
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 100000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  TagRequest request = clips_of(s);
  request.threads = 1;
  const TagSummary stopped = run(request, step_scorer()).summary;
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_NE(stopped.output_failure.find("clips/b.wav"), std::string::npos) << stopped.output_failure;
  EXPECT_FALSE(std::filesystem::exists(s / "clips/b.wav_000000.000_dog.flac"));
  request.resume = true;
  EXPECT_EQ(run(request, step_scorer()).summary.n_before, 1u);
  EXPECT_EQ(heard(s / "clips/b.wav_000000.000_dog.flac").n_samples(), 30u * kRate);
}

TEST(RunFile, StandsBesideEveryOutputAndSaysWhereItComesFrom) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  s.write("m.earmark", "bytes");
  for (const TagFormat format : {TagFormat::kTable, TagFormat::kCsv, TagFormat::kJsonl, TagFormat::kRaven}) {
    TagRequest request = request_for(s / "in", format);
    request.overwrite = true;
    request.output = s / "out";
    request.bundle = s / "m.earmark";
    request.program = "earmark 1.2.3";
    request.threshold = 0.25;
    run(request);
    const RunRecord made = read_run_file(s / "out.run.json");
    EXPECT_EQ(made.program, "earmark 1.2.3");
    // FNV-1a of "bytes", 64 bits: what `earmark model info` calls the bundle.
    EXPECT_EQ(made.bundle_id, bundle_id(std::as_bytes(std::span<const char>("bytes", 5))));
    EXPECT_EQ(made.bundle, (s / "m.earmark").string());
    EXPECT_EQ(made.options.at("threshold").as_number(), 0.25);
    EXPECT_EQ(made.n_inputs, 1);
    EXPECT_EQ(made.state, "done");
    EXPECT_LT(made.started_at, made.finished_at);
    EXPECT_EQ(made.started_at.size(), std::string("2026-01-31T12:00:00.123456Z").size());
  }
  TagRequest tree = request_for(s / "in", TagFormat::kAudacity);
  tree.output_dir = s / "labels";
  run(tree);
  EXPECT_EQ(read_run_file(s / "labels/run.json").state, "done");
}

TEST(RunFile, AnotherBundleIsNotMixedIntoARunThatIsResumed) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  TagRequest request = request_for(s / "in");
  request.output = s / "out";
  request.bundle = s.write("m.earmark", "bytes");
  run(request);
  request.resume = true;
  run(request);
  request.bundle = s.write("n.earmark", "other");
  try {
    run(request);
    FAIL() << "must not be accepted";
  } catch (const Error& e) {
    ASSERT_EQ(e.problems().size(), 1u);
    EXPECT_TRUE(e.problems()[0].starts_with("bundle_id: the run was begun with ")) << e.problems()[0];
  }
}

}  // namespace
}  // namespace earmark::testing
