#include "data/tau_scenes2019.h"

#include <gtest/gtest.h>

#include "data/dataset_fixture.h"
#include "data/splits.h"

namespace earmark {
namespace {

using namespace testing;
using Names = std::vector<std::string>;

TEST(TauScenes2019, ReadsScenesPlacesAndTheOfficialFold) {
  const Scratch dir;
  write_files(dir, tau_files());
  const Dataset data = load_dataset("tau_scenes2019", dir.path());
  EXPECT_EQ(data.tags.size(), 10U);
  EXPECT_TRUE(data.single_label);
  ASSERT_EQ(data.clips.size(), 4U);
  const Clip& metro = clip_of(data, "metro_station-paris-12-340-a.wav");
  EXPECT_EQ(tags_of(data, metro), Names{"metro_station"});
  EXPECT_EQ(metro.split, "train");
  EXPECT_EQ(metro.fold, 0);
  EXPECT_EQ(metro.group, "paris-12");
  EXPECT_EQ(metro.metadata.at("city"), "paris");
  EXPECT_EQ(metro.metadata.at("identifier"), "paris-12");
  EXPECT_EQ(metro.metadata.at("device"), "a");
  EXPECT_EQ(metro.path, dir / "audio/metro_station-paris-12-340-a.wav");
  EXPECT_EQ(clip_of(data, "tram-vienna-285-8639-a.wav").split, "validate");
  EXPECT_EQ(clip_of(data, "park-milan-5-77-a.wav").split, "unused");
  EXPECT_EQ(clips_of_split(data, "train").size(), 2U);
  ASSERT_EQ(data.warnings.size(), 1U);
  expect_parts(data.warnings[0], {"1 segments are in neither list", "park-milan-5-77-a.wav"});
}

TEST(TauScenes2019, WithoutItsColumnsTheNameTellsPlaceAndDevice) {
  const Scratch dir;
  Files files = tau_files();
  files["meta.csv"] =
      "scene_label\tfilename\r\n"
      "airport\taudio/airport-barcelona-0-0-a.wav\r\n"
      "metro_station\taudio/metro_station-paris-12-340-a.wav\r\n"
      "tram\taudio/tram-vienna-285-8639-a.wav\r\n"
      "park\taudio/park-milan-5-77-a.wav\r\n";
  write_files(dir, files);
  const Dataset data = load_dataset("tau_scenes2019", dir.path());
  EXPECT_EQ(clip_of(data, "tram-vienna-285-8639-a.wav").group, "vienna-285");
  EXPECT_EQ(clip_of(data, "tram-vienna-285-8639-a.wav").metadata.at("device"), "a");
}

TEST(TauScenes2019, TheMobileSetTellsDevicesApart) {
  const Scratch dir;
  write_files(dir, tau_mobile_files());
  const Dataset data = load_dataset("tau_scenes2019_mobile", dir.path());
  EXPECT_EQ(data.clips.size(), 6U);
  EXPECT_EQ(data.tags.size(), 10U);
  EXPECT_EQ(clip_of(data, "airport-barcelona-0-0-b.wav").metadata.at("device"), "b");
  EXPECT_EQ(clip_of(data, "airport-barcelona-0-0-b.wav").group, "barcelona-0");
  EXPECT_EQ(clip_of(data, "tram-vienna-285-8639-c.wav").split, "validate");
}

TEST(TauScenes2019, TheOpenSetHasTheUnknownLast) {
  const Scratch dir;
  write_files(dir, tau_openset_files());
  const Dataset data = load_dataset("tau_scenes2019_openset", dir.path());
  ASSERT_EQ(data.tags.size(), 11U);
  EXPECT_EQ(data.tags.back(), "unknown");
  EXPECT_EQ(tags_of(data, clip_of(data, "unknown-lyon-1-9-a.wav")), Names{"unknown"});
  expect_parts(refusal("tau_scenes2019", dir), {"meta.csv:6: label: 'unknown' is none of the 10 labels"});
}

TEST(TauScenes2019, EvaluationSetsHaveNoKnownTags) {
  const Scratch dir;
  dir.write("evaluation_setup/test.csv", "filename\naudio/0.wav\naudio/1.wav\n");
  dir.write("audio/0.wav", "x");
  dir.write("audio/1.wav", "x");
  const Dataset data = load_dataset("tau_scenes2019_openset", dir.path());
  ASSERT_EQ(data.clips.size(), 2U);
  EXPECT_EQ(data.clips[1].id, "1.wav");
  EXPECT_EQ(data.clips[1].split, "test");
  EXPECT_EQ(data.clips[1].targets, std::vector<float>(11, kUnknownTarget));
  EXPECT_FALSE(data.clips[1].verified);
}

TEST(TauScenes2019, EveryProblemIsNamedWithItsLine) {
  const Scratch dir;
  Files files = tau_files();
  files["meta.csv"] +=
      "audio/bus-lyon-1-1-a.wav\tbuss\tlyon-1\ta\n"
      "audio/tram-lyon-2-2-a.wav\tbus\tlyon-2\ta\n"
      "bus-lyon-3-3-a.wav\tbus\tlyon-3\ta\n"
      "audio/../x.wav\tbus\tlyon-3\ta\n"
      "audio/bus-lyon-4-4-a.wav\tbus\tlyon-4\ta\n";
  files["evaluation_setup/fold1_train.csv"] +=
      "audio/tram-vienna-285-8639-a.wav\ttram\n"
      "audio/airport-barcelona-0-0-a.wav\tbus\n"
      "audio/nowhere.wav\tbus\n";
  files["audio/tram-lyon-2-2-a.wav"] = "x";
  write_files(dir, files);
  expect_parts(
      refusal("tau_scenes2019", dir),
      {"meta.csv:6: label: 'buss' is none of the 10 labels, did you mean 'bus'?",
       "meta.csv:7: scene_label: 'bus', but the file's name says 'tram'",
       "meta.csv:8: filename: must lie in audio/, got 'bus-lyon-3-3-a.wav'",
       "meta.csv:9: a recording has a plain name, without a folder, got '../x.wav'",
       "meta.csv:10: the recording", "fold1_train.csv:5: 'airport-barcelona-0-0-a.wav' is listed twice",
       "fold1_train.csv:5: scene_label: 'bus' is none of what meta.csv says",
       "fold1_train.csv:6: 'nowhere.wav' is not in meta.csv",
       "fold1_evaluate.csv:2: 'tram-vienna-285-8639-a.wav' is in the training and held out"});
}

TEST(TauScenes2019, PlacesInBothPartsAndOddIdentifiersAreWarnedAbout) {
  const Scratch dir;
  Files files = tau_files({{"tram-lyon-1-1-a.wav", "tram", "lyon-1", "a"},
                           {"tram-lyon-1-2-a.wav", "tram", "lyon-1", "a"},
                           {"bus-lyon-9-3-a.wav", "bus", "lyon-8", "b"}});
  write_files(dir, files);
  expect_parts(joined(load_dataset("tau_scenes2019", dir.path()).warnings),
               {"1 held-out segments come from places of the training: lyon-1",
                "1 segments have another identifier than their names say",
                "1 segments have another source_label than their names say"});
}

TEST(TauScenes2019, WhatWasLookedForIsNamed) {
  const Scratch nothing;
  expect_parts(refusal("tau_scenes2019", nothing),
               {nothing.path().string(), "meta.csv", "evaluation_setup/test.csv"});
  const Scratch dir;
  Files files = tau_files();
  files.erase("evaluation_setup/fold1_train.csv");
  write_files(dir, files);
  expect_parts(refusal("tau_scenes2019", dir), {"there must be fold1_train.csv and fold1_evaluate.csv"});
}

TEST(TauScenes2019, TheOfficialFolderMayLieBelowTheRoot) {
  const Scratch dir;
  for (const auto& [name, content] : tau_files())
    dir.write("TAU-urban-acoustic-scenes-2019-development/" + name, content);
  EXPECT_EQ(load_dataset("tau_scenes2019", dir.path()).clips.size(), 4U);
}

TEST(TauScenes2019, AnAnnotationListAloneIsATest) {
  const Scratch dir;
  DatasetOptions options;
  options.annotations = dir.write("truth.csv", "filename\tscene_label\naudio/0.wav\tbus\n");
  const Dataset data = load_dataset("tau_scenes2019", "", options);
  ASSERT_EQ(data.clips.size(), 1U);
  EXPECT_EQ(data.clips[0].split, "test");
  EXPECT_EQ(tags_of(data, data.clips[0]), Names{"bus"});
}

}  // namespace
}  // namespace earmark
