#include <atomic>
#include <fstream>

#include "earmark/error.h"
#include "models/torch_network.h"
#include "tagger/scorer.h"
#include "train/checkpoint.h"
#include "trainer_case.h"

namespace earmark::testing {
namespace {

class Trainer : public TrainerCase {};

TEST_F(Trainer, WritesEverythingThatARunPromises) {
  const TrainResult result = train(request("whole"));
  ASSERT_TRUE(result.finished);
  for (const char* name : {"recipe.yaml", "log.jsonl", "metrics.json", "model.earmark", "report.html",
                           "events.out.tfevents.0.earmark", "checkpoints/latest.safetensors"}) {
    EXPECT_TRUE(fs::exists(root_ / "whole" / name)) << name;
  }
  // 14 steps logged every 3 and at the end, validated at 6, 12 and at the end.
  const std::string log = log_of(root_ / "whole");
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 5 + 3);
  const Scorer scorer(read_bundle(result.bundle), make_torch_network);  // its self-test passes
  EXPECT_EQ(scorer.bundle().tags.size(), 6U);
  EXPECT_EQ(parse_recipe(read_text(root_ / "whole/recipe.yaml"), "recipe.yaml").seed, 3U);
}

TEST_F(Trainer, WrongLabelsAreLearnedFromButHeldOutClipsAreJudgedByTheirOwn) {
  // A network whose steps change nothing scores the same whatever it is told.
  const std::vector<std::string> still{"optimizer={kind: sgd, lr: 1.0e-30}", "augment=[]",
                                       "train.swa.enabled=false", "model={kind: mean_std_linear}",
                                       "train.iterations=3"};
  const auto metrics = [&](const std::string& name, const std::string& share) {
    std::vector<std::string> overrides = still;
    overrides.push_back("data.label_noise.share=" + share);
    train(request(name, overrides));
    return parse_json(read_text(root_ / name / "metrics.json"), name);
  };
  const Value clean = metrics("clean_labels", "0");
  const Value noisy = metrics("wrong_labels", "1");
  EXPECT_EQ(to_json(clean.at("metrics")), to_json(noisy.at("metrics")));
  const auto first_loss = [&](const std::string& name) {
    std::istringstream lines(read_text(root_ / name / "log.jsonl"));
    std::string line;
    std::getline(lines, line);
    return parse_json(line, name).at("loss").as_number();
  };
  EXPECT_NE(first_loss("clean_labels"), first_loss("wrong_labels"));
}

TEST_F(Trainer, ARunThatValidationsSteerResumesBitForBit) {
  const TrainResult whole = train(request("urban", urban_overrides()));
  ASSERT_TRUE(whole.finished);
  TrainRequest stopped = request("urban_stopped", urban_overrides());
  std::atomic<bool> stop{false};
  stopped.stop = &stop;
  stopped.on_progress = [&](const TrainProgress& p) { stop = p.stage == "training" && p.done == 7; };
  ASSERT_FALSE(train(stopped).finished);
  TrainRequest resumed = request("urban_stopped", urban_overrides());
  resumed.resume = true;
  ASSERT_TRUE(train(resumed).finished);
  EXPECT_EQ(log_of(root_ / "urban"), log_of(root_ / "urban_stopped"));
  for (const char* bundle : {"model.earmark", "model_macro_ap.earmark"})
    EXPECT_EQ(read_bytes(root_ / "urban" / bundle), read_bytes(root_ / "urban_stopped" / bundle)) << bundle;
  // The result is the best: what the last line of the log says of it is what no earlier line exceeds.
  double highest = 0.0, last = 0.0;
  std::istringstream lines(read_text(root_ / "urban/log.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const Value record = parse_json(line, "log.jsonl");
    if (const Value* figures = record.find("validation"))
      highest = std::max(highest, last = figures->at("macro_ap").as_number());
  }
  EXPECT_EQ(last, highest);
  EXPECT_EQ(whole.metrics.at("best").at("macro_ap").at("metrics").at("macro_ap").as_number(), highest);
  EXPECT_EQ(read_bundle(whole.bundle).networks.front().front_end.metadata.size(), 2U);
}

// Six clips in batches of five: the one that is left has no deviation over a batch.
TEST_F(Trainer, NormStatisticsAreNeverThoseOfOneClip) {
  EXPECT_TRUE(
      train(request("refreshed", {"model={kind: mean_std_linear}", "augment=[]", "train.batch_size=5"}))
          .finished);
}

// A network that hears waveforms, trained as Cochlear.ai did: segments, mixtures, loudness, masked losses,
// the best of the validations.
std::vector<std::string> densenet_overrides(const std::string& model) {
  return {
      "data.manifest=checked.csv",
      "features={kind: waveform, sample_rate_hz: 16000, min_samples: 8000}",
      "normalize=none",
      "augment=[{kind: random_segment, samples: 8000}, {kind: mixup, alpha: 0.4, each: true, larger_share: "
      "true, "
      "no_self: true}, {kind: random_scale}]",
      "model=" + model,
      "loss={kind: cross_entropy, mask_share: 0.8}",
      "train={iterations: 9, batch_size: 4, log_every: 3, checkpoint_every: 4, validate_every: 3, best: "
      "[macro_ap], result: macro_ap}"};
}

TEST_F(Trainer, MaskingLeavesTheLossOfHeldOutClipsAsItIs) {
  // Nobody checked these: each alone in its batch would be masked by itself, and the loss 0.
  auto overrides = densenet_overrides("{kind: single_block_densenet, input: waveform, growth: [2, 4]}");
  overrides.insert(overrides.end(),
                   {"data.manifest=manifest.csv", "optimizer.lr=1e-12", "train.iterations=3"});
  TrainRequest masked = request("masked", overrides);
  overrides.push_back("loss.mask_share=0");
  TrainRequest whole = request("not_masked", overrides);
  masked.overwrite = whole.overwrite = true;
  ASSERT_TRUE(train(masked).finished && train(whole).finished);
  const auto loss = [&](const char* run) {
    const Value metrics = parse_json(read_text(root_ / run / "metrics.json"), run);
    return metrics.at("metrics").at("loss").as_number();
  };
  EXPECT_GT(loss("masked"), 0.1);
  EXPECT_NEAR(loss("masked"), loss("not_masked"), 1e-6);
}

TEST_F(Trainer, WaveformNetworksResumeBitForBitAndTheirBundlesPassTheirSelfTest) {
  for (const std::string model :
       {"{kind: single_block_densenet, input: waveform, growth: [2, 4, 8, 8, 8, 8], n_heads: 2}",
        "{kind: single_block_densenet, growth: [2, 4, 8, 8], n_heads: 2, n_low: 3, "
        "log_mel: {sample_rate_hz: 16000, f_max_hz: 8000, n_mels: 16}}"}) {
    SCOPED_TRACE(model);
    const auto overrides = densenet_overrides(model);
    TrainRequest straight = request("dense", overrides), stopped = request("dense_stopped", overrides);
    straight.overwrite = stopped.overwrite = true;
    const TrainResult whole = train(straight);
    ASSERT_TRUE(whole.finished);
    std::atomic<bool> stop{false};
    stopped.stop = &stop;
    stopped.on_progress = [&](const TrainProgress& p) { stop = p.stage == "training" && p.done == 5; };
    ASSERT_FALSE(train(stopped).finished);
    TrainRequest resumed = request("dense_stopped", overrides);
    resumed.resume = true;
    ASSERT_TRUE(train(resumed).finished);
    EXPECT_EQ(log_of(root_ / "dense"), log_of(root_ / "dense_stopped"));
    const Bundle bundle = read_bundle(whole.bundle);
    EXPECT_EQ(read_bytes(whole.bundle), read_bytes(root_ / "dense_stopped/model.earmark"));
    ASSERT_TRUE(bundle.networks[0].front_end.waveform);
    EXPECT_EQ(bundle.networks[0].front_end.waveform->min_samples, 8000);
    const Scorer scorer(bundle, make_torch_network);
    Scorer::Workspace workspace;
    const auto scores = scorer.scores(Waveform{16000, 1, std::vector<float>(5000, 0.1f)}, workspace);
    double sum = 0.0;
    for (const float s : scores) sum += static_cast<double>(s);
    EXPECT_NEAR(sum, 1.0, 1e-5);
  }
}

// Held-out clips without any tag: macro_ap is undefined all along, so there is no best of it.
TEST_F(Trainer, ABestThatWasNeverDefinedLeavesTheLastWeights) {
  std::istringstream lines(read_text(data_ / "places.csv"));
  std::string untagged;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(','), second = line.find(',', first + 1);
    const std::size_t fold = line.find(',', second + 1) + 1;
    untagged += (line[fold] == '2' ? line.substr(0, first + 1) + line.substr(second) : line) + "\n";
  }
  write_text(data_ / "untagged.csv", untagged);
  std::vector<std::string> overrides = urban_overrides();
  overrides.insert(overrides.end(),
                   {"data.manifest=untagged.csv", "train.best=[macro_ap, loss]", "train.iterations=6"});
  TrainRequest undefined = request("undefined", overrides);
  std::string said;
  undefined.on_message = [&](const std::string& text) { said += text + "\n"; };
  const TrainResult result = train(undefined);
  ASSERT_TRUE(result.finished);
  EXPECT_NE(said.find("train.best: macro_ap was undefined in every validation"), std::string::npos) << said;
  EXPECT_NE(said.find("the result is the last weights"), std::string::npos) << said;
  EXPECT_EQ(result.metrics.at("best").find("macro_ap"), nullptr);
  EXPECT_FALSE(fs::exists(root_ / "undefined/model_macro_ap.earmark"));
  EXPECT_TRUE(fs::exists(root_ / "undefined/model_loss.earmark"));
  overrides.push_back("train.result=''");
  const TrainResult last = train(request("undefined_last", overrides));
  EXPECT_EQ(weights_of(result.bundle), weights_of(last.bundle));
}

TEST_F(Trainer, ARunCountedInEpochsIsTheSameCountedInSteps) {
  // Six clips of fold 1 in batches of four: two steps an epoch.
  const std::vector<std::string> epochs{"train.iterations=7 epochs", "train.validate_every=3 epochs",
                                        "train.swa={enabled: true, start: 4 epochs, every: 1 epoch}",
                                        "schedule={kind: cosine, warmup: 1 epoch}"};
  const std::vector<std::string> steps{"train.iterations=14", "train.validate_every=6",
                                       "train.swa={enabled: true, start: 8, every: 2}",
                                       "schedule={kind: cosine, warmup: 2}"};
  ASSERT_TRUE(train(request("epochs", epochs)).finished);
  ASSERT_TRUE(train(request("steps", steps)).finished);
  EXPECT_EQ(log_of(root_ / "epochs"), log_of(root_ / "steps"));
  EXPECT_EQ(weights_of(root_ / "epochs/model.earmark"), weights_of(root_ / "steps/model.earmark"));
  // Of batches whose halves become pairs an epoch has as many pairs as clips: six.
  const auto steps_of = [&](const std::string& name, const std::string& batch) {
    const std::vector<std::string> pairs{"augment=[{kind: mixup, halves: true, each: true}]",
                                         "train.batch_size=" + batch,
                                         "train.iterations=3 epochs",
                                         "train.swa.enabled=false",
                                         "model={kind: mean_std_linear}",
                                         "train.validate_every=0"};
    return train(request(name, pairs)).metrics.at("iterations").as_integer();
  };
  EXPECT_EQ(steps_of("pairs", "6"), 6);
  EXPECT_EQ(steps_of("wide_pairs", "12"), 3);
  // What only the data can tell to be wrong: 5 epochs are 10 steps.
  try {
    train(request("too_long", {"train.iterations=5 epochs", "train.swa.start=9"}));
    FAIL() << "averaging from step 9 by 2 fits into 10 steps";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("must not pass train.iterations (10)"), std::string::npos)
        << e.what();
  }
}

TEST_F(Trainer, AFinishedRunThatIsResumedSaysNothingTwice) {
  ASSERT_TRUE(train(request("finished", urban_overrides())).finished);
  const std::string log = log_of(root_ / "finished");
  const auto bundle = read_bytes(root_ / "finished/model.earmark");
  TrainRequest again = request("finished", urban_overrides());
  again.resume = true;
  ASSERT_TRUE(train(again).finished);
  EXPECT_EQ(log_of(root_ / "finished"), log);
  EXPECT_EQ(read_bytes(root_ / "finished/model.earmark"), bundle);
  // Its last line is of the result, and of the iteration whose weights the result has.
  const std::size_t begin = log.rfind('\n', log.size() - 2) + 1;
  const Value last = parse_json(log.substr(begin), "log");
  EXPECT_TRUE(last.at("result").as_bool());
  const Value metrics = parse_json(read_text(root_ / "finished/metrics.json"), "metrics.json");
  EXPECT_EQ(last.at("iteration").as_integer(),
            metrics.at("best").at("macro_ap").at("iteration").as_integer());
}

TEST_F(Trainer, ATagOfEveryClipIsToldWhenClassesAreWeighted) {
  std::istringstream lines(read_text(data_ / "manifest.csv"));
  std::string all;
  int n = 0;
  for (std::string line; std::getline(lines, line); ++n) {
    const std::size_t first = line.find(','), second = line.find(',', first + 1);
    all += (n == 0 ? line
                   : line.substr(0, first + 1) + (n % 2 == 0 ? "hum" : "hum;bell") + line.substr(second)) +
           "\n";
  }
  write_text(data_ / "hum.csv", all);
  TrainRequest weighted =
      request("weighted", {"data.manifest=hum.csv", "model={kind: mean_std_linear}", "augment=[]",
                           "train.swa.enabled=false", "train.iterations=1",
                           "loss={kind: bce, class_weight_root: 10}", "train.stop.metric=loss"});
  std::string said;
  weighted.on_message = [&](const std::string& text) { said += text + "\n"; };
  ASSERT_TRUE(train(weighted).finished);
  EXPECT_NE(said.find("'hum' is in every clip"), std::string::npos) << said;
  EXPECT_EQ(said.find("'bell'"), std::string::npos) << said;
  EXPECT_NE(said.find("with patience 0 the run does not end early"), std::string::npos) << said;
}

TEST_F(Trainer, ARunWithoutImprovementEndsEarly) {
  std::vector<std::string> overrides = urban_overrides();
  overrides.push_back("train.iterations=200");
  overrides.push_back("optimizer.lr=1e-12");  // nothing is learned
  overrides.push_back("train.stop={metric: macro_ap, patience: 3}");
  const TrainResult result = train(request("early", overrides));
  ASSERT_TRUE(result.finished);
  EXPECT_LT(result.metrics.at("iterations").as_integer(), 60);
}

TEST_F(Trainer, WhatFitsOfAnotherNetworkIsTakenWhenTheRecipeSaysSo) {
  std::vector<std::string> talnet = urban_overrides();
  talnet[1] = "metadata=[]";
  talnet[3] = "model={kind: talnet, embedding: 64, n_conv: 2, n_pool: 2}";
  talnet[6] = "schedule=constant";
  talnet[7] = "train={iterations: 2, batch_size: 4}";
  ASSERT_TRUE(train(request("generic", talnet)).finished);
  std::vector<std::string> overrides = urban_overrides();
  overrides[6] = "schedule=constant";
  overrides[7] = "train={iterations: 1, batch_size: 4, init: matching}";
  overrides.push_back("optimizer.lr=1e-12");
  TrainRequest began = request("from_generic", overrides);
  began.init = root_ / "generic/model.earmark";
  std::string told;
  began.on_message = [&](const std::string& text) { told += text + "\n"; };
  const Bundle from = read_bundle(began.init), to = read_bundle(train(began).bundle);
  EXPECT_NE(told.find("million weights begin with the bundle's"), std::string::npos) << told;
  EXPECT_NE(told.find("new: input_norm (4 tensors), metadata ("), std::string::npos) << told;
  EXPECT_NE(told.find("new, of another shape: head.prob.weight: the network has ["), std::string::npos)
      << told;
  const std::string name = "generic.block1.conv.weight";
  EXPECT_NEAR(from.tensors[0].at(name).floats()[3], to.tensors[0].at(name).floats()[3], 1e-6);
  overrides.back() = "train.init=whole";
  TrainRequest refused = request("refused", overrides);
  refused.init = began.init;
  EXPECT_THROW(train(refused), Error);
  // Nor what no shape tells.
  std::vector<std::string> same = urban_overrides();
  same[6] = "schedule=constant";
  same[7] = "train={iterations: 1, batch_size: 4}";
  ASSERT_TRUE(train(request("whole", same)).finished);
  same.push_back("model.time2vec_layout=reference");
  TrainRequest layout = request("layout", same);
  layout.init = root_ / "whole/model.earmark";
  try {
    train(layout);
    ADD_FAILURE() << "another layout";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("model.time2vec_layout: the recipe has"), std::string::npos)
        << e.what();
  }
  overrides.back() = "train.init=none";
  TrainRequest none = request("none", overrides);
  none.init = began.init;
  EXPECT_THROW(train(none), Error) << "weights that nobody takes";
}

TEST_F(Trainer, StoppedAndResumedRunEqualsUninterruptedRunBitForBit) {
  ASSERT_TRUE(train(request("uninterrupted")).finished);
  TrainRequest stopped = request("stopped");
  std::atomic<bool> stop{false};
  stopped.stop = &stop;
  stopped.on_progress = [&](const TrainProgress& p) { stop = p.stage == "training" && p.done == 7; };
  ASSERT_FALSE(train(stopped).finished);
  TrainRequest resumed = request("stopped");
  resumed.resume = true;
  ASSERT_TRUE(train(resumed).finished);
  EXPECT_EQ(read_bytes(root_ / "uninterrupted/model.earmark"), read_bytes(root_ / "stopped/model.earmark"));
  EXPECT_EQ(log_of(root_ / "uninterrupted"), log_of(root_ / "stopped"));
}

// A kill leaves the last periodic checkpoint, a log that ran ahead of it, and perhaps a torn line.
TEST_F(Trainer, ACacheOfRecordingsChangesNoBitEmptyFilledOrDamaged) {
  ASSERT_TRUE(train(request("without_cache")).finished);
  const auto expected = read_bytes(root_ / "without_cache/model.earmark");
  std::vector<std::string> told;
  const auto with_cache = [&](const std::string& name) {
    TrainRequest cached = request(name);
    cached.cache = root_ / "cache";
    cached.on_message = [&](const std::string& text) { told.push_back(text); };
    ASSERT_TRUE(train(cached).finished);
    EXPECT_EQ(read_bytes(root_ / name / "model.earmark"), expected) << name;
    EXPECT_EQ(log_of(root_ / name), log_of(root_ / "without_cache")) << name;
  };
  with_cache("cache_empty");
  with_cache("cache_filled");
  for (const auto& entry : fs::recursive_directory_iterator(root_ / "cache")) {
    if (!entry.is_regular_file() || entry.file_size() < 100) continue;
    std::vector<std::byte> bytes = read_bytes(entry.path());
    bytes[bytes.size() / 2] ^= std::byte{4};
    write_bytes(entry.path(), bytes);
  }
  with_cache("cache_damaged");
  ASSERT_EQ(told.size(), 3U);
  EXPECT_NE(told[0].find(": 0 of 12 recordings found"), std::string::npos) << told[0];
  EXPECT_NE(told[1].find(": 12 of 12 recordings found"), std::string::npos) << told[1];
  EXPECT_NE(told[2].find(": 0 of 12 recordings found, 12 damaged"), std::string::npos) << told[2];
}

// Lengths differ, so that buckets matter; unverified clips are cut in two, verified ones repeated.
TEST_F(Trainer, BucketsExcerptsAndRepetitionsResumeBitForBitToo) {
  const std::vector<std::string> overrides{"train.sampler=bucketed",  "train.bucket.distinct_tags=false",
                                           "train.repeat_verified=2", "data.excerpts.cuts=1",
                                           "normalize_sources=apart", "train.bucket.max_padding=0.5"};
  ASSERT_TRUE(train(request("buckets", overrides)).finished);
  TrainRequest stopped = request("buckets_stopped", overrides);
  std::atomic<bool> stop{false};
  stopped.stop = &stop;
  stopped.on_progress = [&](const TrainProgress& p) { stop = p.stage == "training" && p.done == 9; };
  ASSERT_FALSE(train(stopped).finished);
  TrainRequest resumed = request("buckets_stopped", overrides);
  resumed.resume = true;
  ASSERT_TRUE(train(resumed).finished);
  EXPECT_EQ(read_bytes(root_ / "buckets/model.earmark"), read_bytes(root_ / "buckets_stopped/model.earmark"));
  EXPECT_EQ(log_of(root_ / "buckets"), log_of(root_ / "buckets_stopped"));
}

TEST_F(Trainer, RalambWithinLookaheadResumesBitForBitBeforeAndAfterItsFirstSync) {
  const std::vector<std::string> overrides{
      "optimizer={kind: ralamb, lookahead: {k: 6}}", "train.swa.enabled=false",
      "augment=[{kind: volume}, {kind: pitch_shift}, {kind: pink_noise}, {kind: shift_scale_rotate}, "
      "{kind: grid_distortion}, {kind: cutout}, {kind: time_warp}]"};
  ASSERT_TRUE(train(request("lookahead", overrides)).finished);
  for (const long stop_at : {4, 9}) {
    const std::string name = "lookahead_stopped_" + std::to_string(stop_at);
    TrainRequest stopped = request(name, overrides);
    std::atomic<bool> stop{false};
    stopped.stop = &stop;
    stopped.on_progress = [&](const TrainProgress& p) { stop = p.stage == "training" && p.done == stop_at; };
    ASSERT_FALSE(train(stopped).finished);
    TrainRequest resumed = request(name, overrides);
    resumed.resume = true;
    ASSERT_TRUE(train(resumed).finished);
    EXPECT_EQ(read_bytes(root_ / "lookahead/model.earmark"), read_bytes(root_ / name / "model.earmark"));
    EXPECT_EQ(log_of(root_ / "lookahead"), log_of(root_ / name));
  }
}

TEST_F(Trainer, KilledAndResumedRunEqualsUninterruptedRunBitForBit) {
  ASSERT_TRUE(train(request("reference")).finished);
  TrainRequest killed = request("killed");
  struct Killed {};
  killed.on_progress = [](const TrainProgress& p) {
    if (p.stage == "training" && p.done == 11) throw Killed();
  };
  EXPECT_THROW(train(killed), Killed);
  ASSERT_EQ(read_checkpoint(root_ / "killed")->state.iteration, 8);
  std::ofstream(root_ / "killed/log.jsonl", std::ios::app) << "{\"iteration\": 12, \"lo";
  TrainRequest resumed = request("killed");
  resumed.resume = true;
  resumed.threads = 1;
  ASSERT_TRUE(train(resumed).finished);
  EXPECT_EQ(read_bytes(root_ / "reference/model.earmark"), read_bytes(root_ / "killed/model.earmark"));
  EXPECT_EQ(log_of(root_ / "reference"), log_of(root_ / "killed"));
}

TEST_F(Trainer, InitTakesTheTrunkAndANewHeadAndFreezingKeepsTheTrunk) {
  ASSERT_TRUE(train(request("base")).finished);
  // The same recordings under two other tags.
  const fs::path data = root_ / "two_tags";
  fs::create_directories(data);
  fs::copy(data_ / "audio", data / "audio", fs::copy_options::recursive);
  std::string manifest = "file,tags\n";
  int index = 0;
  for (const auto& entry : fs::directory_iterator(data / "audio"))
    manifest += "audio/" + entry.path().filename().string() + (index++ % 2 == 0 ? ",loud\n" : ",quiet\n");
  write_text(data / "manifest.csv", manifest);
  TrainRequest fine = request(
      "fine", {"train.freeze_trunk=true", "train.iterations=6", "train.swa.enabled=false", "augment=[]"});
  fine.data_root = data;
  fine.fold = 0;
  fine.init = root_ / "base/model.earmark";
  const TrainResult result = train(fine);
  ASSERT_TRUE(result.finished);
  const Bundle base = read_bundle(fine.init), tuned = read_bundle(result.bundle);
  EXPECT_EQ(tuned.tags, (std::vector<std::string>{"loud", "quiet"}));
  for (const auto& [name, tensor] : base.tensors.front()) {
    if (name.starts_with("fc_out")) {
      EXPECT_NE(tensor.shape, tuned.tensors.front().at(name).shape);
    } else {
      EXPECT_EQ(tensor.bytes, tuned.tensors.front().at(name).bytes) << name;
    }
  }
  EXPECT_EQ(base.networks.front().front_end.normalizer.mean,
            tuned.networks.front().front_end.normalizer.mean);
}

// Sources whose statistics are kept apart go on so: what nobody checked is heard as the trunk learned it.
TEST_F(Trainer, AnInheritedTrunkKeepsTheStatisticsOfBothSources) {
  std::istringstream lines(read_text(data_ / "manifest.csv"));
  std::string manifest, turned, line;
  for (int n = 0; std::getline(lines, line); ++n) {
    manifest += line + (n == 0 ? ",verified\n" : n % 4 < 2 ? ",1\n" : ",0\n");
    turned += line + (n == 0 ? ",verified\n" : n % 4 < 2 ? ",0\n" : ",1\n");
  }
  write_text(data_ / "sources.csv", manifest);
  write_text(data_ / "turned.csv", turned);
  ASSERT_TRUE(
      train(request("apart", {"data.manifest=sources.csv", "normalize_sources=apart", "train.iterations=10"}))
          .finished);
  // Of other clips, whose own statistics are others.
  TrainRequest tuned =
      request("tuned", {"data.manifest=turned.csv", "normalize_sources=apart", "train.iterations=10"});
  tuned.init = root_ / "apart/model.earmark";
  ASSERT_TRUE(train(tuned).finished);
  const Bundle before = read_bundle(tuned.init), after = read_bundle(root_ / "tuned/model.earmark");
  const FrontEnd &from = before.networks.front().front_end, &to = after.networks.front().front_end;
  ASSERT_TRUE(from.unverified_normalizer && to.unverified_normalizer);
  EXPECT_NE(from.unverified_normalizer->mean, from.normalizer.mean);
  EXPECT_EQ(to.unverified_normalizer->mean, from.unverified_normalizer->mean);
  EXPECT_EQ(to.normalizer.mean, from.normalizer.mean);
}

}  // namespace
}  // namespace earmark::testing
