// What ends a training, or keeps it from beginning, and what is said of it.
#include <tuple>

#include "audio/write_wav.h"
#include "earmark/error.h"
#include "trainer_case.h"

namespace earmark::testing {
namespace {

class TrainerRefusals : public TrainerCase {};

TEST_F(TrainerRefusals, WhatValidationsDecideNeedsHeldOutClips) {
  TrainRequest nothing_held_out = request("unheard", urban_overrides());
  nothing_held_out.fold = 0;
  EXPECT_THROW(train(nothing_held_out), Error);
  EXPECT_FALSE(fs::exists(root_ / "unheard"));
}

// The name of a metric is held against what validations will tell, before any clip is read.
TEST_F(TrainerRefusals, AMetricThatValidationsDoNotTellIsRefusedBeforeAnythingIsWritten) {
  for (const auto& [field, override_] :
       {std::pair{"train.best", "train.best=[macro_app]"},
        std::pair{"train.stop.metric", "train.stop={metric: macro_app, patience: 3}"},
        std::pair{"schedule.metrics", "schedule.metrics=[loss, macro_app]"}}) {
    std::vector<std::string> overrides = urban_overrides();
    overrides.push_back("train.result=''");
    overrides.push_back(override_);
    try {
      train(request("misnamed", overrides));
      FAIL() << override_ << " was accepted";
    } catch (const Error& e) {
      const std::string message = e.what();
      EXPECT_EQ(e.code(), ErrorCode::kInvalidOption);
      EXPECT_NE(message.find(std::string(field) + ": must be a metric"), std::string::npos) << message;
      EXPECT_NE(message.find("got 'macro_app', did you mean 'macro_ap'?"), std::string::npos) << message;
    }
    EXPECT_FALSE(fs::exists(root_ / "misnamed"));
  }
}

TEST_F(TrainerRefusals, OneClipAloneIsRefusedWhereTheNetworkComparesClips) {
  std::istringstream lines(read_text(data_ / "manifest.csv"));
  std::string few;
  int n_of_fold_1 = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with(",1") && ++n_of_fold_1 > 1) continue;
    few += line + "\n";
  }
  write_text(data_ / "few.csv", few);
  const std::vector<std::string> overrides{"data.manifest=few.csv", "model={kind: mean_std_linear}",
                                           "augment=[]", "train.swa.enabled=false"};
  try {
    train(request("one_clip", overrides));
    FAIL() << "statistics over one clip were accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadDataset) << e.what();
    EXPECT_NE(std::string(e.what()).find("needs at least 2 to learn from, got 1"), std::string::npos)
        << e.what();
  }
  EXPECT_FALSE(fs::exists(root_ / "one_clip"));
}

// Held out it is found before the run begins, and not by its first validation.
TEST_F(TrainerRefusals, AClipTooShortForTheNetworkOrItsDeltasIsNamed) {
  write_wav(data_ / "audio/short.wav", Waveform{16000, 1, std::vector<float>(400, 0.1f)});
  const std::string manifest = read_text(data_ / "manifest.csv");  // file, tags, split, fold
  write_text(data_ / "short_held_out.csv", manifest + "audio/short.wav,hum,train,2\n");
  write_text(data_ / "short_learned.csv", manifest + "audio/short.wav,hum,train,1\n");
  for (const auto& [file, changed, what] :
       {std::tuple{"short_held_out.csv", "model={kind: vggish, width: 8, hidden: 16, embedding: 8}",
                   "an example has 96"},
        std::tuple{"short_learned.csv", "features.deltas=librosa", "for its deltas"}}) {
    try {
      train(request("short",
                    {std::string("data.manifest=") + file, changed, "features.n_mels=64", "augment=[]"}));
      FAIL() << file << " was accepted";
    } catch (const Error& e) {
      const std::string text = e.what();
      EXPECT_NE(text.find("clip audio/short.wav: the clip is too short"), std::string::npos) << text;
      EXPECT_NE(text.find(what), std::string::npos) << text;
    }
    EXPECT_FALSE(fs::exists(root_ / "short"));
  }
}

TEST_F(TrainerRefusals, DataThatNoBatchCanBeMadeOfIsRefusedBeforeAnythingIsWritten) {
  // Six training clips of a few tags: sixteen with distinct tag sets are never found.
  EXPECT_THROW(train(request("no_batches", {"train.sampler=bucketed", "train.batch_size=16"})), Error);
  EXPECT_FALSE(fs::exists(root_ / "no_batches"));
}

TEST_F(TrainerRefusals, RefusesAUsedFolderAnotherRecipeAndAFoldThatIsNotThere) {
  ASSERT_TRUE(train(request("used", {"train.iterations=10"})).finished);
  EXPECT_THROW(train(request("used")), Error);
  TrainRequest other = request("used", {"seed=4"});
  other.resume = true;
  EXPECT_THROW(train(other), Error);
  TrainRequest fold = request("other");
  fold.fold = 3;
  try {
    train(fold);
    FAIL() << "fold 3 of 2 was accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("1..2, got 3"), std::string::npos) << e.what();
  }
}

TEST_F(TrainerRefusals, FilesOfWhoeverElseAreNotReplacedAndAnOverwrittenRunLeavesNone) {
  std::filesystem::create_directories(root_ / "mine");
  write_text(root_ / "mine" / "model_accuracy.earmark", "mine");
  write_text(root_ / "mine" / "notes.txt", "mine");
  try {
    train(request("mine", {"train.iterations=10"}));
    FAIL() << "a file would have been replaced";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("holds model_accuracy.earmark, which a run would replace"),
              std::string::npos)
        << e.what();
  }
  TrainRequest anew = request("mine", {"train.iterations=10"});
  anew.overwrite = true;
  ASSERT_TRUE(train(anew).finished);
  EXPECT_FALSE(std::filesystem::exists(root_ / "mine" / "model_accuracy.earmark")) << "another recipe's best";
  EXPECT_TRUE(std::filesystem::exists(root_ / "mine" / "notes.txt"));
}

TEST_F(TrainerRefusals, ALossThatIsNoNumberStopsAndNamesTheBatch) {
  TrainRequest request =
      this->request("nan", {"optimizer.lr=1e30", "optimizer.clip_norm=0", "schedule={kind: constant}"});
  try {
    train(request);
    FAIL() << "a learning rate of 1e30 went well";
  } catch (const Error& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("no longer a number (iteration "), std::string::npos) << text;
    EXPECT_NE(text.find("clips audio/"), std::string::npos) << text;
  }
}

// One step of an absurd rate: its loss is a number, what the network says after it is none.
TEST_F(TrainerRefusals, ScoresThatAreNoNumbersEndTheRunAndNameTheClip) {
  try {
    train(request("nan_scores", {"optimizer.lr=1e30", "optimizer.clip_norm=0", "schedule={kind: constant}",
                                 "train.iterations=1", "train.swa.enabled=false"}));
    FAIL() << "scores after a step of 1e30 were taken for numbers";
  } catch (const Error& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("the scores of held-out clip audio/"), std::string::npos) << text;
    EXPECT_NE(text.find("no longer numbers"), std::string::npos) << text;
  }
  EXPECT_FALSE(fs::exists(root_ / "nan_scores/metrics.json"));
}

}  // namespace
}  // namespace earmark::testing
