#include "audio/stream_header.h"

#include <gtest/gtest.h>

#include <string>

namespace earmark {
namespace {

using std::string_literals::operator""s;

std::span<const Byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const Byte*>(text.data()), text.size()};
}

const std::string kWav = "RIFF\x12\x34\x56\x78WAVEfmt "s;
const std::string kOgg = "OggS\0\2\0\0\0\0\0\0\0\0\x99\x88"s;
const std::string kFlac = "fLaC\0\0\0\x22\x10\0\x10\0\0\0\0\0"s;
const std::string kWebm = "\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\xF7\x81\x01\x42\xF2\x81"s;
const std::string kMatroska = "\x1A\x45\xDF\xA3\x01\0\0\0\0\0\0\x23\x42\x86\x81\x01"s;

TEST(StreamHeader, EachKindIsKnownByItsFirstBytesAndNoOther) {
  EXPECT_EQ(header_of(bytes_of(kWav)), StreamHeader::kWav);
  EXPECT_EQ(header_of(bytes_of(kOgg)), StreamHeader::kOgg);
  EXPECT_EQ(header_of(bytes_of(kFlac)), StreamHeader::kFlac);
  EXPECT_EQ(header_of(bytes_of("fLaC\x80\0\0\x22"s)), StreamHeader::kFlac) << "no other block of metadata";
  EXPECT_EQ(header_of(bytes_of(kWebm)), StreamHeader::kMatroska);
  EXPECT_EQ(header_of(bytes_of(kMatroska)), StreamHeader::kMatroskaLongSize);
}

TEST(StreamHeader, PagesInTheMiddleAndOtherContainersAreNone) {
  for (const std::string& none : {"OggS\0\0\0\0\0\0\0\0\0\0\x99\x88"s, "OggS\0\1\0\0\0\0\0\0\0\0\x99\x88"s,
                                  "OggS\0\4\x10\0\0\0\0\0\0\0\x99\x88"s, "fLaC\0\0\1\x22"s,
                                  "RIFF\x12\x34\x56\x78"
                                  "AVI LIST"s,
                                  "\x1A\x45\xDF\xA3\x9F\x42\x87\x81\x01"s, ""s}) {
    EXPECT_EQ(header_of(bytes_of(none)), std::nullopt) << none;
  }
}

// What recorders, editors and loggers write before "fmt ".
TEST(StreamHeader, AWavIsKnownWhateverChunkItBeginsWith) {
  for (const std::string& first :
       {"fmt "s, "bext"s, "JUNK"s, "junk"s, "LIST"s, "ds64"s, "iXML"s, "fact"s, "PAD "s, "id3 "s, "_PMX"s}) {
    for (const std::string& form : {"RIFF"s, "RF64"s, "BW64"s}) {
      const std::string whole = form +
                                "\xFF\0\x0A\xFF"
                                "WAVE"s +
                                first;
      EXPECT_EQ(header_of(bytes_of(whole)), StreamHeader::kWav) << whole;
      for (std::size_t n = 0; n <= whole.size(); ++n)
        EXPECT_TRUE(may_be_header(StreamHeader::kWav, bytes_of(whole.substr(0, n)))) << whole << " " << n;
    }
  }
}

TEST(StreamHeader, WhatDiffersInOneByteIsNoWav) {
  for (const std::string& none :
       {"RIFX\1\2\3\4WAVEfmt "s, "RF65\1\2\3\4WAVEds64"s, "BF64\1\2\3\4WAVEds64"s, "RIF4\1\2\3\4WAVEfmt "s,
        "RW64\1\2\3\4WAVEds64"s, "RIFF\1\2\3\4WAVXfmt "s, "RIFF\1\2\3\4WAVEfm\0 "s,
        "RIFF\1\2\3\4WAVE\x7F"
        "ext"s,
        "RIFF\1\2\3\4WAVE\xE9"
        "xt "s}) {
    EXPECT_EQ(header_of(bytes_of(none)), std::nullopt) << none;
    EXPECT_FALSE(may_be_header(StreamHeader::kWav, bytes_of(none))) << none;
  }
}

// A stream is searched as it comes: a beginning is not given up while it may still become a header.
TEST(StreamHeader, EveryBeginningOfAHeaderMayBeOneAndEveryChangedOneIsNot) {
  for (const auto& [kind, whole] : {std::pair(StreamHeader::kWav, kWav),
                                    {StreamHeader::kOgg, kOgg},
                                    {StreamHeader::kFlac, kFlac},
                                    {StreamHeader::kMatroska, kWebm},
                                    {StreamHeader::kMatroskaLongSize, kMatroska}}) {
    ASSERT_LE(header_size(kind), kLongestHeader);
    for (std::size_t n = 0; n <= whole.size(); ++n) {
      EXPECT_TRUE(may_be_header(kind, bytes_of(whole.substr(0, n))));
      if (n < header_size(kind)) {
        EXPECT_EQ(header_of(bytes_of(whole.substr(0, n))), std::nullopt) << "too short to be sure";
      }
    }
    std::string changed = whole;
    changed[header_size(kind) - 1] ^= '\x80';
    EXPECT_FALSE(may_be_header(kind, bytes_of(changed)));
  }
}

}  // namespace
}  // namespace earmark
