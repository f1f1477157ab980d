// Every loader meets damaged copies of its data set. Each copy must end in a problem that names a file, or in
// the same data set, or in one that differs with a warning; what no loader can notice (another word in a free
// field, a vote turned round) may change only the clips that the damaged lines speak of.
#include <gtest/gtest.h>

#include <set>

#include "core/rng.h"
#include "data/dataset_fixture.h"
#include "mutate.h"

namespace earmark {
namespace {

using namespace testing;
namespace fs = std::filesystem;

struct Case {
  std::string dataset;
  Files files;
};

void PrintTo(const Case& subject, std::ostream* out) { *out << subject.dataset; }

Files esc50_files() {
  Files files;
  files["meta/esc50.csv"] =
      "filename,fold,target,category,esc10,src_file,take\n"
      "1-100032-A-0.wav,1,0,dog,True,100032,A\n"
      "2-100210-B-36.wav,2,36,vacuum_cleaner,False,100210,B\n"
      "5-101296-A-0.wav,5,0,dog,True,101296,A\n";
  add_recordings(files, "audio", {"1-100032-A-0.wav", "2-100210-B-36.wav", "5-101296-A-0.wav"});
  return files;
}

Files folder_files() {
  Files files;
  files["manifest.csv"] =
      "file,tags,split,fold,group,verified,place\n"
      "a.wav,dog;rain:0.7,train,1,g1,true,Lyon\n"
      "sub/b.wav,?dog; !rain ;wind,test,2,g2,0,\"Paris, 5e\"\n"
      "c.wav,wind,validate,3,,,\n";
  for (const char* name : {"a.wav", "sub/b.wav", "c.wav"})
    files[name] = tiny_wav(static_cast<int>(files.size()));
  return files;
}

bool is_list(const std::string& name) { return !name.ends_with(".wav"); }

/// A damaged copy, and the words of its damaged lines.
struct Damaged {
  Files files;
  std::string what;
  std::string lines;  ///< those that the copy has otherwise than the original, both ways
  bool recordings = false, header = false;
};

std::string pick(const Files& files, bool list, Rng& rng) {
  std::vector<std::string> names;
  for (const auto& [name, content] : files) {
    if (is_list(name) == list) names.push_back(name);
  }
  return names[rng.below(names.size())];
}

Damaged damage_recordings(Damaged damaged, Rng& rng) {
  const std::string name = pick(damaged.files, false, rng);
  damaged.recordings = true;
  damaged.what = name;
  const std::string content = damaged.files.extract(name).mapped();
  switch (rng.below(4)) {
    case 0:  // removed
      break;
    case 1:
      damaged.files[name] = "";
      break;
    case 2:
      damaged.files[fs::path(name).parent_path() / "renamed.wav"] = content;
      break;
    default:
      damaged.files[name] = content;
      damaged.files[fs::path(name).parent_path() / "one_more.wav"] = content;
  }
  return damaged;
}

Damaged damage(const Files& files, Rng& rng) {
  Damaged damaged{files, "", "", false, false};
  if (rng.below(5) == 0) return damage_recordings(std::move(damaged), rng);
  damaged.what = pick(files, true, rng);
  if (rng.below(20) == 0) {
    damaged.files.erase(damaged.what);
    damaged.lines = files.at(damaged.what);
    return damaged;
  }
  std::string& text = damaged.files.at(damaged.what);
  text = rng.below(20) == 0 ? "" : mutated(text, 1 + rng.below(2), rng);
  const std::vector<std::string> before = lines_of(files.at(damaged.what)), after = lines_of(text);
  std::multiset<std::string> gone(before.begin(), before.end());
  for (const std::string& line : after) {
    const auto same = gone.find(line);
    if (same == gone.end()) {
      damaged.lines += line;
    } else {
      gone.erase(same);
    }
  }
  for (const std::string& line : gone) damaged.lines += line;
  damaged.header = after.empty() || after.front() != before.front();
  return damaged;
}

/// A clip with its targets by name: where the tags come from the list, another clip's may be more or fewer.
struct NamedClip {
  Clip clip;
  std::map<std::string, float> targets;  ///< those that are not 0
};
using ById = std::map<std::string, NamedClip>;

ById by_id(const Dataset& data, const fs::path& root) {
  ById clips;
  for (const Clip& clip : data.clips) {
    NamedClip& named = clips[clip.id];
    named.clip = clip;
    named.clip.path = clip.path.lexically_relative(root);
    for (std::size_t tag = 0; tag < data.tags.size(); ++tag) {
      if (clip.targets.at(tag) != 0.0f) named.targets[data.tags[tag]] = clip.targets[tag];
    }
  }
  EXPECT_EQ(clips.size(), data.clips.size());
  return clips;
}

bool same(const NamedClip& one, const NamedClip& other) {
  const Clip &a = one.clip, &b = other.clip;
  return a.path == b.path && a.split == b.split && a.fold == b.fold && a.group == b.group &&
         a.verified == b.verified && a.metadata == b.metadata && one.targets == other.targets;
}

/// Ids of the clips that are there on one side only, or differ.
std::set<std::string> changed(const ById& before, const ById& after) {
  std::set<std::string> ids;
  for (const auto& [id, clip] : before) {
    const auto now = after.find(id);
    if (now == after.end() || !same(clip, now->second)) ids.insert(id);
  }
  for (const auto& [id, clip] : after) {
    if (before.count(id) == 0) ids.insert(id);
  }
  return ids;
}

void replace_files(const Scratch& dir, const Files& was, const Files& now) {
  for (const auto& [name, content] : was) {
    if (now.count(name) == 0) fs::remove(dir / name);
  }
  for (const auto& [name, content] : now) {
    const auto old = was.find(name);
    if (old == was.end() || old->second != content) dir.write(name, content);
  }
}

class LoaderUnderDamage : public ::testing::TestWithParam<Case> {};

TEST_P(LoaderUnderDamage, NamesTheProblemOrChangesOnlyWhatTheDamagedLinesSayOf) {
  const auto& [name, files] = GetParam();
  const Scratch dir;
  write_files(dir, files);
  const Dataset original = load_dataset(name, dir.path());
  const ById clips = by_id(original, dir.path());
  std::size_t n_named = 0, n_same = 0, n_warned = 0, n_unnoticed = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Rng rng(seed, "damage " + name);
    const Damaged damaged = damage(files, rng);
    replace_files(dir, files, damaged.files);
    SCOPED_TRACE(std::to_string(seed) + ": " + damaged.what + "\n" + damaged.lines);
    try {
      const Dataset data = load_dataset(name, dir.path());
      const std::set<std::string> different = changed(clips, by_id(data, dir.path()));
      if (different.empty()) {
        ++n_same;
      } else if (data.warnings != original.warnings) {
        ++n_warned;
      } else {
        ++n_unnoticed;
        EXPECT_FALSE(damaged.recordings);
        // Any column of a manifest may be metadata: there a damaged header speaks of every clip.
        EXPECT_TRUE(!damaged.header || name == "folder");
        for (const std::string& id : different) {
          EXPECT_TRUE(damaged.header ||
                      damaged.lines.find(fs::path(id).filename().string()) != std::string::npos)
              << id << " differs, and no damaged line speaks of it";
        }
      }
    } catch (const Error& error) {
      ++n_named;
      const std::string text = error.what();
      EXPECT_TRUE(error.code() == ErrorCode::kBadDataset || error.code() == ErrorCode::kBadFile) << text;
      EXPECT_NE(text.find(dir.path().string()), std::string::npos) << text;
    }
    replace_files(dir, damaged.files, files);
  }
  RecordProperty("named", static_cast<int>(n_named));
  RecordProperty("same", static_cast<int>(n_same));
  RecordProperty("warned", static_cast<int>(n_warned));
  RecordProperty("unnoticed", static_cast<int>(n_unnoticed));
  std::cout << name << ": " << n_named << " named, " << n_same << " the same, " << n_warned << " warned of, "
            << n_unnoticed << " not to be noticed\n";
  EXPECT_GT(n_named, 200U);
}

INSTANTIATE_TEST_SUITE_P(EachDataset, LoaderUnderDamage,
                         ::testing::Values(Case{"esc50", esc50_files()}, Case{"folder", folder_files()},
                                           Case{"fsdkaggle2018", fsdkaggle2018_files()},
                                           Case{"fsdkaggle2019", fsdkaggle2019_files()},
                                           Case{"sonyc_ust", sonyc_files(true)},
                                           Case{"tau_scenes2019", tau_files()},
                                           Case{"tau_scenes2019_mobile", tau_mobile_files()},
                                           Case{"tau_scenes2019_openset", tau_openset_files()}),
                         [](const auto& subject) { return subject.param.dataset; });

}  // namespace
}  // namespace earmark
