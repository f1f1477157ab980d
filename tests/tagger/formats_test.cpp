#include "tagger/formats.h"

#include <gtest/gtest.h>

#include "core/value.h"

namespace earmark::testing {
namespace {

const std::vector<std::string> kTags{"dog", "rain, heavy", "say \"hi\""};

std::string all(TagFormatter formatter, const std::string& name = "a \"b\".wav") {
  std::string text = formatter.header() + formatter.begin(name);
  text += formatter.segment({0, 5, {0.93f, 0.02f, 0.5f}});
  text += formatter.segment({5, 7.25, {0.7f, 0.02f, 0.125f}});
  return text + formatter.end({"silent: nothing there"});
}

TEST(TagFormatter, Csv) {
  EXPECT_EQ(all({kTags, {TagFormat::kCsv, false, {{}, 2}}}),
            "file,start_s,end_s,tag,score\n"
            "\"a \"\"b\"\".wav\",0.0,5.0,dog,0.93\n"
            "\"a \"\"b\"\".wav\",0.0,5.0,\"say \"\"hi\"\"\",0.5\n"
            "\"a \"\"b\"\".wav\",5.0,7.25,dog,0.7\n"
            "\"a \"\"b\"\".wav\",5.0,7.25,\"say \"\"hi\"\"\",0.125\n");
}

TEST(TagFormatter, JsonLines) {
  EXPECT_EQ(all({kTags, {TagFormat::kJsonl, false, {}}}, "a.wav"),
            "{\"file\": \"a.wav\", \"start_s\": 0.0, \"end_s\": 5.0, \"scores\": {\"dog\": 0.93, \"say "
            "\\\"hi\\\"\": 0.5, "
            "\"rain, heavy\": 0.02}}\n"
            "{\"file\": \"a.wav\", \"start_s\": 5.0, \"end_s\": 7.25, \"scores\": {\"dog\": 0.7, \"say "
            "\\\"hi\\\"\": 0.125, "
            "\"rain, heavy\": 0.02}}\n");
}

TEST(TagFormatter, JsonLinesOfEvents) {
  EXPECT_EQ(all({kTags, {TagFormat::kJsonl, true, {{0.5, 0.5, 0.5}, 0}}}, "a.wav"),
            "{\"file\": \"a.wav\", \"tag\": \"dog\", \"start_s\": 0.0, \"end_s\": 7.25, \"score\": 0.93}\n"
            "{\"file\": \"a.wav\", \"tag\": \"say \\\"hi\\\"\", \"start_s\": 0.0, \"end_s\": 5.0, \"score\": "
            "0.5}\n");
}

TEST(TagFormatter, AudacityLabels) {
  EXPECT_EQ(all({kTags, {TagFormat::kAudacity, false, {{0.5, 0.5, 0.6}, 0}}}),
            "0.000000\t5.000000\tdog\n5.000000\t7.250000\tdog\n");
}

TEST(TagFormatter, RavenSelectionTable) {
  EXPECT_EQ(all({kTags, {TagFormat::kRaven, false, {{0.5, 0.5, 0.6}, 0}, 50.0, 4000.0}}, "a\tb.wav"),
            "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin "
            "Path\tTag\tScore\n"
            "1\tSpectrogram 1\t1\t0.000000\t5.000000\t50.0\t4000.0\ta\\tb.wav\tdog\t0.930000\n"
            "2\tSpectrogram 1\t1\t5.000000\t7.250000\t50.0\t4000.0\ta\\tb.wav\tdog\t0.700000\n");
}

TEST(TagFormatter, TableAlignsAndWarns) {
  EXPECT_EQ(all({kTags, {TagFormat::kTable, false, {{}, 2}}}, "a.wav"),
            "a.wav\n"
            "  00:00.00 - 00:05.00  dog          ██████████████████████▍   93.0 %\n"
            "                       say \"hi\"     ████████████              50.0 %\n"
            "  00:05.00 - 00:07.25  dog          ████████████████▊         70.0 %\n"
            "                       say \"hi\"     ███                       12.5 %\n"
            "  ! silent: nothing there\n");
}

TEST(TagFormatter, TableSaysWhenThereIsNothing) {
  TagFormatter formatter(kTags, {TagFormat::kTable, true, {{0.99, 0.99, 0.99}, 0}});
  EXPECT_EQ(formatter.begin("a.wav") + formatter.segment({0, 5, {0.9f, 0.1f, 0.1f}}) + formatter.end({}),
            "a.wav\n  nothing above the threshold\n");
}

TEST(TagFormatter, AbandonedRecordingLeavesNoEvents) {
  TagFormatter formatter(kTags, {TagFormat::kCsv, true, {{0.5, 0.5, 0.5}, 0}});
  formatter.begin("bad.wav");
  formatter.segment({0, 5, {0.9f, 0.1f, 0.1f}});
  formatter.abandon();
  formatter.begin("good.wav");
  EXPECT_EQ(formatter.end({}), "");
}

}  // namespace
}  // namespace earmark::testing
