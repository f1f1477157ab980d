#include "data/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "audio/read_audio.h"
#include "audio/write_wav.h"
#include "core/file.h"
#include "core/rng.h"
#include "data/clip_part.h"
#include "data/dataset_fixture.h"
#include "data/simulate.h"
#include "data/splits.h"
#include "golden_path.h"

namespace earmark {
namespace {

Waveform scene(std::uint64_t seed, int rate_hz = kFingerprintRateHz) {
  SimulateOptions options;
  options.sample_rate_hz = rate_hz;
  options.duration_s = 8.0;
  options.min_snr_db = options.max_snr_db = 20.0;
  return simulate_clip({seed % 2 == 0 ? "siren" : "hammering", "engine"}, seed, options);
}

Waveform part(const Waveform& whole, double from_s, double to_s, float gain, float noise) {
  Waveform cut{whole.sample_rate_hz, 1, {}};
  Rng rng(9, "noise");
  const auto first = static_cast<std::size_t>(from_s * whole.sample_rate_hz);
  const auto last = static_cast<std::size_t>(to_s * whole.sample_rate_hz);
  for (std::size_t i = first; i < last; ++i)
    cut.samples.push_back(gain * whole.samples[i] + noise * static_cast<float>(rng.normal()));
  return cut;
}

TEST(NearDuplicates, AnExcerptIsFoundAtItsPlaceThoughQuieterNoisierAndShorter) {
  std::vector<Fingerprint> prints;
  for (std::uint64_t seed = 0; seed < 6; ++seed) prints.push_back(fingerprint(scene(seed)));
  prints.push_back(fingerprint(part(scene(3), 2.0, 6.0, 0.3f, 0.0005f)));
  const std::vector<NearDuplicate> found = near_duplicates(prints);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].first, 3U);
  EXPECT_EQ(found[0].second, 6U);
  EXPECT_NEAR(found[0].offset_s, 2.0, 0.03);
  EXPECT_GT(found[0].similarity, 0.8);
  EXPECT_NEAR(found[0].shared_s, 4.0, 0.6);
}

TEST(NearDuplicates, OtherSoundsOfTheSameKindAreNone) {
  std::vector<Fingerprint> prints;
  for (std::uint64_t seed = 10; seed < 40; ++seed) prints.push_back(fingerprint(scene(seed)));
  EXPECT_TRUE(near_duplicates(prints).empty());
}

TEST(NearDuplicates, SilenceIsNotTheSameSoundAsSilence) {
  const Waveform silence{kFingerprintRateHz, 1, std::vector<float>(8 * kFingerprintRateHz, 0.0f)};
  const std::vector<Fingerprint> prints{fingerprint(silence), fingerprint(silence)};
  EXPECT_TRUE(near_duplicates(prints).empty());
}

TEST(AgreementCounter, CountsPairsOfVotesAndLeavesTheConsensusOut) {
  AgreementCounter counter(2);
  // First tag: yes yes no, one pair of three alike. Second: one vote only, so no clip.
  const std::vector<AnnotatorVotes> first{{1, {1, kNoVote}}, {2, {1, 0}}, {3, {0, kNoVote}}, {0, {1, 1}}};
  const std::vector<AnnotatorVotes> second{{1, {1, kNoVote}}, {-4, {1, kNoVote}}};  // all alike
  counter.add(first);
  counter.add(second);
  const std::vector<TagAgreement> agreement = counter.result();
  EXPECT_EQ(agreement[0].n_clips, 2U);
  EXPECT_EQ(agreement[0].n_any_yes, 2U);
  EXPECT_EQ(agreement[0].n_all_yes, 1U);
  EXPECT_DOUBLE_EQ(agreement[0].pairs_alike, 2.0 / 4.0);
  EXPECT_EQ(agreement[1].n_clips, 0U);
  EXPECT_TRUE(std::isnan(agreement[1].pairs_alike));
}

class Statistics : public ::testing::Test {
 protected:
  void SetUp() override {
    SimulatedDatasetOptions options;
    options.n_clips = 20;
    options.multi_label = 0.5;
    options.clip.duration_s = 3.0;
    options.clip.sample_rate_hz = 16000;
    write_simulated_dataset(dir_.path(), options);
  }
  testing::Scratch dir_;
};

TEST_F(Statistics, CountWhatThereIs) {
  const Dataset data = load_dataset("folder", dir_.path());
  const DatasetStatistics s = dataset_statistics(data);
  EXPECT_EQ(s.total.n_clips, 20U);
  EXPECT_NEAR(s.total.duration_s, 60.0, 1e-6);
  EXPECT_EQ(s.durations_s, std::vector<double>(20, 3.0));
  std::size_t n_tags = 0, n_in_splits = 0;
  for (const ClipTotal& total : s.per_tag) n_tags += total.n_clips;
  EXPECT_EQ(s.cardinality.at(1) + 2 * s.cardinality.at(2), n_tags);
  EXPECT_EQ(s.cardinality.at(1) + s.cardinality.at(2), 20U);
  for (const auto& [split, counts] : s.per_split_tag) {
    for (const std::size_t n : counts) n_in_splits += n;
  }
  EXPECT_EQ(n_in_splits, n_tags);
  EXPECT_FALSE(s.listened);
  EXPECT_TRUE(s.sounds.empty());
  EXPECT_EQ(to_value(data, s).find("sound"), nullptr);
}

TEST_F(Statistics, ListeningTellsLevelsClippingAndCopiesAcrossSplits) {
  // A copy at half the level under another name, and one driven into clipping, both in other splits.
  const Dataset before = load_dataset("folder", dir_.path());
  const std::size_t of_train = clips_of_split(before, "train").front();
  Waveform quiet = read_audio(before.clips[of_train].path)->waveform;
  Waveform loud = quiet;
  for (float& x : quiet.samples) x *= 0.5f;
  for (float& x : loud.samples) x = std::clamp(x * 8.0f, -1.0f, 1.0f);
  write_wav(dir_.path() / "audio/quiet.wav", quiet);
  write_wav(dir_.path() / "audio/loud.wav", loud);
  std::string manifest = read_text(dir_.path() / "manifest.csv");
  manifest += "audio/quiet.wav,siren,test,5\naudio/loud.wav,siren,test,5\n";
  dir_.write("manifest.csv", manifest);

  const Dataset data = load_dataset("folder", dir_.path());
  StatisticsOptions options;
  options.listen = true;
  const DatasetStatistics s = dataset_statistics(data, options);
  const std::size_t n = data.clips.size();
  ASSERT_EQ(s.sounds.size(), n);
  EXPECT_NEAR(s.sounds[n - 2].level_db, s.sounds[of_train].level_db - 6.02, 0.1);
  EXPECT_NEAR(s.sounds[n - 2].peak_db, s.sounds[of_train].peak_db - 6.02, 0.1);
  EXPECT_EQ(s.n_clipped(), 1U);
  EXPECT_TRUE(s.sounds[n - 1].clipped);
  bool found = false;
  for (const NearDuplicate& pair : s.near_duplicates) {
    found = found || (pair.first == of_train && pair.second == n - 2);
    EXPECT_TRUE(pair.first == of_train || pair.second >= n - 2) << near_duplicate_text(data, pair);
  }
  EXPECT_TRUE(found);
  const std::string page = statistics_page(data, s);
  for (const char* text :
       {"in the splits train and test", "Root mean square", "<svg", "Clips of each tag", "</html>"})
    EXPECT_NE(page.find(text), std::string::npos) << text;
  options.n_threads = 3;
  EXPECT_EQ(to_json(to_value(data, dataset_statistics(data, options))), to_json(to_value(data, s)));
}

TEST_F(Statistics, AnExcerptCountsByItsPartAndIsNoCopyOfTheOtherOne) {
  Dataset data = load_dataset("folder", dir_.path());
  std::vector<Clip> halves;
  for (const Clip& clip : data.clips) {
    halves.insert(halves.end(), {clip, clip});
    Clip &first = halves[halves.size() - 2], &second = halves.back();
    first.id += "#0.1";
    second.id += "#0.2";
    first.to = second.from = 0.25;
  }
  StatisticsOptions options;
  options.listen = true;
  const DatasetStatistics whole = dataset_statistics(data, options);
  // Another part of one recording, and a copy of it at half the level.
  Waveform quiet = read_audio(data.clips[3].path)->waveform;
  for (float& x : quiet.samples) x *= 0.5f;
  write_wav(dir_.path() / "audio/quiet.wav", quiet);
  data.clips = halves;
  data.clips.push_back(halves.front());
  data.clips.back().id = "audio/quiet.wav";
  data.clips.back().path = dir_.path() / "audio/quiet.wav";
  data.clips.back().to = 1.0;
  const DatasetStatistics s = dataset_statistics(data, options);
  ASSERT_EQ(s.durations_s.size(), 41U);
  EXPECT_DOUBLE_EQ(s.durations_s[0], 0.75);  // a quarter of 3 s
  EXPECT_DOUBLE_EQ(s.durations_s[1], 2.25);
  EXPECT_NEAR(s.total.duration_s, 63.0, 1e-6);
  EXPECT_DOUBLE_EQ(s.shortest_s, 0.75);
  EXPECT_DOUBLE_EQ(s.longest_s, 3.0);
  // The louder part of each peaks as the whole does.
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_EQ(std::max(s.sounds[2 * i].peak_db, s.sounds[2 * i + 1].peak_db), whole.sounds[i].peak_db);
  ASSERT_EQ(s.near_duplicates.size(), whole.near_duplicates.size() + 1);
  const auto copy = std::find_if(s.near_duplicates.begin(), s.near_duplicates.end(),
                                 [](const NearDuplicate& pair) { return pair.second == 40; });
  ASSERT_NE(copy, s.near_duplicates.end());
  EXPECT_EQ(copy->first, 6U);
  EXPECT_TRUE(near_duplicate_text(data, *copy)
                  .starts_with(halves[6].id.substr(0, halves[6].id.size() - 4) + " and "));
}

TEST_F(Statistics, ARecordingOfLessThanAFingerprintsSampleEndsNothing) {
  dir_.write("audio/two.wav", testing::wav(testing::format_chunk(1, 1, 44100, 16), testing::ramp_16(2)));
  dir_.write("manifest.csv", read_text(dir_.path() / "manifest.csv") + "audio/two.wav,siren,test,5\n");
  StatisticsOptions options;
  options.listen = true;
  const DatasetStatistics s = dataset_statistics(load_dataset("folder", dir_.path()), options);
  EXPECT_TRUE(s.unreadable.empty());
  ASSERT_EQ(s.sounds.size(), 21U);
  EXPECT_FALSE(s.sounds[20].silent);
  EXPECT_DOUBLE_EQ(s.durations_s[20], 2.0 / 44100);
}

TEST(PartOf, HasASampleWhereTheRecordingHasOneAndNoneOfAnEmptyOne) {
  Clip clip;
  clip.from = 0.5;
  EXPECT_TRUE(part_of(Waveform{8000, 2, {}}, clip).samples.empty());
  EXPECT_EQ(part_of(Waveform{8000, 2, {1, 2}}, clip).samples, (std::vector<float>{1, 2}));
  EXPECT_EQ(part_of(Waveform{8000, 2, {1, 2, 3, 4}}, clip).samples, (std::vector<float>{2, 4}));
  clip.from = clip.to = 1.0;
  EXPECT_EQ(part_of(Waveform{8000, 1, {1, 2, 3}}, clip).samples, std::vector<float>{3});
}

TEST(StatisticsOfRealData, SonycAgreementIsThatOfItsVotes) {
  EARMARK_NEEDS(root, "EARMARK_DATA");
  DatasetOptions options;
  options.allow_missing = true;
  const Dataset data = load_dataset("sonyc_ust", root / "SONYC-UST-v1", options);
  ASSERT_EQ(data.agreement.size(), 37U);
  const auto engine = *data.tag_index("1_engine");
  EXPECT_GE(data.agreement[engine].n_clips, 2351U);
  EXPECT_GT(data.agreement[engine].n_any_yes, data.agreement[engine].n_all_yes);
  EXPECT_GT(data.agreement[engine].pairs_alike, 0.5);
  EXPECT_LT(data.agreement[engine].pairs_alike, 1.0);
}

}  // namespace
}  // namespace earmark
