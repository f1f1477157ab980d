#include "data/samplers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <thread>

#include "core/file.h"
#include "core/rng.h"
#include "core/value.h"
#include "earmark/error.h"
#include "golden_path.h"

namespace earmark {
namespace {

using Batches = std::vector<std::vector<std::size_t>>;

std::vector<BucketItem> drawn_items(std::size_t n, std::size_t n_tags, std::uint64_t seed) {
  std::vector<BucketItem> items;
  Rng rng(seed, "items");
  for (std::size_t i = 0; i < n; ++i) {
    BucketItem item{std::floor(rng.uniform(30, 600)), std::vector<bool>(n_tags, false)};
    for (int k = 0; k < 2; ++k) item.tags[rng.below(n_tags)] = true;
    items.push_back(std::move(item));
  }
  return items;
}

Batches batches_of(const std::vector<BucketItem>& items, std::size_t size, const BucketOptions& options,
                   Incomplete incomplete) {
  return bucket_batches(
      items.size(), [&](std::size_t i) { return items[i]; }, size, options, incomplete);
}

Batches expected_batches(const Value& list) {
  Batches batches;
  for (const Value& batch : list.as_list()) {
    batches.emplace_back();
    for (const Value& index : batch.as_list())
      batches.back().push_back(static_cast<std::size_t>(index.as_integer()));
  }
  return batches;
}

TEST(BucketBatches, AreThoseOfThePublishedUpbCode) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const Value set = parse_json(read_text(golden / "upb" / "bucketing.json"), "bucketing.json");
  std::vector<BucketItem> items;
  for (const Value& example : set.at("examples").as_list()) {
    BucketItem item{example.at("seq_len").as_number(), std::vector<bool>(80, false)};
    for (const Value& tag : example.at("events").as_list())
      item.tags[static_cast<std::size_t>(tag.as_integer())] = true;
    items.push_back(std::move(item));
  }
  BucketOptions options;
  options.max_padding = set.at("max_padding_rate").as_number();
  const auto size = static_cast<std::size_t>(set.at("batch_size").as_integer());
  options.max_age = 0;
  EXPECT_EQ(batches_of(items, size, options, Incomplete::kKeep),
            expected_batches(set.at("batches_keep_incomplete_no_expiry")));
  options.max_age = 60;
  EXPECT_EQ(batches_of(items, size, options, Incomplete::kDrop),
            expected_batches(set.at("batches_drop_incomplete_expiry_60")));
}

TEST(BucketBatches, NeverPadMoreThanAllowedNorHoldOneTagSetInsideAnother) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const std::vector<BucketItem> items = drawn_items(500, 12, seed);
    BucketOptions options;
    options.max_padding = 0.1 + 0.1 * static_cast<double>(seed);
    std::set<std::size_t> seen;
    for (const auto& batch : batches_of(items, 6, options, Incomplete::kKeep)) {
      double longest = 0, shortest = 1e9;
      for (const std::size_t i : batch) {
        EXPECT_TRUE(seen.insert(i).second) << i << " is in two batches";
        longest = std::max(longest, items[i].length);
        shortest = std::min(shortest, items[i].length);
        for (const std::size_t j : batch) {
          if (i == j) continue;
          bool inside = true;
          for (std::size_t t = 0; t < 12; ++t) inside = inside && (!items[i].tags[t] || items[j].tags[t]);
          EXPECT_FALSE(inside) << "the tags of " << i << " are all among those of " << j;
        }
      }
      EXPECT_EQ(items[batch.front()].length, longest);
      EXPECT_GE(shortest, longest * (1 - options.max_padding) - 1e-9);
    }
    EXPECT_EQ(seen.size(), items.size());
  }
}

TEST(BucketBatches, OldIncompleteOnesAreDropped) {
  // Two long items far apart among short ones that fill up in pairs.
  std::vector<BucketItem> items(40, BucketItem{100, {true}});
  items.front().length = items.back().length = 500;
  BucketOptions options;
  options.distinct_tags = false;
  options.max_age = 0;
  EXPECT_EQ(batches_of(items, 2, options, Incomplete::kDrop).size(), 20U);
  options.max_age = 38;  // the second long item comes 39 later
  EXPECT_EQ(batches_of(items, 2, options, Incomplete::kDrop).size(), 19U);
  options.max_age = 39;
  EXPECT_EQ(batches_of(items, 2, options, Incomplete::kDrop).size(), 20U);
}

std::vector<Clip> clips_with(const std::vector<int>& tag_of_clip, int n_tags) {
  std::vector<Clip> clips;
  for (std::size_t i = 0; i < tag_of_clip.size(); ++i) {
    Clip clip;
    clip.id = "clip" + std::to_string(i);
    clip.verified = i % 3 == 0;
    clip.targets.assign(static_cast<std::size_t>(n_tags), 0.0f);
    clip.targets[static_cast<std::size_t>(tag_of_clip[i])] = 1.0f;
    clips.push_back(std::move(clip));
  }
  return clips;
}

std::vector<Clip> thirty_clips() {
  std::vector<int> tags;
  for (int i = 0; i < 30; ++i) tags.push_back(i < 24 ? i % 2 : 2 + i % 3);
  return clips_with(tags, 5);
}

BucketItem by_number(const std::vector<Clip>& clips, const Visit& visit, std::uint64_t epoch) {
  const std::vector<float>& targets = clips[visit.clip].targets;
  Rng rng(1, "length", epoch, visit.clip);
  return {rng.uniform(100, 160), std::vector<bool>(targets.begin(), targets.end())};
}

TEST(BatchOrder, VisitsEveryClipOnceAndVerifiedOnesAgain) {
  const std::vector<Clip> clips = thirty_clips();
  BatchOrderOptions options;
  options.batch_size = 7;
  options.repeat_verified = 2;
  const BatchOrder order(clips, options, nullptr);
  std::map<std::size_t, std::vector<int>> repetitions;
  const long n = order.at(0).n_in_epoch;
  EXPECT_EQ(n, 7);  // 30 + 2 * 10 visits: the fiftieth, which would be alone, joins the batch before it
  EXPECT_EQ(order.at(6).visits.size(), 8U);
  for (long i = 0; i < n; ++i) {
    EXPECT_EQ(order.at(i).epoch, 0U);
    for (const Visit& visit : order.at(i).visits) repetitions[visit.clip].push_back(visit.repetition);
  }
  for (auto& [clip, list] : repetitions) {
    std::sort(list.begin(), list.end());
    EXPECT_EQ(list, clips[clip].verified ? (std::vector<int>{0, 1, 2}) : std::vector<int>{0}) << clip;
  }
  EXPECT_EQ(repetitions.size(), 30U);
  EXPECT_EQ(order.at(n).epoch, 1U);
  EXPECT_NE(order.at(n).visits, order.at(0).visits);
}

TEST(BatchOrder, OnePerClassHoldsOneClipOfEachAndHearsRareClassesAsOften) {
  const std::vector<Clip> clips = thirty_clips();
  BatchOrderOptions options;
  options.sampler = Sampler::kOnePerClass;
  const BatchOrder order(clips, options, nullptr);
  std::vector<int> uses(30, 0);
  for (long i = 0; i < 200; ++i) {
    const auto batch = order.at(i).visits;
    ASSERT_EQ(batch.size(), 5U);
    for (std::size_t c = 0; c < 5; ++c) {
      EXPECT_EQ(clips[batch[c].clip].targets[c], 1.0f);
      ++uses[batch[c].clip];
    }
  }
  EXPECT_TRUE(std::all_of(uses.begin(), uses.end(), [](int n) { return n > 0; }));
}

TEST(BatchOrder, OnePerClassNamesWhatDoesNotFit) {
  std::vector<Clip> clips = clips_with({0, 1, 1, 3}, 4);  // nothing has the third tag
  clips[1].targets[0] = 1.0f;                             // and one clip has two
  BatchOrderOptions options;
  options.sampler = Sampler::kOnePerClass;
  try {
    const BatchOrder order(clips, options, nullptr);
    FAIL() << "was accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadDataset);
    EXPECT_EQ(e.problems().size(), 2U) << e.what();
    EXPECT_NE(std::string(e.what()).find("clip1 has 2 tags"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("tag number 3"), std::string::npos) << e.what();
  }
}

TEST(BatchOrder, OnePerClassPassesOverAbsentTagsWhenToldTo) {
  const std::vector<Clip> clips = clips_with({0, 1, 1, 3}, 4);  // nothing has the third tag
  BatchOrderOptions options;
  options.sampler = Sampler::kOnePerClass;
  options.skip_absent_tags = true;
  const BatchOrder order(clips, options, nullptr);
  for (long i = 0; i < 20; ++i) {
    const auto batch = order.at(i).visits;
    ASSERT_EQ(batch.size(), 3U);
    EXPECT_EQ(batch[0].clip, 0U);
    EXPECT_TRUE(batch[1].clip == 1 || batch[1].clip == 2);
    EXPECT_EQ(batch[2].clip, 3U);
  }
}

TEST(BatchOrder, BucketedIsAPureFunctionOfTheIterationWhateverWasAskedBefore) {
  const std::vector<Clip> clips = thirty_clips();
  BatchOrderOptions options;
  options.sampler = Sampler::kBucketed;
  options.batch_size = 3;
  options.bucket.distinct_tags = false;
  const auto describe = [&](const Visit& visit, std::uint64_t epoch) {
    return by_number(clips, visit, epoch);
  };
  const BatchOrder straight(clips, options, describe), jumping(clips, options, describe);
  std::vector<BatchOrder::At> batches;
  for (long i = 0; i < 90; ++i) batches.push_back(straight.at(i));
  EXPECT_GT(batches.back().epoch, 5U);
  for (const long i : {89L, 3L, 40L, 41L, 0L, 88L}) {
    const BatchOrder::At at = jumping.at(i);
    EXPECT_EQ(at.visits, batches[static_cast<std::size_t>(i)].visits) << i;
    EXPECT_EQ(at.epoch, batches[static_cast<std::size_t>(i)].epoch) << i;
    EXPECT_EQ(at.index, batches[static_cast<std::size_t>(i)].index) << i;
  }
  EXPECT_GT(straight.epochs_before(89), straight.epochs_before(88));
}

TEST(BatchOrder, IsTheSameFromManyThreads) {
  const std::vector<Clip> clips = thirty_clips();
  BatchOrderOptions options;
  options.sampler = Sampler::kBucketed;
  options.batch_size = 3;
  options.bucket.distinct_tags = false;
  const auto describe = [&](const Visit& visit, std::uint64_t epoch) {
    return by_number(clips, visit, epoch);
  };
  const BatchOrder alone(clips, options, describe), shared(clips, options, describe);
  std::vector<std::vector<Visit>> found(60);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < found.size(); i += 4) found[i] = shared.at(static_cast<long>(i)).visits;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(found[i], alone.at(static_cast<long>(i)).visits) << i;
}

TEST(BatchOrder, BucketsThatNeverFillAreAnErrorAndNotAnEndlessLoop) {
  const std::vector<Clip> clips = clips_with({0, 0, 0, 0}, 1);
  BatchOrderOptions options;
  options.sampler = Sampler::kBucketed;
  options.batch_size = 2;  // all clips have the same tag: none may stand beside another
  const BatchOrder order(clips, options, [&](const Visit& visit, std::uint64_t epoch) {
    return by_number(clips, visit, epoch);
  });
  EXPECT_THROW(order.at(0), Error);
}

}  // namespace
}  // namespace earmark
