#include "earmark/tagger.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "../audio/scratch.h"
#include "fake_network.h"
#include "tagger/timeline.h"

namespace earmark::testing {
namespace {

std::vector<float> interleaved_of(const Waveform& w) {
  std::vector<float> out(w.samples.size());
  const auto channels = static_cast<std::size_t>(w.n_channels);
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < w.n_samples(); ++i) out[i * channels + c] = w.channel(static_cast<int>(c))[i];
  }
  return out;
}

void expect_same(const std::vector<SegmentScores>& a, const std::vector<SegmentScores>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].start_s, b[i].start_s);
    EXPECT_EQ(a[i].end_s, b[i].end_s);
    EXPECT_EQ(a[i].scores, b[i].scores) << "segment " << i;
  }
}

std::vector<std::pair<double, double>> spans(const TaggedRecording& recording) {
  std::vector<std::pair<double, double>> out;
  for (const auto& s : recording.segments) out.emplace_back(s.start_s, s.end_s);
  return out;
}

using Spans = std::vector<std::pair<double, double>>;

TEST(Tagger, GridIsThatOfTheContract) {
  const Tagger tagger(mean_scorer());
  EXPECT_EQ(spans(*tagger.tag(noise(3.0, 1))), (Spans{{0, 1}, {1, 2}, {2, 3}}));
  EXPECT_EQ(spans(*tagger.tag(noise(2.6, 1))), (Spans{{0, 1}, {1, 2}, {2, 2.6}}));  // padded: more than half
  EXPECT_EQ(spans(*tagger.tag(noise(2.25, 1))), (Spans{{0, 1}, {1, 2}, {1.25, 2.25}}));  // moved back
  EXPECT_EQ(spans(*tagger.tag(noise(0.25, 1))), (Spans{{0, 0.25}}));                     // the only one
  EXPECT_EQ(spans(*tagger.tag(noise(2.0, 1), {2.0, 0.5})), (Spans{{0, 2}}));
  EXPECT_EQ(spans(*tagger.tag(noise(2.0, 1), {1.0, 0.5})), (Spans{{0, 1}, {0.5, 1.5}, {1, 2}}));
  EXPECT_EQ(spans(*tagger.tag(noise(2.6, 1), {0.0, 0.0})), (Spans{{0, 2.6}}));  // whole
}

TEST(Tagger, SegmentsScoresDependOnItsSamplesAlone) {
  const Tagger tagger(mean_scorer());
  const Waveform all = noise(3.0, 7);
  Waveform middle{kRate, 1, {all.samples.begin() + kRate, all.samples.begin() + 2 * kRate}};
  EXPECT_EQ(tagger.tag(all)->segments[1].scores, tagger.tag(middle)->segments[0].scores);
}

TEST(Tagger, FileMemoryAndStreamOfAnyBlocksAgreeBitForBit) {
  const Scratch scratch;
  const Tagger tagger(mean_scorer());
  for (const int rate : {kRate, 11025, 44100}) {
    for (const int channels : {1, 2}) {
      const Waveform wave = noise(3.3, 5, rate, channels);
      write_wav(scratch / "a.wav", wave, WavFormat::kFloat);
      const TagOptions options{1.0, 0.4};
      const auto from_file = tagger.tag_file(scratch / "a.wav", options);
      const auto from_memory = tagger.tag(wave, options);
      ASSERT_TRUE(from_file && from_memory);
      expect_same(from_file->segments, from_memory->segments);
      TagStream stream = tagger.stream(rate, channels, options);
      Rng rng(3, "blocks");
      std::vector<SegmentScores> got;
      const std::vector<float> samples = interleaved_of(wave);
      for (std::size_t at = 0; at < samples.size();) {
        const std::size_t n =
            std::min(samples.size() - at, (1 + rng.below(3000)) * static_cast<std::size_t>(channels));
        const auto part = stream.push(std::span(samples).subspan(at, n));
        got.insert(got.end(), part->begin(), part->end());
        at += n;
      }
      const auto rest = stream.finish();
      got.insert(got.end(), rest->begin(), rest->end());
      expect_same(from_file->segments, got);
    }
  }
}

TEST(TagStream, HandsOutASegmentAsSoonAsItsLastSampleIsThere) {
  const Tagger tagger(mean_scorer());
  TagStream stream = tagger.stream(kRate, 1);
  const Waveform wave = noise(1.0, 2);
  EXPECT_TRUE(stream.push(std::span(wave.samples).first(kRate - 1))->empty());
  EXPECT_EQ(stream.push(std::span(wave.samples).last(1))->size(), 1u);
  EXPECT_TRUE(stream.finish()->empty());
  EXPECT_DOUBLE_EQ(stream.duration_s(), 1.0);
}

TEST(TagStream, SaysWhatIsWrong) {
  const Tagger tagger(mean_scorer());
  TagStream empty = tagger.stream(kRate, 1);
  EXPECT_EQ(empty.finish().failure().reason, "no_samples");
  EXPECT_THROW(empty.push({}), Error);
  TagStream bad = tagger.stream(kRate, 2);
  const std::vector<float> nan{0.0f, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_EQ(bad.push(nan).failure().reason, "non_finite");
  TagStream odd = tagger.stream(kRate, 2);
  EXPECT_THROW(odd.push(std::span(nan).first(1)), Error);
  EXPECT_THROW(tagger.stream(10, 1), Error);
  EXPECT_THROW(tagger.stream(kRate, 65), Error);
  EXPECT_THROW(tagger.stream(kRate, 1, {-1.0, 0.0}), Error);
  EXPECT_EQ(tagger.tag(Waveform{kRate, 1, {}}).failure().reason, "no_samples");
  EXPECT_EQ(tagger.tag_file("/nowhere/at/all.wav").failure().reason, "not_found");
}

TEST(Tagger, WorksFromManyThreadsAtOnce) {
  const Tagger tagger(mean_scorer());
  const Waveform wave = noise(4.0, 11);
  const auto expected = tagger.tag(wave);
  std::vector<std::thread> threads;
  std::atomic<int> n_same{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const auto got = tagger.tag(wave);
      bool same = got->segments.size() == expected->segments.size();
      for (std::size_t i = 0; same && i < got->segments.size(); ++i)
        same = got->segments[i].scores == expected->segments[i].scores;
      n_same += same ? 1 : 0;
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(n_same, 4);
}

TEST(Tagger, WarnsOfSilenceAndTops) {
  const Tagger tagger(step_scorer());
  const auto tagged = tagger.tag(pattern("--"));
  ASSERT_EQ(tagged->warnings.size(), 1u);
  EXPECT_TRUE(tagged->warnings[0].starts_with("silent"));
  const auto top = tagger.top(tagged->segments[0], 2);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].tag, "rain, heavy");
  EXPECT_EQ(top[1].tag, "say \"hi\"");
}

TEST(Tagger, EventsMergeNeighboursAndEndAtGaps) {
  const Tagger tagger(step_scorer());
  const auto tagged = tagger.tag(pattern("xx-x--x"));
  EXPECT_EQ(tagger.events(tagged->segments),
            (std::vector<TagEvent>{{0, 0, 2, 0.9f}, {0, 3, 4, 0.9f}, {0, 6, 7, 0.9f}}));
  EXPECT_EQ(tagger.events(tagged->segments, 0.2).size(), 5u);  // "rain" and "hi" last throughout
}

TEST(EventMerger, MergesOverlapsAndOrdersByStartThenTag) {
  EventMerger merger({{0.5, 0.5}, 0});
  std::vector<TagEvent> out;
  merger.add({0, 2, {0.6f, 0.9f}}, out);
  merger.add({1, 3, {0.1f, 0.7f}}, out);  // tag 0 is out of one segment that overlaps its event
  merger.add({2, 4, {0.8f, 0.9f}}, out);  // and in again where it ended: one event
  merger.add({5, 7, {0.8f, 0.1f}}, out);
  merger.finish(out);
  EXPECT_EQ(out, (std::vector<TagEvent>{{0, 0, 4, 0.8f}, {1, 0, 4, 0.9f}, {0, 5, 7, 0.8f}}));
}

TEST(SelectTags, ThresholdThenTopWithTiesInOrder) {
  const std::vector<float> scores{0.5f, 0.9f, 0.5f, 0.1f};
  EXPECT_EQ(select_tags(scores, {}), (std::vector<std::size_t>{1, 0, 2, 3}));
  EXPECT_EQ(select_tags(scores, {{}, 2}), (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(select_tags(scores, {{0.5, 0.5, 0.6, 0.0}, 0}), (std::vector<std::size_t>{1, 0, 3}));
}

}  // namespace
}  // namespace earmark::testing
