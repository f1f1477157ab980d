#include "audio/segment.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "earmark/error.h"

namespace earmark {
namespace {

/// Counts up: sample i of channel c is i + 0.25 c. Gives at most `block` at a time.
class CountingSource : public AudioSource {
 public:
  CountingSource(std::uint64_t n, std::size_t block, int n_channels = 1, int rate = 1000)
      : n_(n), block_(block), n_channels_(n_channels), rate_(rate) {}
  int sample_rate_hz() const override { return rate_; }
  int n_channels() const override { return n_channels_; }
  std::optional<std::uint64_t> n_samples_declared() const override { return std::nullopt; }
  std::string description() const override { return "counting"; }
  std::vector<std::string> warnings() const override { return {}; }
  Outcome<std::size_t> read(std::span<float> out) override {
    const auto channels = static_cast<std::size_t>(n_channels_);
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>({out.size() / channels, block_, n_ - at_}));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t c = 0; c < channels; ++c) {
        out[i * channels + c] = static_cast<float>((at_ + i) % 1000000) + 0.25f * static_cast<float>(c);
      }
    }
    at_ += n;
    return n;
  }

 private:
  std::uint64_t n_, at_ = 0;
  std::size_t block_;
  int n_channels_, rate_;
};

SegmentOptions cut(double segment_s, double hop_s = 0.0, PadMode pad = PadMode::kZeros) {
  SegmentOptions options;
  options.segment_s = segment_s;
  options.hop_s = hop_s;
  options.pad = pad;
  return options;
}

using Grid = std::vector<SegmentSpan>;

TEST(SegmentGrid, WithoutOverlap) {
  EXPECT_EQ(segment_grid(3000, 1000, cut(1.0)), (Grid{{0, 1000}, {1000, 2000}, {2000, 3000}}));
  // 500 of 1000 samples: just half, padded where it stands.
  EXPECT_EQ(segment_grid(2500, 1000, cut(1.0)), (Grid{{0, 1000}, {1000, 2000}, {2000, 2500}}));
  // 499: moved back to end with the recording.
  EXPECT_EQ(segment_grid(2499, 1000, cut(1.0)), (Grid{{0, 1000}, {1000, 2000}, {1499, 2499}}));
  EXPECT_EQ(segment_grid(1, 1000, cut(1.0)), (Grid{{0, 1}}));
  EXPECT_EQ(segment_grid(0, 1000, cut(1.0)), Grid{});
}

TEST(SegmentGrid, OverlapEndsWithTheFirstSegmentThatReachesTheEnd) {
  EXPECT_EQ(segment_grid(2000, 1000, cut(1.0, 0.5)), (Grid{{0, 1000}, {500, 1500}, {1000, 2000}}));
  EXPECT_EQ(segment_grid(2100, 1000, cut(1.0, 0.5)),
            (Grid{{0, 1000}, {500, 1500}, {1000, 2000}, {1500, 2100}}));
  EXPECT_EQ(segment_grid(1000, 1000, cut(1.0, 0.1)), (Grid{{0, 1000}}));
}

TEST(SegmentGrid, GapsLeaveSoundOut) {
  EXPECT_EQ(segment_grid(3500, 1000, cut(1.0, 2.0)), (Grid{{0, 1000}, {2000, 3000}}));
  EXPECT_EQ(segment_grid(2200, 1000, cut(1.0, 2.0)), (Grid{{0, 1000}, {1200, 2200}}));
}

// 1/3 s at 44.1 kHz is 14700 samples; 0.1 s at 11025 Hz is 1102.5: each beginning is rounded by itself.
TEST(SegmentGrid, PositionsDoNotDrift) {
  const auto grid = segment_grid(11025ULL * 86400ULL, 11025, cut(1.0, 0.1));
  EXPECT_EQ(grid[1].begin, 1103U);
  EXPECT_EQ(grid[2].begin, 2205U);
  EXPECT_EQ(grid[800000].begin, 11025U * 80000U);
}

TEST(SegmentGrid, WholeIsOneSegment) { EXPECT_EQ(segment_grid(777, 1000, cut(0.0)), (Grid{{0, 777}})); }

TEST(SegmentOptions, WrongOnesAreAllNamed) {
  EXPECT_EQ(cut(-1.0, -1.0).problems(1000).size(), 2U);
  EXPECT_EQ(cut(0.0, 1.0).problems(1000).size(), 1U);
  EXPECT_EQ(cut(1e-9, 1e-9).problems(1000).size(), 2U);
  EXPECT_THROW(segment_grid(10, 1000, cut(-1.0)), Error);
  EXPECT_THROW(Segmenter(std::make_unique<CountingSource>(10, 10), cut(-1.0)), Error);
}

TEST(Segmenter, DeliversTheGridWhateverTheBlocks) {
  for (const auto& options :
       {cut(1.0), cut(1.0, 0.3), cut(0.25, 1.7), cut(20.0), cut(0.0), cut(9.0, 0.0, PadMode::kReflect)}) {
    for (const std::uint64_t n : {1ULL, 999ULL, 1000ULL, 2500ULL, 12345ULL, 60000ULL}) {
      const Grid grid = segment_grid(n, 1000, options);
      for (const std::size_t block : {1U, 17U, 100000U}) {
        Segmenter segmenter(std::make_unique<CountingSource>(n, block, 2), options);
        Segment segment;
        std::size_t k = 0;
        for (auto more = segmenter.next(segment); *more; more = segmenter.next(segment), ++k) {
          ASSERT_LT(k, grid.size());
          EXPECT_EQ(segment.span, grid[k]);
          EXPECT_EQ(segment.index, k);
          const auto left = segment.waveform.channel(0), right = segment.waveform.channel(1);
          for (std::size_t i = 0; i < grid[k].end - grid[k].begin; ++i) {
            ASSERT_EQ(left[i], static_cast<float>(grid[k].begin + i));
            ASSERT_EQ(right[i], static_cast<float>(grid[k].begin + i) + 0.25f);
          }
        }
        EXPECT_EQ(k, grid.size());
        EXPECT_EQ(segmenter.n_samples_read(), n);
      }
    }
  }
}

TEST(Segmenter, SaysWhatWasPaddedAndWhatWasMoved) {
  Segmenter segmenter(std::make_unique<CountingSource>(1700, 64), cut(1.0));
  Segment segment;
  ASSERT_TRUE(*segmenter.next(segment));
  EXPECT_FALSE(segment.padded || segment.shifted);
  ASSERT_TRUE(*segmenter.next(segment));
  EXPECT_TRUE(segment.padded && !segment.shifted);
  EXPECT_DOUBLE_EQ(segment.start_s, 1.0);
  EXPECT_DOUBLE_EQ(segment.end_s, 1.7);
  EXPECT_EQ(segment.waveform.n_samples(), 1000U);
  EXPECT_EQ(segment.waveform.samples[700], 0.0f);
  EXPECT_FALSE(*segmenter.next(segment));

  Segmenter moved(std::make_unique<CountingSource>(1300, 64), cut(1.0));
  ASSERT_TRUE(*moved.next(segment));
  ASSERT_TRUE(*moved.next(segment));
  EXPECT_TRUE(segment.shifted && !segment.padded);
  EXPECT_EQ(segment.waveform.samples[0], 300.0f);
}

TEST(PadChannel, Modes) {
  std::vector<float> x{1, 2, 3, 9, 9, 9, 9, 9};
  pad_channel(x, 3, PadMode::kZeros);
  EXPECT_EQ(x, (std::vector<float>{1, 2, 3, 0, 0, 0, 0, 0}));
  pad_channel(x, 3, PadMode::kRepeat);
  EXPECT_EQ(x, (std::vector<float>{1, 2, 3, 1, 2, 3, 1, 2}));
  pad_channel(x, 3, PadMode::kReflect);
  EXPECT_EQ(x, (std::vector<float>{1, 2, 3, 2, 1, 2, 3, 2}));
  pad_channel(x, 1, PadMode::kReflect);
  EXPECT_EQ(x, std::vector<float>(8, 1.0f));
}

// A day at 8 kHz: the segmenter's memory is a segment, a hop and a block, or this takes 2.8 GB.
TEST(Segmenter, ADayLongStreamInConstantMemory) {
  const std::uint64_t n = 86400ULL * 8000ULL;
  Segmenter segmenter(std::make_unique<CountingSource>(n, 100000, 1, 8000), cut(10.0, 60.0));
  Segment segment;
  std::uint64_t count = 0;
  while (*segmenter.next(segment)) ++count;
  EXPECT_EQ(count, 1440U);
}

}  // namespace
}  // namespace earmark
