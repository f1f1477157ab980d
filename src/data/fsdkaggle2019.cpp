#include "data/fsdkaggle2019.h"

#include "data/fsdkaggle.h"

namespace earmark {
namespace {

FsdKagglePart train_part(const std::string& subset, const std::string& source_column) {
  const std::string name = "train_" + subset;
  FsdKagglePart part;
  part.split = "train";
  part.subset = subset;
  part.verified = subset == "curated";
  part.id_prefix = part.verified ? "" : "noisy/";
  part.lists = {{"FSDKaggle2019.meta/" + name + "_post_competition.csv",
                 {{"fname", "labels", source_column, "license"}, {}}},
                {name + ".csv", {{"fname", "labels"}, {}}}};
  part.folders = {"FSDKaggle2019.audio_" + name, name};
  return part;
}

FsdKaggleForm form_2019() {
  FsdKagglePart test;
  test.split = "test";
  // The columns of sample_submission.csv are the tags, and its scores mean nothing.
  test.lists = {{"FSDKaggle2019.meta/test_post_competition.csv",
                 {{"fname", "labels", "usage", "freesound_id", "license"}, {}}},
                {"sample_submission.csv", {{"fname"}, {}, true}, false}};
  test.folders = {"FSDKaggle2019.audio_test", "test"};
  // Of the authors' own list: five with wrong labels; the last is silent.
  return {"fsdkaggle2019",
          "labels",
          {train_part("curated", "freesound_id"), train_part("noisy", "flickr_video_URL"), test},
          {"f76181c4.wav", "77b925c2.wav", "6a1f682a.wav", "c7db12aa.wav", "7752cc8a.wav", "1d44b0bd.wav"}};
}

}  // namespace

Dataset load_fsdkaggle2019(const std::filesystem::path& root, const DatasetOptions& options) {
  return load_fsdkaggle(form_2019(), root, options);
}

}  // namespace earmark
