#include "data/esc50.h"

#include <gtest/gtest.h>

#include <fstream>

#include "audio/read_audio.h"
#include "audio/scratch.h"
#include "earmark/error.h"
#include "golden_path.h"

namespace earmark {
namespace {

using testing::Scratch;

constexpr const char* kHeader = "filename,fold,target,category,esc10,src_file,take\n";

TEST(Esc50, ReadsTagsFoldsAndSources) {
  Scratch dir;
  dir.write(
      "meta/esc50.csv",
      std::string(kHeader) + "1-100-A-0.wav,1,0,dog,True,100,A\n2-200-B-1.wav,2,1,rooster,False,200,B\n");
  dir.write("audio/1-100-A-0.wav", "x");
  dir.write("audio/2-200-B-1.ogg", "x");  // the list says .wav
  const Dataset data = load_dataset("esc50", dir.path());
  EXPECT_EQ(data.tags, (std::vector<std::string>{"dog", "rooster"}));
  EXPECT_TRUE(data.single_label);
  ASSERT_EQ(data.clips.size(), 2U);
  EXPECT_EQ(data.clips[0].id, "1-100-A-0");
  EXPECT_EQ(data.clips[0].group, "100");
  EXPECT_EQ(data.clips[0].targets, (std::vector<float>{1, 0}));
  EXPECT_EQ(data.clips[1].fold, 2);
  EXPECT_EQ(data.clips[1].path.filename(), "2-200-B-1.ogg");
  EXPECT_EQ(data.n_folds(), 2);

  DatasetOptions only;
  only.esc10_only = true;
  EXPECT_EQ(load_dataset("esc50", dir.path(), only).tags, std::vector<std::string>{"dog"});
}

TEST(Esc50, EveryProblemIsNamedWithItsLine) {
  Scratch dir;
  dir.write("meta/esc50.csv", std::string(kHeader) +
                                  "1-100-A-0.wav,1,0,dog,True,100,A\n"
                                  "1-100-A-0.wav,1,0,dog,True,100,A\n"
                                  "gone.wav,9,x,,True,1,A\n"
                                  "1-100-A-0.wav,1,0,cat,True,100,A\n");
  dir.write("audio/1-100-A-0.wav", "x");
  try {
    load_dataset("esc50", dir.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadDataset);
    const std::string text = error.what();
    for (const char* part :
         {"esc50.csv:3: '1-100-A-0.wav' is listed twice", "esc50.csv:4: fold: must be 1..5, got '9'",
          "esc50.csv:4: target", "esc50.csv:4: category", "audio/gone.wav is missing",
          "target: class 0 is 'dog', the category says 'cat'"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " not in\n" << text;
    }
  }
}

TEST(Esc50, NamesLeadNowhereElseAndRecordingsInNoListAreNamed) {
  Scratch dir;
  dir.write("meta/esc50.csv", std::string(kHeader) + "1-100-A-0.wav,1,0,dog,True,100,A\n");
  dir.write("audio/1-100-A-0.wav", "x");
  dir.write("audio/more.wav", "x");
  const Dataset data = load_dataset("esc50", dir.path());
  ASSERT_EQ(data.unlisted.size(), 1U);
  EXPECT_EQ(data.unlisted[0].filename(), "more.wav");
  ASSERT_EQ(data.warnings.size(), 1U);
  dir.write("meta/esc50.csv", std::string(kHeader) + "../secret.wav,1,0,dog,True,100,A\n");
  dir.write("secret.wav", "x");
  DatasetOptions options;
  options.allow_missing = true;
  EXPECT_THROW(load_dataset("esc50", dir.path(), options), Error);
}

TEST(Esc50, AMissingListOrFolderSaysSo) {
  Scratch dir;
  EXPECT_THROW(load_dataset("esc50", dir.path()), Error);
  EXPECT_THROW(load_dataset("esc50", dir.path() / "none"), Error);
  EXPECT_THROW(load_dataset("esc51", dir.path()), Error);
}

TEST(Esc50, TheRealEsc10ReadsAndDecodes) {
  EARMARK_NEEDS(data_root, "EARMARK_DATA");
  const Dataset data = load_dataset("esc50", data_root / "ESC-10");
  EXPECT_EQ(data.clips.size(), 400U);
  EXPECT_EQ(data.tags.size(), 10U);
  EXPECT_EQ(data.n_folds(), 5);
  EXPECT_TRUE(data.warnings.empty()) << data.warnings.front();
  std::vector<int> per_tag(10, 0);
  for (const Clip& clip : data.clips) {
    for (std::size_t t = 0; t < 10; ++t) per_tag[t] += clip.targets[t] == 1.0f;
  }
  EXPECT_EQ(per_tag, std::vector<int>(10, 40));
  ReadOptions options;
  options.sample_rate_hz = 32000;
  for (std::size_t i = 0; i < data.clips.size(); i += 40) {
    auto audio = read_audio(data.clips[i].path, options);
    ASSERT_TRUE(audio) << audio.failure().detail;
    EXPECT_NEAR(audio->waveform.duration_s(), 5.0, 0.1) << data.clips[i].path;
    for (const std::string& warning : audio->warnings)
      EXPECT_EQ(warning.find("truncated"), std::string::npos) << warning;
  }
}

// A short row, a slip in a name, a number that is another class's, one that the file's name contradicts: told
// at once.
TEST(Esc50, RowsThatDoNotReadHideNothingOfTheOthers) {
  const Scratch dir;
  dir.write("meta/esc50.csv", std::string(kHeader) +
                                  "1-100-A-0.wav,1,0\n"
                                  "1-101-A-41.wav,1,41,chainsow,True,101,A\n"
                                  "1-102-A-7.wav,1,7,helicopter,True,102,A\n"
                                  "1-103-A-0.wav,1,1,rooster,True,103,A\n");
  DatasetOptions options;
  options.allow_missing = true;
  try {
    load_dataset("esc50", dir.path(), options);
    FAIL() << "must not be accepted";
  } catch (const Error& e) {
    const std::string what = e.what();
    for (const char* expected : {"esc50.csv:2: 3 fields, the header has 7",
                                 "esc50.csv:3: category: ESC-50 has no class 'chainsow', did you mean "
                                 "'chainsaw'?",
                                 "esc50.csv:4: target: class 7 is 'insects', the category says 'helicopter'",
                                 "esc50.csv:5: target: the file's name says class 0, got 1"}) {
      EXPECT_NE(what.find(expected), std::string::npos) << expected << "\n" << what;
    }
  }
}

TEST(Esc50, AColumnThatIsThereTwiceIsNamed) {
  const Scratch dir;
  dir.write("meta/esc50.csv", "filename,fold,fold,target,category\n1-100-A-0.wav,1,2,0,dog\n");
  DatasetOptions options;
  options.allow_missing = true;
  EXPECT_THROW(load_dataset("esc50", dir.path(), options), Error);
}

}  // namespace
}  // namespace earmark
