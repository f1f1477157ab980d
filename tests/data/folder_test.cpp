#include "data/folder.h"

#include <gtest/gtest.h>

#include "audio/scratch.h"
#include "earmark/error.h"

namespace earmark {
namespace {

using testing::Scratch;
using Tags = std::vector<std::string>;

TEST(Folder, OneSubFolderAClass) {
  const Scratch dir;
  dir.write("rain/b.wav", "x");
  dir.write("dog/2020/a.FLAC", "x");
  dir.write("dog/notes.txt", "x");
  const Dataset data = load_dataset("folder", dir.path());
  EXPECT_EQ(data.tags, (Tags{"dog", "rain"}));
  ASSERT_EQ(data.clips.size(), 2U);
  EXPECT_EQ(data.clips[0].id, "dog/2020/a.FLAC");
  EXPECT_EQ(data.clips[0].targets, (std::vector<float>{1, 0}));
  EXPECT_EQ(data.clips[0].split, "");
  EXPECT_TRUE(data.single_label);
}

TEST(Folder, SplitsAboveTheClasses) {
  const Scratch dir;
  dir.write("train/dog/a.wav", "x");
  dir.write("test/rain/b.wav", "x");
  const Dataset data = load_folder(dir.path(), {});
  EXPECT_EQ(data.tags, (Tags{"dog", "rain"}));
  EXPECT_EQ(data.clips[0].split, "test");
  EXPECT_EQ(data.clips[1].split, "train");
}

TEST(Folder, RecordingsOutsideAClassAreNamed) {
  const Scratch dir;
  dir.write("dog/a.wav", "x");
  dir.write("stray.wav", "x");
  EXPECT_THROW(load_folder(dir.path(), {}), Error);
  const Scratch empty;
  EXPECT_THROW(load_folder(empty.path(), {}), Error);
}

TEST(Folder, ManifestWithSoftUnknownAndManyTags) {
  const Scratch dir;
  for (const char* name : {"a.wav", "sub/b.wav", "c.wav"}) dir.write(name, "x");
  dir.write("manifest.csv",
            "file,tags,split,fold,group,verified,place\n"
            "a.wav,dog;rain:0.7,train,1,g1,true,Lyon\n"
            "sub/b.wav,?dog; !rain ;wind,test,2,g2,0,\"Paris, 5e\"\n"
            "c.wav,,validate,,,,\n");
  const Dataset data = load_dataset("folder", dir.path());
  EXPECT_EQ(data.tags, (Tags{"dog", "rain", "wind"}));
  EXPECT_EQ(data.clips[0].targets, (std::vector<float>{1.0f, 0.7f, 0.0f}));
  EXPECT_EQ(data.clips[1].targets, (std::vector<float>{kUnknownTarget, 0.0f, 1.0f}));
  EXPECT_EQ(data.clips[2].targets, (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(data.clips[1].fold, 2);
  EXPECT_EQ(data.clips[1].group, "g2");
  EXPECT_TRUE(data.clips[0].verified);
  EXPECT_FALSE(data.clips[1].verified);
  EXPECT_EQ(data.clips[1].metadata.at("place"), "Paris, 5e");
  EXPECT_FALSE(data.single_label);
}

TEST(Folder, ASlipInTheNameOfAColumnIsWarnedAbout) {
  const Scratch dir;
  dir.write("a.wav", "x");
  dir.write("manifest.csv", "file,tags,spilt,place\na.wav,dog,train,Lyon\n");
  const Dataset data = load_dataset("folder", dir.path());
  ASSERT_EQ(data.warnings.size(), 1U);
  EXPECT_NE(data.warnings[0].find("column 'spilt' is metadata; did you mean 'split'?"), std::string::npos);
  EXPECT_EQ(data.clips[0].metadata.at("spilt"), "train");
}

TEST(Folder, EveryManifestProblemIsNamedWithItsLine) {
  const Scratch dir;
  dir.write("a.wav", "x");
  dir.write("list.csv",
            "file,tags,split,fold\n"
            "a.wav,dog;dog,train,1\n"
            "../secret.wav,dog,train,1\n"
            "a.wav,dog:1.5,training,0\n"
            "gone.wav,?,train,1\n"
            ",dog,,\n");
  DatasetOptions options;
  options.manifest = "list.csv";
  try {
    load_folder(dir.path(), options);
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* part :
         {"list.csv:2: tags: 'dog' is named twice", "list.csv:3: file: must lie below",
          "list.csv:4: 'a.wav' is listed twice", "list.csv:4: tags: the degree in 'dog:1.5' must be 0..1",
          "list.csv:4: split: must be train, validate or test, got 'training'",
          "list.csv:4: fold: must be 1..1000, got '0'", "list.csv:5: the recording",
          "list.csv:5: tags: a tag without a name", "list.csv:6: file: must not be empty"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " not in\n" << text;
    }
  }
  options.manifest = "none.csv";
  EXPECT_THROW(load_folder(dir.path(), options), Error);
}

TEST(Folder, ARowThatDoesNotReadHidesNothingOfTheOthers) {
  const Scratch dir;
  dir.write("a.wav", "x");
  dir.write("manifest.csv", "file,tags\na.wav\ngone.wav,dog\n");
  try {
    load_dataset("folder", dir.path());
    FAIL() << "must not be accepted";
  } catch (const Error& e) {
    const std::string what = e.what();
    EXPECT_NE(what.find("manifest.csv:2: 1 fields, the header has 2"), std::string::npos) << what;
    EXPECT_NE(what.find("manifest.csv:3: "), std::string::npos) << what;
  }
}

}  // namespace
}  // namespace earmark
