// trainer_case.h: twelve simulated clips and short trainings on them.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/file.h"
#include "data/simulate.h"
#include "tagger/bundle.h"
#include "train/train.h"

namespace earmark {
TrainResult train(const TrainRequest& request);
}  // namespace earmark

namespace earmark::testing {

namespace fs = std::filesystem;

inline constexpr const char* kTrainerRecipe = R"(
recipe: 1
seed: 3
data: {dataset: folder}
features: {kind: log_mel, sample_rate_hz: 16000, n_fft: 512, win_length: 400, hop_length: 160, n_mels: 32, f_max_hz: 8000}
augment:
  - {kind: time_shift}
  - {kind: superpose_mixup, max_s: 1.5}
  - {kind: frequency_warp}
  - {kind: time_mask, max_frames: 20}
  - {kind: frequency_mask, max_bands: 4}
model: {kind: upb_crnn}
schedule: {kind: cosine, warmup: 3}
train: {iterations: 14, batch_size: 4, log_every: 3, checkpoint_every: 4, validate_every: 6, swa: {enabled: true, start: 8, every: 2}}
tagging: {segment_s: 1.0}
)";

// Twelve simulated clips of one second, made once.
class TrainerCase : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    // Each test may run in a process of its own, beside the others.
    all_ = fs::path(::testing::TempDir()) / ("earmark_trainer_" + std::to_string(::getpid()));
    data_ = all_ / "data";
    fs::remove_all(all_);
    SimulatedDatasetOptions options;
    options.n_clips = 12;
    options.n_folds = 2;
    options.clip.duration_s = 1.0;
    options.clip.sample_rate_hz = 16000;
    write_simulated_dataset(data_, options);
    // The same clips, every other one checked by nobody.
    std::istringstream lines(read_text(data_ / "manifest.csv"));
    std::string manifest;
    int n = 0;
    for (std::string line; std::getline(lines, line); ++n)
      manifest += line + (n == 0 ? ",verified\n" : n % 2 == 0 ? ",1\n" : ",0\n");
    write_text(data_ / "checked.csv", manifest);
    // The same clips with place and time.
    lines = std::istringstream(read_text(data_ / "manifest.csv"));
    std::string places;
    n = 0;
    for (std::string line; std::getline(lines, line); ++n)
      places += line + (n == 0 ? std::string(",latitude,hour\n")
                               : "," + std::to_string(40.0 + 0.1 * n) + "," + std::to_string(n) + "\n");
    write_text(data_ / "places.csv", places);
  }
  static void TearDownTestSuite() { fs::remove_all(all_); }

  void SetUp() override {
    root_ = all_ / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::create_directories(root_);
  }

  TrainRequest request(const std::string& name, const std::vector<std::string>& overrides = {}) const {
    TrainRequest request;
    request.recipe = parse_recipe(kTrainerRecipe, "test", overrides);
    request.data_root = data_;
    request.out = root_ / name;
    request.threads = 1;
    request.fold = 2;
    return request;
  }

  // The log without what measures time.
  static std::string log_of(const fs::path& run) {
    std::istringstream lines(read_text(run / "log.jsonl"));
    std::string text;
    for (std::string line; std::getline(lines, line);) {
      Value record = parse_json(line, "log.jsonl");
      if (record.find("clips_per_s") != nullptr) record.set("clips_per_s", Value());
      text += to_json(record) + "\n";
    }
    return text;
  }

  // Of bundles whose recipes are told differently.
  static std::map<std::string, std::vector<float>> weights_of(const fs::path& bundle) {
    std::map<std::string, std::vector<float>> weights;
    const Bundle read = read_bundle(bundle);
    for (const auto& [name, tensor] : read.tensors.at(0)) weights[name] = tensor.floats();
    return weights;
  }

  inline static fs::path data_;  // the clips, of all tests
  fs::path root_;                // for the runs of this one

 private:
  inline static fs::path all_;
};

// Metadata, dropout, stripes inside the network, mixup of batches, Ralamb within Lookahead, and validations
// that keep a best, change the rate and begin the optimizer anew: all of a run that a stop must not change.
inline std::vector<std::string> urban_overrides() {
  return {"data.manifest=places.csv",
          "metadata=[{name: latitude, scale: centred}, {name: hour, scale: cyclic, period: 24}]",
          "augment=[{kind: network_stripes, max_frames: 5, max_bands: 3}, {kind: mixup}]",
          "model={kind: urbannet_system2, norm: batch, embedding: 64, n_conv: 2, n_pool: 2, heads: 2, d_k: "
          "4, time2vec: 4}",
          "loss={kind: bce, reduce: mean}",
          "optimizer={kind: ralamb, lr: 1.0e-3, lookahead: {k: 3}}",
          "schedule={kind: plateau_restarts, metrics: [macro_ap], patience: 0, factor: 0.5}",
          "train={iterations: 14, batch_size: 4, log_every: 3, checkpoint_every: 4, validate_every: 2, best: "
          "[macro_ap], "
          "result: macro_ap}"};
}

}  // namespace earmark::testing
