#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "audio/read_audio.h"
#include "golden_path.h"
#include "models/torch_network.h"
#include "tagger/scorer.h"

namespace earmark {
namespace {

TEST(ShippedBundle, IsSmallNamesItsOriginAndGivesItsOwnAnswer) {
  const std::filesystem::path path = testing::repository() / "models/esc10.earmark";
  EXPECT_LE(std::filesystem::file_size(path), 12U << 20);
  const Scorer scorer(read_bundle(path), make_torch_network);  // the self-test runs here
  EXPECT_EQ(scorer.bundle().tags.size(), 10U);
  EXPECT_EQ(scorer.bundle().self_test.scores.size(), 10U);
  const Value::List& origins = scorer.bundle().provenance.at("bundles").as_list();
  ASSERT_EQ(origins.size(), scorer.bundle().networks.size());
  for (const Value& origin : origins) {
    EXPECT_EQ(origin.at("dataset").as_string(), "esc50");
    EXPECT_EQ(origin.at("n_train_clips").as_integer(), 400);
  }
  EXPECT_TRUE(std::filesystem::exists(testing::repository() / "models/esc10.ATTRIBUTION.txt"));
}

// The recordings it was trained on: this says that the whole path works, nothing about new ones.
TEST(ShippedBundle, KnowsARecordingItWasTrainedOn) {
  EARMARK_NEEDS(data, "EARMARK_DATA");
  const Scorer scorer(read_bundle(testing::repository() / "models/esc10.earmark"), make_torch_network);
  ReadOptions read;
  read.sample_rate_hz = scorer.sample_rate_hz();
  Outcome<LoadedAudio> audio = read_audio(data / "ESC-10/audio/1-187207-A-20.ogg", read);
  ASSERT_TRUE(audio) << audio.failure().detail;
  Scorer::Workspace workspace;
  const std::vector<float> scores = scorer.scores(audio->waveform, workspace);
  const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  EXPECT_EQ(scorer.bundle().tags[static_cast<std::size_t>(best)], "crying_baby");
}

}  // namespace
}  // namespace earmark
