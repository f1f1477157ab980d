// Scores into events, judged by a reference that sees the whole recording at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <tuple>

#include "audio/segment.h"
#include "earmark/tagger.h"
#include "fake_network.h"
#include "tagger/timeline.h"

namespace earmark::testing {
namespace {

using Segments = std::vector<SegmentScores>;
using Events = std::vector<TagEvent>;

/// Segments of one second, one behind the other, of one tag.
Segments of_scores(const std::vector<float>& scores, double hop_s = 1.0) {
  Segments segments;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    const double start_s = hop_s * static_cast<double>(k);
    segments.push_back({start_s, start_s + 1.0, {scores[k]}});
  }
  return segments;
}

Events merged(const Segments& segments, const Selection& selection, const EventOptions& options) {
  EventMerger merger(selection, options);
  Events out;
  for (const SegmentScores& segment : segments) merger.add(segment, out);
  merger.finish(out);
  return out;
}

/// One tag with a threshold of 0.5.
Events events_of(const std::vector<float>& scores, const EventOptions& options, double hop_s = 1.0) {
  return merged(of_scores(scores, hop_s), {{0.5}, 0}, options);
}

EventOptions options_of(int median, double hysteresis, double min_duration_s, double min_gap_s) {
  return {median, hysteresis, min_duration_s, min_gap_s};
}

Segments naive_median(const Segments& all, int n) {
  Segments smoothed = all;
  const int last = static_cast<int>(all.size()) - 1;
  for (int k = 0; k <= last; ++k) {
    for (std::size_t tag = 0; tag < all[0].scores.size(); ++tag) {
      std::vector<float> around;
      for (int i = k - n / 2; i <= k + n / 2; ++i)
        around.push_back(all[static_cast<std::size_t>(std::clamp(i, 0, last))].scores[tag]);
      std::sort(around.begin(), around.end());
      smoothed[static_cast<std::size_t>(k)].scores[tag] = around[static_cast<std::size_t>(n / 2)];
    }
  }
  return smoothed;
}

// What is present in each segment.
std::vector<std::set<std::size_t>> naive_presence(const Segments& segments, const Selection& selection,
                                                  double hysteresis) {
  std::vector<std::set<std::size_t>> present;
  for (std::size_t k = 0; k < segments.size(); ++k) {
    Selection own = selection;
    for (std::size_t tag = 0; tag < own.thresholds.size(); ++tag) {
      const bool goes_on =
          k > 0 && present[k - 1].contains(tag) && segments[k].start_s <= segments[k - 1].end_s + 1e-6;
      if (goes_on) own.thresholds[tag] *= 1.0 - hysteresis;
    }
    const auto chosen = select_tags(segments[k].scores, own);
    present.emplace_back(chosen.begin(), chosen.end());
  }
  return present;
}

Events naive_events(const Segments& all, const Selection& selection, const EventOptions& options) {
  const Segments segments = naive_median(all, options.median);
  const auto present = naive_presence(segments, selection, options.hysteresis);
  Events events;
  for (std::size_t tag = 0; tag < all[0].scores.size(); ++tag) {
    Events own;
    for (std::size_t k = 0; k < segments.size(); ++k) {
      if (!present[k].contains(tag)) continue;
      const SegmentScores& s = segments[k];
      const double behind_s = own.empty() ? 0.0 : s.start_s - own.back().end_s;
      if (!own.empty() && (behind_s <= 1e-6 || behind_s < options.min_gap_s - 1e-6)) {
        own.back().end_s = std::max(own.back().end_s, s.end_s);
        own.back().score = std::max(own.back().score, s.scores[tag]);
      } else {
        own.push_back({tag, s.start_s, s.end_s, s.scores[tag]});
      }
    }
    for (const TagEvent& event : own) {
      if (event.end_s - event.start_s >= options.min_duration_s - 1e-6) events.push_back(event);
    }
  }
  std::sort(events.begin(), events.end(), [](const TagEvent& a, const TagEvent& b) {
    return std::tie(a.start_s, a.tag) < std::tie(b.start_s, b.tag);
  });
  return events;
}

struct Case {
  Segments segments;
  Selection selection;
  EventOptions options;
};

// Three tags, few distinct scores; segments that overlap, touch or lie apart, the last one moved back.
Case draw(Rng& rng) {
  Case drawn;
  const double hops_s[] = {0.25, 0.5, 1.0, 1.5};
  const double hop_s = hops_s[rng.below(4)];
  const std::size_t n = 1 + rng.below(60);
  for (std::size_t k = 0; k < n; ++k) {
    double start_s = hop_s * static_cast<double>(k);
    if (k + 1 == n && k > 0) start_s -= 0.4 * hop_s;
    SegmentScores segment{start_s, start_s + 1.0, {}};
    for (int tag = 0; tag < 3; ++tag) segment.scores.push_back(static_cast<float>(rng.below(11)) / 10.0f);
    drawn.segments.push_back(segment);
  }
  drawn.selection.thresholds = {0.5, 0.7, 0.3};
  drawn.selection.top_k = rng.below(3) == 0 ? 2 : 0;
  const int medians[] = {1, 3, 5, 11};
  const double shares[] = {0.0, 0.2, 0.6}, seconds[] = {0.0, 0.5, 1.0, 2.5};
  drawn.options =
      options_of(medians[rng.below(4)], shares[rng.below(3)], seconds[rng.below(4)], seconds[rng.below(4)]);
  return drawn;
}

TEST(MedianFilter, IsTheNaiveMedianInAnyRecordingOneAfterTheOther) {
  Rng rng(1, "test_median");
  for (const int n : {1, 3, 5, 9, 31}) {
    MedianFilter filter(n);
    for (int recording = 0; recording < 30; ++recording) {
      std::vector<float> scores(1 + rng.below(40));
      for (float& score : scores) score = static_cast<float>(rng.below(20)) / 20.0f;
      const Segments all = of_scores(scores);
      Segments got;
      for (std::size_t k = 0; k < all.size(); ++k) {
        for (SegmentScores& s : filter.add(all[k])) got.push_back(std::move(s));
        // Half a window late, neither more nor less.
        const auto half = static_cast<std::size_t>(n / 2);
        EXPECT_EQ(got.size(), k + 1 > half ? k + 1 - half : 0);
      }
      for (SegmentScores& s : filter.finish()) got.push_back(std::move(s));
      const Segments wanted = naive_median(all, n);
      ASSERT_EQ(got.size(), wanted.size());
      for (std::size_t k = 0; k < got.size(); ++k) {
        EXPECT_EQ(got[k].scores, wanted[k].scores) << n << " " << k;
        EXPECT_EQ(got[k].start_s, wanted[k].start_s);
      }
    }
  }
}

TEST(EventMerger, AgreesWithAReferenceThatSeesTheWholeRecording) {
  Rng rng(2, "test_events");
  std::size_t n_events = 0;
  for (int i = 0; i < 3000; ++i) {
    const Case drawn = draw(rng);
    const Events wanted = naive_events(drawn.segments, drawn.selection, drawn.options);
    EXPECT_EQ(merged(drawn.segments, drawn.selection, drawn.options), wanted) << "case " << i;
    n_events += wanted.size();
  }
  EXPECT_GT(n_events, 10000u);
}

// A merger is used for recording after recording, and what it tells early is what it tells in the end.
TEST(EventMerger, TellsTheSameHoweverItIsAsked) {
  Rng rng(3, "test_events");
  for (int i = 0; i < 300; ++i) {
    const Case drawn = draw(rng);
    const Events wanted = merged(drawn.segments, drawn.selection, drawn.options);
    EventMerger merger(drawn.selection, drawn.options);
    for (int again = 0; again < 2; ++again) {
      Events all, part;
      for (const SegmentScores& segment : drawn.segments) {
        merger.add(segment, part);
        if (rng.below(3) != 0) continue;
        all.insert(all.end(), part.begin(), part.end());
        part.clear();
      }
      merger.finish(part);
      all.insert(all.end(), part.begin(), part.end());
      EXPECT_EQ(all, wanted) << "case " << i;
    }
  }
}

TEST(EventMerger, MedianTakesOutASingleSegmentAndFillsASingleHole) {
  EXPECT_EQ(events_of({0.1f, 0.9f, 0.1f, 0.1f, 0.9f, 0.1f, 0.8f, 0.1f}, options_of(3, 0, 0, 0)),
            (Events{{0, 5, 6, 0.8f}}));
  EXPECT_EQ(events_of({0.1f, 0.9f, 0.8f, 0.2f, 0.9f, 0.9f, 0.1f}, options_of(3, 0, 0, 0)),
            (Events{{0, 1, 6, 0.9f}}));
}

TEST(EventMerger, HysteresisBeginsAtTheThresholdAndGoesOnBelowIt) {
  // Half of the threshold is enough to go on, not to begin.
  const EventOptions half = options_of(1, 0.5, 0, 0);
  EXPECT_EQ(events_of({0.3f, 0.4f, 0.6f, 0.3f, 0.25f, 0.2f, 0.4f}, half), (Events{{0, 2, 5, 0.6f}}));
  EXPECT_EQ(events_of({0.3f, 0.4f, 0.6f, 0.3f, 0.25f, 0.2f, 0.4f}, {}), (Events{{0, 2, 3, 0.6f}}));
  // Segments that do not touch: each begins anew.
  EXPECT_EQ(events_of({0.6f, 0.4f, 0.6f}, half, 1.5), (Events{{0, 0, 1, 0.6f}, {0, 3, 4, 0.6f}}));
}

TEST(EventMerger, ThresholdOfNothingNeverEndsWhateverTheHysteresis) {
  EXPECT_EQ(merged(of_scores({0.0f, 0.5f, 0.0f}), {{0.0}, 0}, options_of(1, 0.9, 0, 0)),
            (Events{{0, 0, 3, 0.5f}}));
}

TEST(EventMerger, EventsNearerThanTheGapAreOne) {
  const std::vector<float> scores{0.9f, 0.1f, 0.9f, 0.1f, 0.1f, 0.7f};
  EXPECT_EQ(events_of(scores, options_of(1, 0, 0, 1.0)).size(), 3u) << "a gap of 1 s is not nearer than 1 s";
  EXPECT_EQ(events_of(scores, options_of(1, 0, 0, 1.5)), (Events{{0, 0, 3, 0.9f}, {0, 5, 6, 0.7f}}));
  EXPECT_EQ(events_of(scores, options_of(1, 0, 0, 2.5)), (Events{{0, 0, 6, 0.9f}}));
}

TEST(EventMerger, ShortEventsAreJudgedAfterTheyWereJoined) {
  const std::vector<float> scores{0.9f, 0.1f, 0.9f, 0.1f, 0.1f, 0.7f};
  EXPECT_EQ(events_of(scores, options_of(1, 0, 3.0, 1.5)), (Events{{0, 0, 3, 0.9f}}));
  EXPECT_EQ(events_of(scores, options_of(1, 0, 1.0, 0)).size(), 3u) << "1 s is long enough for 1 s";
  EXPECT_EQ(events_of(scores, options_of(1, 0, 1.25, 0)).size(), 0u);
}

// docs/tagging.md, "Events"
TEST(EventMerger, MakesOfTheDocumentedExampleWhatTheDocumentSays) {
  const std::vector<float> dog{0.1f, 0.8f, 0.1f, 0.1f, 0.7f, 0.9f, 0.3f, 0.6f, 0.4f, 0.1f};
  using Spans = std::vector<std::pair<double, double>>;
  const auto spans = [&](const EventOptions& options) {
    Spans found;
    for (const TagEvent& event : events_of(dog, options)) found.emplace_back(event.start_s, event.end_s);
    return found;
  };
  EXPECT_EQ(spans({}), (Spans{{1, 2}, {4, 6}, {7, 8}}));
  EXPECT_EQ(spans(options_of(3, 0, 0, 0)), (Spans{{4, 7}}));
  EXPECT_EQ(spans(options_of(3, 0.2, 0, 0)), (Spans{{4, 9}}));
  EXPECT_EQ(spans(options_of(1, 0.2, 0, 0)), (Spans{{1, 2}, {4, 6}, {7, 9}}));
  EXPECT_EQ(spans(options_of(1, 0, 0, 1.5)), (Spans{{1, 2}, {4, 8}}));
  EXPECT_EQ(spans(options_of(1, 0, 2.0, 1.5)), (Spans{{4, 8}}));
}

// The delay that the header promises: half a window of segments, and then the gap.
TEST(EventMerger, TellsAnEventHalfAWindowAndAGapBehindItsEnd) {
  const Segments all = of_scores({0.9f, 0.9f, 0.9f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  const std::pair<EventOptions, std::size_t> cases[] = {
      {options_of(1, 0, 0, 0), 4},      // the segment from 4 s on lies behind the end at 3 s
      {options_of(1, 0, 2.0, 0), 4},    // how long it must last costs nothing
      {options_of(1, 0, 0, 2.5), 6},    // that from 6 s on is not nearer than 2.5 s
      {options_of(5, 0, 0, 0), 4 + 2},  // two segments later
      {options_of(5, 0, 0, 2.5), 6 + 2}};
  for (const auto& [options, told_at] : cases) {
    EventMerger merger({{0.5}, 0}, options);
    Events out;
    std::size_t k = 0;
    while (k < all.size() && out.empty()) merger.add(all[k++], out);
    EXPECT_EQ(k - 1, told_at);
    EXPECT_EQ(out, (Events{{0, 0, 3, 0.9f}}));
  }
}

/// The grid of a recording at that rate, 0.9 for a first tag in every segment and 0.4 behind the first for a
/// second.
Segments lasting_tags(double segment_s, double hop_s, int sample_rate_hz) {
  Segments segments;
  const std::uint64_t n_samples = static_cast<std::uint64_t>(sample_rate_hz) * 60;
  for (const SegmentSpan& span : segment_grid(n_samples, sample_rate_hz, {segment_s, hop_s, PadMode::kZeros}))
    segments.push_back({static_cast<double>(span.begin) / sample_rate_hz,
                        static_cast<double>(span.end) / sample_rate_hz,
                        {0.9f, segments.empty() ? 0.9f : 0.4f}});
  return segments;
}

// Beginnings are rounded to samples and lengths too, so a neighbour may begin a sample behind an end.
TEST(EventMerger, SegmentsOfAnyLengthTouchTheirNeighbours) {
  for (const int rate : {8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000}) {
    for (const double segment_s : {1.003, 0.33333, 0.9999, 0.25001, 1.0}) {
      const Segments all = lasting_tags(segment_s, 0.0, rate);
      const Selection selection{{0.5, 0.5}, 0};
      EXPECT_EQ(merged(all, selection, options_of(1, 0.5, 0, 0)),
                (Events{{0, 0, 60, 0.9f}, {1, 0, 60, 0.9f}}))
          << rate << " " << segment_s;
      EXPECT_EQ(merged(all, selection, {}).size(), 2U) << rate << " " << segment_s;
    }
    const Segments apart = lasting_tags(1.0, 1.001, rate);
    EXPECT_EQ(merged(apart, {{0.5, 0.5}, 0}, options_of(1, 0.5, 0, 0)).size(), apart.size() + 1)
        << "a thousandth of a second is a gap, at " << rate;
  }
}

// One tag that never ends and one that comes and goes.
Segments endless_and_brief(std::size_t n) {
  Segments segments;
  for (std::size_t k = 0; k < n; ++k)
    segments.push_back(
        {static_cast<double>(k), static_cast<double>(k + 1), {0.9f, k % 2 == 1 ? 0.8f : 0.1f}});
  return segments;
}

// Each segment costs what becomes of it: sorting all that wait, each time, took minutes for these.
TEST(EventMerger, WhatWaitsForAnEventThatDoesNotEndCostsNothing) {
  const Segments all = endless_and_brief(100000);
  const auto begin = std::chrono::steady_clock::now();
  const Events events = merged(all, {{0.5, 0.5}, 0}, {});
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 10.0);
  ASSERT_EQ(events.size(), 50001U);
  EXPECT_EQ(events[0], (TagEvent{0, 0, 100000, 0.9f}));
  EXPECT_TRUE(std::is_sorted(events.begin(), events.end(),
                             [](const TagEvent& a, const TagEvent& b) { return a.start_s < b.start_s; }));
}

// Where somebody listens: rain that goes on does not hold back the dog.
TEST(EventMerger, AnEventThatBeganLongAgoIsNotWaitedFor) {
  const Segments all = endless_and_brief(50);
  EventMerger merger({{0.5, 0.5}, 0});
  merger.set_max_wait_s(10.0);
  Events out;
  std::size_t n_before = 0;
  for (std::size_t k = 0; k < all.size(); ++k) {
    merger.add(all[k], out);
    // The event of second s is over when the segment from s + 2 on comes, which does not touch it; the
    // endless one is waited for until more than 10 s have gone.
    EXPECT_EQ(out.size(), k > 10 ? (k - 1) / 2 : 0) << k;
    for (; n_before < out.size(); ++n_before)
      EXPECT_EQ(out[n_before], (TagEvent{1, 2.0 * static_cast<double>(n_before) + 1.0,
                                         2.0 * static_cast<double>(n_before) + 2.0, 0.8f}));
  }
  merger.finish(out);
  ASSERT_EQ(out.size(), 26U);
  EXPECT_EQ(out[24], (TagEvent{0, 0, 50, 0.9f})) << "of what ends together the first comes first";
  EXPECT_EQ(out[25], (TagEvent{1, 49, 50, 0.8f}));
}

// Whatever is over is told no later than the wait after it began, and all that is told is what would be told
// without a wait; with one that nothing exceeds, in the same order.
TEST(EventMerger, ALimitedWaitChangesOnlyTheOrder) {
  Rng rng(4, "test_events");
  std::size_t n_early = 0;
  for (int i = 0; i < 1000; ++i) {
    const Case drawn = draw(rng);
    const Events wanted = merged(drawn.segments, drawn.selection, drawn.options);
    EventMerger merger(drawn.selection, drawn.options);
    for (const double wait_s : {0.0, 3.0, 1000.0}) {
      merger.set_max_wait_s(wait_s);
      Events out;
      for (const SegmentScores& segment : drawn.segments) merger.add(segment, out);
      merger.finish(out);
      if (wait_s == 1000.0) {
        EXPECT_EQ(out, wanted) << "case " << i;
      }
      n_early += out == wanted ? 0 : 1;
      std::sort(out.begin(), out.end(), [](const TagEvent& a, const TagEvent& b) {
        return std::tie(a.start_s, a.tag) < std::tie(b.start_s, b.tag);
      });
      EXPECT_EQ(out, wanted) << "case " << i << ", wait " << wait_s;
    }
  }
  EXPECT_GT(n_early, 100U);
}

TEST(EventOptions, WhatIsOutOfRangeIsNamed) {
  EXPECT_TRUE(EventOptions().problems().empty());
  EXPECT_TRUE(options_of(5, 0.99, 3, 2).problems().empty());
  const auto even = options_of(4, 0, 0, 0).problems();
  ASSERT_EQ(even.size(), 1u);
  EXPECT_EQ(even[0], "median: must be odd, so that a segment is in the middle, got 4; take 3 or 5");
  EXPECT_EQ(options_of(0, 1.0, -1, -1).problems().size(), 4u);
  EXPECT_THROW(EventMerger({{0.5}, 0}, options_of(2, 0, 0, 0)), Error);
}

std::shared_ptr<const Scorer> scorer_with(const EventOptions& options) {
  Bundle bundle = fake_bundle();
  bundle.events = options;
  return std::make_shared<Scorer>(bundle, make_step);
}

TEST(Tagger, EventsAreMadeAsTheBundleSaysUnlessSomebodySaysOtherwise) {
  const Tagger plain(step_scorer()), own(scorer_with(options_of(1, 0, 0, 1.5)));
  const auto tagged = plain.tag(pattern("xx-x--x"));
  EXPECT_EQ(plain.event_options(), EventOptions());
  EXPECT_EQ(own.event_options().min_gap_s, 1.5);
  EXPECT_EQ(own.events(tagged->segments), (Events{{0, 0, 4, 0.9f}, {0, 6, 7, 0.9f}}));
  EXPECT_EQ(plain.events(tagged->segments, std::nullopt, own.event_options()), own.events(tagged->segments));
  EXPECT_EQ(own.events(tagged->segments, std::nullopt, EventOptions()), plain.events(tagged->segments));
  EXPECT_THROW(plain.events(tagged->segments, 0.5, options_of(2, 0, 0, 0)), Error);
}

TEST(EventStream, TellsWhatTheWholeRecordingTells) {
  const Tagger tagger(mean_scorer());
  const auto tagged = tagger.tag(noise(30.0, 3), {1.0, 0.5});
  const EventOptions options = options_of(3, 0.1, 1.0, 1.0);
  EventStream stream = tagger.event_stream(0.5, options);
  Events got;
  for (const SegmentScores& segment : tagged->segments) {
    for (const TagEvent& event : stream.push(segment)) got.push_back(event);
  }
  for (const TagEvent& event : stream.finish()) got.push_back(event);
  EXPECT_EQ(got, tagger.events(tagged->segments, 0.5, options));
  EXPECT_THROW(stream.push({0, 1, {0.5f}}), Error);
}

}  // namespace
}  // namespace earmark::testing
