#include "tagger/inputs.h"

#include <gtest/gtest.h>

#include "../audio/scratch.h"
#include "tagger/text.h"

namespace earmark::testing {
namespace {

std::vector<std::string> relative(const std::vector<TagInput>& inputs) {
  std::vector<std::string> out;
  for (const auto& input : inputs) out.push_back(input.relative.native());
  return out;
}

TEST(ExpandInputs, FoldersAreSortedBytewiseAndHiddenOrForeignFilesLeftOut) {
  const Scratch s;
  for (const char* name : {"b.wav", "B.WAV", "a b.flac", "z/1.ogg", "z/.hidden.wav", ".git/x.wav",
                           "notes.txt", "noext", "\xC3\xA9.mp3"})
    s.write(name, "x");
  EXPECT_EQ(relative(expand_inputs({s.path()})),
            (std::vector<std::string>{"B.WAV", "a b.flac", "b.wav", "z/1.ogg", "\xC3\xA9.mp3"}));
}

TEST(ExpandInputs, NamedFilesAreTakenWhateverTheirNames) {
  const Scratch s;
  const auto file = s.write("notes.txt", "x");
  EXPECT_EQ(relative(expand_inputs({file, "-", "-"})), (std::vector<std::string>{"notes.txt", "stdin"}));
}

TEST(ExpandInputs, EachRecordingOnce) {
  const Scratch s;
  const auto file = s.write("d/a.wav", "x");
  std::filesystem::create_symlink(file, s / "d/link.wav");
  EXPECT_EQ(expand_inputs({s / "d", file, s / "d", (s / "d/../d/a.wav").native()}).size(), 1u);
}

TEST(ExpandInputs, SymlinkLoopsEnd) {
  const Scratch s;
  s.write("d/a.wav", "x");
  std::filesystem::create_directory_symlink(s / "d", s / "d/loop");
  std::filesystem::create_directory_symlink(s.path(), s / "d/up");
  EXPECT_EQ(relative(expand_inputs({s.path()})), (std::vector<std::string>{"d/a.wav"}));
}

TEST(ExpandInputs, WhatLeadsNowhereIsAProblemOfItsOwn) {
  const Scratch s;
  std::filesystem::create_directory(s / "empty");
  std::filesystem::create_symlink(s / "gone", s / "dangling.wav");
  const auto inputs = expand_inputs({s / "missing.wav", s / "empty", s.path()});
  ASSERT_EQ(inputs.size(), 3u);
  EXPECT_EQ(inputs[0].problem->reason, "not_found");
  EXPECT_EQ(inputs[1].problem->reason, "no_audio_files");
  EXPECT_EQ(inputs[2].problem->reason, "not_found");  // the dangling link inside the folder
}

TEST(PathText, BytesThatAreNoUtf8StayReadable) {
  EXPECT_EQ(path_text("a\xFF.wav"), "a\\xFF.wav");
  EXPECT_EQ(path_text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\xB6"), "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\xB6");
  EXPECT_EQ(path_text("\xC0\x80 \xED\xA0\x80 \xF5\x80\x80\x80 \xE2\x82"),
            "\\xC0\\x80 \\xED\\xA0\\x80 \\xF5\\x80\\x80\\x80 \\xE2\\x82");
}

TEST(Text, NumbersAndQuotes) {
  EXPECT_EQ(decimal(5), "5.0");
  EXPECT_EQ(decimal(0.25), "0.25");
  EXPECT_EQ(decimal(1.0 / 3.0), "0.333333");
  EXPECT_EQ(json_text("a\"b\\c\nd\x01"), "\"a\\\"b\\\\c\\nd\\u0001\"");
  EXPECT_EQ(single_line("a\tb\nc"), "a\\tb\\nc");
  EXPECT_EQ(shortened("gr\xC3\xBC\xC3\x9F"
                      "en",
                      4),
            "gr\xC3\xBC…");
}

}  // namespace
}  // namespace earmark::testing
