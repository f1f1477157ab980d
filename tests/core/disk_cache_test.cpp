#include "core/disk_cache.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "core/file.h"
#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

class DiskCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(::testing::TempDir()) / ("earmark_cache_" + std::to_string(::getpid()) + "_" +
                                          ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      if (entry.is_regular_file() && entry.path().filename() != "lock") found.push_back(entry.path());
    }
    return found;
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const fs::path& file : files()) sum += fs::file_size(file);
    return sum;
  }

  fs::path folder_;
};

std::vector<float> values_of(const std::string& key, std::size_t n) {
  Rng rng(1, key);
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(rng.uniform());
  return values;
}

void put(DiskCache& cache, const std::string& key, std::size_t n = 100) {
  cache.put(key, as_cache_bytes(values_of(key, n)));
}
bool has(DiskCache& cache, const std::string& key, std::size_t n = 100) {
  const auto found = cache.get(key);
  if (!found) return false;
  EXPECT_EQ(floats_of(*found), values_of(key, n)) << key;
  return true;
}

TEST_F(DiskCacheTest, GivesBackWhatWasPutAlsoToAnotherProcessAndAfterReopening) {
  DiskCache cache(folder_, 1 << 20);
  EXPECT_FALSE(has(cache, "a"));
  put(cache, "a");
  put(cache, "b", 0);
  EXPECT_TRUE(has(cache, "a"));
  EXPECT_TRUE(has(cache, "b", 0));
  DiskCache again(folder_, 1 << 20);
  EXPECT_TRUE(has(again, "a"));
  EXPECT_EQ(cache.counts().hits, 2U);
  EXPECT_EQ(cache.counts().misses, 1U);
}

TEST_F(DiskCacheTest, NeverReturnsADamagedEntryWhicheverByteIsHit) {
  DiskCache cache(folder_, 1 << 20);
  put(cache, "the key", 20);
  const fs::path file = files().at(0);
  const std::vector<std::byte> whole = read_bytes(file);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::vector<std::byte> hit = whole;
    hit[i] ^= std::byte{1};
    write_bytes(file, hit);
    EXPECT_FALSE(cache.get("the key")) << "byte " << i;
    EXPECT_FALSE(fs::exists(file)) << "byte " << i;
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_bytes(file, std::span<const std::byte>(whole).first(size));
    EXPECT_FALSE(cache.get("the key")) << "cut to " << size;
  }
  EXPECT_EQ(cache.counts().damaged, 2 * whole.size());
  put(cache, "the key", 20);
  EXPECT_TRUE(has(cache, "the key", 20));
}

TEST_F(DiskCacheTest, AnEntryUnderAnotherKeysNameIsNotTaken) {
  DiskCache cache(folder_, 1 << 20);
  put(cache, "one");
  const fs::path one = files().at(0);
  put(cache, "two");
  for (const fs::path& file : files()) {
    if (file != one) fs::copy_file(one, file, fs::copy_options::overwrite_existing);
  }
  EXPECT_FALSE(cache.get("two"));
  EXPECT_TRUE(has(cache, "one"));
}

TEST_F(DiskCacheTest, StaysBelowItsSizeAndForgetsTheLongestUnused) {
  constexpr std::uint64_t kMax = 100 * 1024;
  DiskCache cache(folder_, kMax);
  put(cache, "used", 1000);
  for (int i = 0; i < 200; ++i) {
    put(cache, std::to_string(i), 1000);  // 4 KB each, 25 fit
    EXPECT_LE(bytes(), kMax) << i;
    ASSERT_TRUE(has(cache, "used", 1000)) << "used each time, so never the longest unused; " << i;
  }
  EXPECT_TRUE(has(cache, "199", 1000));
  EXPECT_FALSE(has(cache, "0", 1000));
  EXPECT_GT(cache.counts().evicted, 150U);
  put(cache, "too large", 100000);
  EXPECT_FALSE(has(cache, "too large", 100000));
  EXPECT_EQ(cache.counts().unwritten, 1U);
}

TEST_F(DiskCacheTest, ManyProcessesShareOneFolder) {
  DiskCache(folder_, 1 << 20);
  std::vector<pid_t> children;
  for (int c = 0; c < 4; ++c) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      bool good = true;
      DiskCache cache(folder_, 200 * 1024);  // small enough that they tidy up under each other
      for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 60; ++i) {
          const std::string key = "k" + std::to_string(i);
          const auto found = cache.get(key);
          if (found)
            good = good && floats_of(*found) == values_of(key, 1000);
          else
            put(cache, key, 1000);
        }
      }
      good = good && cache.counts().damaged == 0 && cache.counts().unwritten == 0;
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_LE(bytes(), 4 * 200 * 1024U);
  DiskCache tidied(folder_, 200 * 1024);
  EXPECT_LE(bytes(), 200 * 1024U);
}

TEST_F(DiskCacheTest, AKilledWriterLeavesOnlyWholeEntriesBehind) {
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      DiskCache cache(folder_, 1 << 24);
      for (int i = 0;; i = (i + 1) % 50)
        cache.put("k" + std::to_string(i), as_cache_bytes(values_of("k" + std::to_string(i), 5000)));
    }
    ::usleep(5000 + 3000 * static_cast<unsigned>(round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  DiskCache cache(folder_, 1 << 24);
  int n_there = 0;
  for (int i = 0; i < 50; ++i) n_there += has(cache, "k" + std::to_string(i), 5000);
  EXPECT_GT(n_there, 0);
  EXPECT_EQ(cache.counts().damaged, 0U);
}

TEST_F(DiskCacheTest, LeftoversOfKilledWritersGoAtTheNextOpening) {
  fs::create_directories(folder_ / "ab");
  const fs::path old = folder_ / "ab" / "x.entry.123.0.tmp", fresh = folder_ / "ab" / "y.entry.124.0.tmp";
  write_text(old, "half");
  write_text(fresh, "half");
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(2));
  DiskCache cache(folder_, 1 << 20);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(fresh)) << "its writer may still be at it";
}

TEST_F(DiskCacheTest, ManyThreadsShareOneCache) {
  DiskCache cache(folder_, 1 << 20);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        const std::string key = "k" + std::to_string(i % 10);
        if (!has(cache, key)) put(cache, key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cache.counts().damaged, 0U);
  EXPECT_EQ(cache.counts().unwritten, 0U);
  EXPECT_EQ(cache.counts().hits + cache.counts().misses, 400U);
}

TEST_F(DiskCacheTest, AFolderThatCannotBeMadeIsNamed) {
  write_text(folder_.string() + ".file", "in the way");
  try {
    DiskCache cache(folder_.string() + ".file/cache", 1 << 20);
    FAIL() << "was accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(".file/cache"), std::string::npos) << e.what();
  }
  fs::remove(folder_.string() + ".file");
}

TEST(FileIdentity, ChangesWithTheFile) {
  const fs::path file = fs::path(::testing::TempDir()) / ("earmark_identity_" + std::to_string(::getpid()));
  write_text(file, "first");
  const std::string before = file_identity(file);
  EXPECT_EQ(file_identity(file), before);
  write_text(file, "other");  // the same length, another file under the name
  EXPECT_NE(file_identity(file), before);
  const std::string after = file_identity(file);
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1));
  EXPECT_NE(file_identity(file), after);
  fs::remove(file);
  EXPECT_THROW(file_identity(file), Error);
}

}  // namespace
}  // namespace earmark
