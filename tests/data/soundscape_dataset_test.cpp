#include "data/soundscape_dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "audio/read_audio.h"
#include "audio/write_wav.h"
#include "core/csv.h"
#include "core/file.h"
#include "data/dataset_fixture.h"
#include "data/sound_tools.h"
#include "data/tone_power.h"

namespace earmark {
namespace {

using testing::expect_parts;
using testing::joined;
using testing::Scratch;

SoundscapeOptions small_options() {
  SoundscapeOptions options;
  options.n_scenes = 24;
  options.duration_s = 1.0;
  options.sample_rate_hz = 16000;
  options.n_sensors = 6;
  return options;
}

WrittenSoundscapes write(const Scratch& dir, const Soundscapes& scenes, SoundscapeLayout layout,
                         int n_threads = 1) {
  WriteSoundscapes request;
  request.folder = dir.path();
  request.layout = layout;
  request.n_threads = n_threads;
  return write_soundscapes(scenes, request);
}

/// Contents by path below the folder.
std::map<std::string, std::string> files_of(const Scratch& dir) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path())) {
    if (entry.is_regular_file())
      files[std::filesystem::relative(entry.path(), dir.path()).string()] = read_text(entry.path());
  }
  return files;
}

/// Tags by file, from events.csv.
std::map<std::string, std::set<std::string>> listed_tags(const Scratch& dir) {
  std::map<std::string, std::set<std::string>> tags;
  const CsvTable table = CsvTable::read(dir / "events.csv");
  EXPECT_EQ(table.columns(),
            (std::vector<std::string>{"file", "start_s", "end_s", "tag", "proximity", "snr_db"}));
  for (const CsvRow& row : table.rows()) tags[row.fields[0]].insert(row.fields[3]);
  return tags;
}

TEST(WriteSoundscapes, GivesTheSameBytesForOneThreadAndForThreeAndOthersForAnotherSeed) {
  const Scratch one, three, other;
  SoundscapeOptions options = small_options();
  write(one, Soundscapes(options), SoundscapeLayout::kSonycUst, 1);
  write(three, Soundscapes(options), SoundscapeLayout::kSonycUst, 3);
  options.seed = 2;
  write(other, Soundscapes(options), SoundscapeLayout::kSonycUst, 3);
  const auto a = files_of(one), b = files_of(three), c = files_of(other);
  EXPECT_EQ(a.size(), 24U + 4U);
  EXPECT_TRUE(a == b);
  for (const auto& [name, content] : a) {
    ASSERT_TRUE(c.contains(name)) << name;
    EXPECT_EQ(content == c.at(name), name == "dcase-ust-taxonomy.yaml") << name;
  }
}

TEST(WriteSoundscapes, LoadsAsSonycUstWithoutAWarning) {
  const Scratch dir;
  const Soundscapes scenes(small_options());
  const WrittenSoundscapes written = write(dir, scenes, SoundscapeLayout::kSonycUst);
  EXPECT_TRUE(written.complete);
  const Dataset data = load_dataset("sonyc_ust", dir.path());
  EXPECT_TRUE(data.warnings.empty()) << joined(data.warnings);
  EXPECT_TRUE(data.unlisted.empty());
  ASSERT_EQ(data.clips.size(), 24U);
  std::map<std::string, std::set<std::string>> splits_of_sensor;
  std::array<std::size_t, 3> n{};
  for (const Clip& clip : data.clips) {
    splits_of_sensor[clip.group].insert(clip.split);
    ++n[static_cast<std::size_t>(std::find(kSplits.begin(), kSplits.end(), clip.split) - kSplits.begin())];
    EXPECT_EQ(clip.verified, clip.split != "train");
    const auto audio = read_audio(clip.path);
    ASSERT_TRUE(audio);
    EXPECT_EQ(audio->waveform.n_samples(), 16000U);
    EXPECT_EQ(clip.metadata.at("year") == "2019", clip.split == "test") << "the test is later in time";
  }
  EXPECT_EQ(n, written.n_clips);
  EXPECT_EQ(n, (std::array<std::size_t, 3>{16, 4, 4}));
  for (const auto& [sensor, splits] : splits_of_sensor) EXPECT_EQ(splits.size(), 1U) << sensor;
}

TEST(WriteSoundscapes, TheConsensusSaysWhatTheStrongLabelsSay) {
  const Scratch dir;
  const Soundscapes scenes(small_options());
  write(dir, scenes, SoundscapeLayout::kSonycUst);
  auto listed = listed_tags(dir);
  const SonycAnnotations annotations = load_sonyc_annotations(dir / "annotations.csv");
  const Taxonomy taxonomy = known_taxonomy("sonyc_ust");
  std::size_t n_consensus = 0, n_present = 0;
  for (const SonycRow& row : annotations.rows) {
    if (!row.votes.is_consensus()) continue;
    ++n_consensus;
    std::set<std::string> coarse;
    for (std::size_t tag = 0; tag < taxonomy.size(); ++tag) {
      if (taxonomy.parents[tag] < 0) continue;
      const bool present = listed[row.file].contains(taxonomy.tags[tag]);
      EXPECT_EQ(row.votes.votes[tag] == 1, present) << row.file << " " << taxonomy.tags[tag];
      n_present += present;
      if (present) coarse.insert(taxonomy.tags[static_cast<std::size_t>(taxonomy.parents[tag])]);
    }
    for (const std::size_t parent : taxonomy.top_level())
      EXPECT_EQ(row.votes.votes[parent] == 1, coarse.contains(taxonomy.tags[parent])) << row.file;
  }
  EXPECT_EQ(n_consensus, 8U);
  EXPECT_GT(n_present, 5U);
  EXPECT_EQ(annotations.rows.size(), 24U * 3U + 8U);
}

TEST(WriteSoundscapes, TheFolderLayoutTagsWhatIsListed) {
  const Scratch dir;
  const Soundscapes scenes(small_options());
  const WrittenSoundscapes written = write(dir, scenes, SoundscapeLayout::kFolder);
  auto listed = listed_tags(dir);
  const Dataset data = load_dataset("folder", dir.path());
  EXPECT_TRUE(data.warnings.empty()) << joined(data.warnings);
  ASSERT_EQ(data.clips.size(), 24U);
  std::size_t n_tags = 0;
  for (const Clip& clip : data.clips) {
    const auto tags = testing::tags_of(data, clip);
    EXPECT_EQ(std::set<std::string>(tags.begin(), tags.end()), listed[clip.id]);
    n_tags += tags.size();
    EXPECT_FALSE(clip.group.empty());
  }
  EXPECT_GT(n_tags, 24U);
  EXPECT_GE(written.n_events, n_tags);
}

TEST(WriteSoundscapes, SaysThatItIsSynthetic) {
  const Scratch dir;
  write(dir, Soundscapes(small_options()), SoundscapeLayout::kSonycUst);
  expect_parts(read_text(dir / "README.txt"),
               {"SYNTHETIC", "Nothing in this folder was recorded", "seed: 1"});
  expect_parts(read_text(dir / "dcase-ust-taxonomy.yaml"), {"SYNTHETIC"});
}

TEST(WriteSoundscapes, StoppedItLeavesNoListsThatWouldPassForWhole) {
  const Scratch dir;
  const Soundscapes scenes(small_options());
  write(dir, scenes, SoundscapeLayout::kSonycUst);
  std::atomic<bool> stop{false};
  WriteSoundscapes request;
  request.folder = dir.path();
  request.n_threads = 1;
  request.stop = &stop;
  request.on_progress = [&](std::size_t done) { stop = done == 3; };
  EXPECT_FALSE(write_soundscapes(scenes, request).complete);
  EXPECT_FALSE(std::filesystem::exists(dir / "annotations.csv"));
  EXPECT_FALSE(std::filesystem::exists(dir / "events.csv"));
}

/// A library of tones: bells at 3000 Hz in three recordings, barks at 500 Hz in one.
class ToneLibrary : public ::testing::Test {
 protected:
  ToneLibrary() {
    for (const char* name : {"bell/a.wav", "bell/b.wav", "bell/c.wav", "bark/d.wav"}) {
      std::filesystem::create_directories((dir_ / name).parent_path());
      const double hz = name[1] == 'e' ? 3000.0 : 500.0;
      std::vector<float> x(24000, 0.0f);  // half a second of silence, one of the tone
      for (std::size_t i = 8000; i < x.size(); ++i)
        x[i] = static_cast<float>(0.3 * std::sin(kTurn * hz * static_cast<double>(i) / 16000.0));
      write_wav(dir_ / name, Waveform{16000, 1, std::move(x)});
    }
  }
  EventLibrary library(const TagMap& map = {}) const {
    return EventLibrary(load_dataset("folder", dir_.path()), map, {0.6, 0.2, 0.2}, 1);
  }
  const Scratch dir_;
};

TEST_F(ToneLibrary, ItsRecordingsAppearAsEvents) {
  SoundscapeOptions options = small_options();
  options.duration_s = 3.0;
  options.sensor_colour_db = 0.0;
  options.sensor_noise_db = -140.0;
  options.min_snr_db = options.max_snr_db = 10.0;
  const Soundscapes scenes(options, library(), true);
  EXPECT_EQ(scenes.tags(), (std::vector<std::string>{"bark", "bell"}));
  std::set<std::size_t> heard;
  for (std::size_t number = 0; number < 60; ++number) {
    const ScenePlan plan = scenes.plan(number);
    if (plan.events.size() != 1) continue;
    const Soundscape scene = scenes.render(plan);
    ASSERT_EQ(scene.plan.events.size(), 1U);
    const SoundscapeEvent& event = scene.plan.events[0];
    EXPECT_LE(event.end_s - event.start_s, 1.001) << "one second sounds";
    const auto begin = static_cast<std::size_t>(event.start_s * 16000.0);
    const auto n = static_cast<std::size_t>((event.end_s - event.start_s) * 16000.0);
    const std::span<const float> part = std::span(scene.waveform.samples).subspan(begin, n);
    // 10 dB over the street: ten elevenths of the power, blurred by fades and echoes.
    EXPECT_GT(testing::tone_power(part, event.tag == 1 ? 3000.0 : 500.0, 16000.0), 0.5) << number;
    heard.insert(event.tag);
  }
  EXPECT_EQ(heard.size(), 2U);
}

TEST_F(ToneLibrary, MappedTagsGiveWayToItsRecordingsAndTheOthersStayBuiltIn) {
  const Scratch out;
  SoundscapeOptions options = small_options();
  const Soundscapes scenes(options, library({{"bark", "8-1_dog-barking-whining"}}), false);
  EXPECT_EQ(scenes.tags().size(), 29U);
  std::size_t n_dogs = 0, n_others = 0;
  for (std::size_t number = 0; number < 600; ++number) {
    const ScenePlan plan = scenes.plan(number);
    const bool train = scenes.sensors()[plan.sensor].split == 0;
    for (const SoundscapeEvent& event : plan.events) {
      const bool dog = scenes.tags()[event.tag] == "8-1_dog-barking-whining";
      // The one recording there is belongs to train; elsewhere the dog is built in.
      EXPECT_EQ(event.recording.has_value(), dog && train);
      ++(dog ? n_dogs : n_others);
    }
  }
  EXPECT_GT(n_dogs, 20U);
  EXPECT_GT(n_others, 500U);
  write(out, scenes, SoundscapeLayout::kSonycUst);
  EXPECT_EQ(load_dataset("sonyc_ust", out.path()).clips.size(), 24U);
}

TEST_F(ToneLibrary, NoRecordingIsInTwoSplits) {
  const EventLibrary events = library();
  EXPECT_EQ(events.size(), 4U);
  std::map<std::size_t, std::set<std::size_t>> parts_of;
  for (std::size_t part = 0; part < 3; ++part) {
    EXPECT_TRUE(events.has("bell", part)) << "three recordings, one each";
    EXPECT_EQ(events.has("bark", part), part == 0) << "one recording";
    Rng rng(1, "draw", 0, part);
    for (int k = 0; k < 20; ++k) parts_of[events.draw("bell", part, rng)].insert(part);
  }
  EXPECT_EQ(parts_of.size(), 3U);
  for (const auto& [recording, parts] : parts_of) EXPECT_EQ(parts.size(), 1U);
  EXPECT_FALSE(events.has("cat", 0));
}

TEST_F(ToneLibrary, RecordingsOfOneGroupStayTogether) {
  dir_.write(
      "manifest.csv",
      "file,tags,group\nbell/a.wav,bell,g1\nbell/b.wav,bell,g1\nbell/c.wav,bell,g2\nbark/d.wav,bark,g2\n");
  const EventLibrary events = library();
  std::map<std::string, std::set<std::size_t>> parts_of;
  for (std::size_t part = 0; part < 3; ++part) {
    for (const char* tag : {"bell", "bark"}) {
      Rng rng(1, "draw", 0, part);
      for (int k = 0; k < 20 && events.has(tag, part); ++k)
        parts_of[events.recording(events.draw(tag, part, rng)).group].insert(part);
    }
  }
  ASSERT_EQ(parts_of.size(), 2U);
  for (const auto& [group, parts] : parts_of) EXPECT_EQ(parts.size(), 1U) << group;
}

TEST_F(ToneLibrary, ReadsWhatSoundsWithoutTheSilenceAround) {
  const EventLibrary events = library();
  Rng rng(1, "read");
  const auto whole = read_event(events.recording(0), 5.0, 16000, rng);
  EXPECT_NEAR(static_cast<double>(whole.size()), 16000.0, 2.0);
  EXPECT_EQ(read_event(events.recording(0), 0.25, 16000, rng).size(), 4000U);
  EXPECT_NEAR(static_cast<double>(read_event(events.recording(0), 5.0, 32000, rng).size()), 32000.0, 200.0);
  const Scratch other;
  write_wav(other / "silent.wav", Waveform{16000, 1, std::vector<float>(16000, 0.0f)});
  Clip clip;
  clip.path = other / "silent.wav";
  EXPECT_TRUE(read_event(clip, 5.0, 16000, rng).empty());
  clip.path = other.write("broken.wav", "RIFF of nothing");
  EXPECT_THROW(read_event(clip, 5.0, 16000, rng), Error);
}

TEST_F(ToneLibrary, EventsOfNothingAreNotListed) {
  const Scratch silent;
  write_wav(silent / "nothing.wav", Waveform{16000, 1, std::vector<float>(16000, 0.0f)});
  silent.write("manifest.csv", "file,tags\nnothing.wav,void\n");
  const Soundscapes scenes(small_options(),
                           EventLibrary(load_dataset("folder", silent.path()), {}, {0.6, 0.2, 0.2}, 1), true);
  std::size_t n_planned = 0;
  for (std::size_t number = 0; number < 12; ++number) {
    const ScenePlan plan = scenes.plan(number);
    n_planned += plan.events.size();
    EXPECT_TRUE(scenes.render(plan).plan.events.empty());
  }
  EXPECT_GT(n_planned, 5U);
}

TEST_F(ToneLibrary, TagsThatFitNoLayoutAreNamed) {
  const Scratch out;
  try {
    write(out, Soundscapes(small_options(), library(), true), SoundscapeLayout::kSonycUst);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.problems().size(), 2U);
    expect_parts(error.what(), {"'bark'", "'bell'"});
  }
  EXPECT_THROW(library({{"meow", "cat"}, {"bell", "x"}}), Error);
  try {
    write(out, Soundscapes(small_options(), library({{"bell", "a;b"}}), true), SoundscapeLayout::kFolder);
    FAIL();
  } catch (const Error& error) {
    expect_parts(error.what(), {"'a;b'"});
  }
}

TEST(ReadTagMap, NamesEveryLineThatIsWrong) {
  const Scratch dir;
  const std::vector<std::string> allowed{"5-3_siren", "8-1_dog-barking-whining"};
  EXPECT_EQ(read_tag_map(dir.write("map.yaml", "dog: 8-1_dog-barking-whining\n"), allowed),
            (TagMap{{"dog", "8-1_dog-barking-whining"}}));
  try {
    read_tag_map(dir.write("map.yaml", "dog: 8-1_dog-barking-whining\ncat: 9_cat\nsiren: [1]\n"), allowed);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.problems().size(), 2U);
    expect_parts(error.what(),
                 {"map.yaml:2: cat: must be one of 5-3_siren", "got '9_cat'", "map.yaml:3: siren"});
  }
  EXPECT_THROW(read_tag_map(dir.write("map.yaml", "- dog\n"), {}), Error);
  EXPECT_THROW(read_tag_map(dir / "none.yaml", {}), Error);
}

}  // namespace
}  // namespace earmark
