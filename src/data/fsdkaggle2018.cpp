#include "data/fsdkaggle2018.h"

#include "data/fsdkaggle.h"

namespace earmark {
namespace {

FsdKaggleForm form_2018() {
  const ListColumns then{{"fname", "label"}, {"manually_verified"}};
  const std::string meta = "FSDKaggle2018.meta/";
  FsdKagglePart train, test;
  train.split = "train";
  train.lists = {{meta + "train_post_competition.csv",
                  {{"fname", "label", "manually_verified", "freesound_id", "license"}, {}}},
                 {meta + "train.csv", then},
                 {"train.csv", then}};
  train.folders = {"FSDKaggle2018.audio_train", "audio_train"};
  test.split = "test";
  test.lists = {{meta + "test_post_competition_scoring_clips.csv",
                 {{"fname", "label", "usage", "freesound_id", "license"}, {}}},
                {"sample_submission.csv", {{"fname"}, {"label"}}, false}};
  test.folders = {"FSDKaggle2018.audio_test", "audio_test"};
  return {"fsdkaggle2018", "label", {train, test}, {}};
}

}  // namespace

Dataset load_fsdkaggle2018(const std::filesystem::path& root, const DatasetOptions& options) {
  return load_fsdkaggle(form_2018(), root, options);
}

}  // namespace earmark
