// A recipe of several stages as a user runs it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <span>

#include "audio/scratch.h"
#include "audio/wav_bytes.h"
#include "core/value.h"
#include "eval/score_table.h"
#include "program.h"
#include "tagger/bundle.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;
using namespace earmark::testing;

// Simulated scenes of two seconds, made once; networks so small that a training takes a second.
constexpr const char* kCommon = R"(
recipe: 1
seed: 5
data: {dataset: sonyc_ust}
features: {kind: log_mel, sample_rate_hz: 16000, n_fft: 512, win_length: 512, hop_length: 60, n_mels: 128, f_max_hz: 8000, log: db}
augment: [{kind: volume}]
embedder: {fit_pca: true}
model: {kind: cnn_vggish, combine: concat, width: 1, n_frames: 528, n_embedding: 12}
loss: {kind: bce, reduce: mean}
train: {iterations: 2, batch_size: 4, wave_variants: 2, checkpoint_every: 1}
tagging: {segment_s: 2.0}
stages:
  - kind: train
    name: vggish
    set:
      features: {kind: log_mel, sample_rate_hz: 16000, n_fft: 512, win_length: 400, hop_length: 160, framing: none,
        spectrum: magnitude, n_mels: 64, f_min_hz: 125, f_max_hz: 7500, log_offset: 0.01, log_floor: 0}
      model: {kind: vggish, width: 1, hidden: 8, embedding: 6}
      embedder: {fit_pca: false}
)";

class StagedRun : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new Scratch;
    const Ran made =
        run_program({"data", "simulate", "--layout", "sonyc_ust", "--n-scenes", "60", "--duration-s", "2",
                     "--out", (*folder_ / "street").string(), "--seed", "3"});
    ASSERT_EQ(made.status, 0) << made.err;
  }
  static void TearDownTestSuite() { delete folder_; }

  static Ran train(const std::string& stages, const std::string& out, std::vector<std::string> more = {}) {
    const fs::path recipe = *folder_ / "recipe.yaml";
    write_text(recipe, kCommon + stages);
    std::vector<std::string> words{
        "train", recipe.string(),           "--data-root", (*folder_ / "street").string(),
        "--out", (*folder_ / out).string(), "--threads",   "1"};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  }
  static std::vector<std::byte> bytes(const std::string& path) { return read_bytes(*folder_ / path); }

  static Scratch* folder_;
};
Scratch* StagedRun::folder_ = nullptr;

constexpr const char* kHierarchy = R"(
  - {kind: train, name: top, embedder: vggish}
  - {kind: train, name: branch, embedder: vggish, branches: [1_engine, 7_human-voice], set: {data.branch.negatives: dummy}}
  - {kind: train, name: rest, embedder: vggish, branches: [2_machinery-impact, 4_powered-saw, 5_alert-signal, 6_music],
     set: {data.branch.negatives: dummy}}
  - {kind: combine, name: hierarchy, from: [top, branch, rest], rule: hierarchy}
)";

TEST_F(StagedRun, SevenNetworksAndTheirEmbedderBecomeOneBundleThatTags) {
  const Ran ran = train(kHierarchy, "hierarchy");
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Ran info = run_program({"model", "info", (*folder_ / "hierarchy/model.earmark").string(), "--json"});
  ASSERT_EQ(info.status, 0) << info.err;
  const Value card = parse_json(info.out, "info");
  EXPECT_EQ(card.at("networks").as_list().size(), 7U);
  EXPECT_EQ(card.at("combine").as_string(), "hierarchy");
  EXPECT_EQ(card.at("self_test").at("result").as_string(), "passed");
  const Value metrics = parse_json(read_text(*folder_ / "hierarchy/metrics.json"), "metrics");
  EXPECT_NE(metrics.at("metrics").find("fine"), nullptr);
  EXPECT_EQ(metrics.at("stages").as_map().size(), 1U + 1 + 6 + 1);
  const Ran tagged = run_program({"tag", (*folder_ / "street/audio").string(), "--model",
                                  (*folder_ / "hierarchy/model.earmark").string(), "--format", "csv",
                                  "--all-scores", "--output", (*folder_ / "tags.csv").string()});
  EXPECT_EQ(tagged.status, 0) << tagged.err;

  // What is done is passed over: the same bundle, and nothing was trained again.
  const auto before = bytes("hierarchy/model.earmark");
  const auto time = fs::last_write_time(*folder_ / "hierarchy/top/model.earmark");
  const Ran again = train(kHierarchy, "hierarchy", {"--resume"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.err.find("training top"), std::string::npos) << again.err;
  EXPECT_EQ(fs::last_write_time(*folder_ / "hierarchy/top/model.earmark"), time);
  EXPECT_EQ(bytes("hierarchy/model.earmark"), before);
}

TEST_F(StagedRun, ABranchBeginsWithTheTopsWeightsAndHearsItsEmbeddings) {
  const Ran ran = train(R"(
  - {kind: train, name: top, embedder: vggish}
  - {kind: train, name: branch, embedder: top, init: top, branches: [1_engine],
     set: {embedder.fit_pca: false, train.iterations: 1, optimizer: {kind: sgd, lr: 1.0e-30}}}
)",
                        "inherited");
  ASSERT_EQ(ran.status, 0) << ran.err;
  const TensorMap top = read_bundle(*folder_ / "inherited/top/model.earmark").tensors.front();
  const Bundle branch = read_bundle(*folder_ / "inherited/branch-1_engine/model.earmark");
  std::size_t n_same = 0;
  for (const auto& [name, tensor] : branch.tensors.front()) {
    if (name.find("running_") != std::string::npos || name.find("num_batches") != std::string::npos) continue;
    if (tensor.shape != top.at(name).shape) continue;  // the last layer
    const std::vector<float> own = tensor.floats(), of_top = top.at(name).floats();
    for (std::size_t i = 0; i < own.size(); ++i)
      ASSERT_NEAR(own[i], of_top[i], 1e-20f) << name;  // one such step
    ++n_same;
  }
  EXPECT_GT(n_same, 20U);
  EXPECT_TRUE(branch.tensors.front().contains("embedder.pca.components"));
}

// The top network as the paper's text defines it: eight coarse tags, and fine ones from branches alone.
TEST_F(StagedRun, ACoarseTopLeavesTheFineTagsOfCategoriesThatAreNotSelectedAtZero) {
  const Ran ran = train(R"(
  - {kind: train, name: top, embedder: vggish, set: {data.outputs: coarse}}
  - {kind: train, name: branch, embedder: vggish, set: {data.branch.negatives: dummy},
     branches: [1_engine, 2_machinery-impact, 4_powered-saw, 5_alert-signal, 6_music, 7_human-voice]}
  - {kind: combine, name: hierarchy, from: [top, branch], rule: hierarchy, top: coarse8}
)",
                        "coarse_top");
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Bundle made = read_bundle(*folder_ / "coarse_top/model.earmark");
  EXPECT_EQ(made.networks.front().tags.size(), 8U);
  const ScoreTable coarse = read_score_table(*folder_ / "coarse_top/top/scores.csv"),
                   all = read_score_table(*folder_ / "coarse_top/scores.csv");
  ASSERT_EQ(coarse.clip_ids, all.clip_ids);
  std::size_t n_zero = 0, n_branch = 0;
  for (std::size_t clip = 0; clip < all.clip_ids.size(); ++clip) {
    const auto row = std::span(all.scores).subspan(clip * all.tags.size(), all.tags.size());
    const auto own = std::span(coarse.scores).subspan(clip * coarse.tags.size(), coarse.tags.size());
    float largest = 0.0f;
    for (std::size_t tag = 0; tag < all.tags.size(); ++tag) {
      if (made.parents[tag] >= 0) continue;
      const auto at = std::find(coarse.tags.begin(), coarse.tags.end(), all.tags[tag]) - coarse.tags.begin();
      EXPECT_NEAR(row[tag], own[static_cast<std::size_t>(at)], 1e-5) << "coarse scores stay";
      largest = std::max(largest, row[tag]);
    }
    for (std::size_t tag = 0; tag < all.tags.size(); ++tag) {
      if (made.parents[tag] < 0) continue;
      const float category = row[static_cast<std::size_t>(made.parents[tag])];
      const bool selected = category == largest || category > 0.5f;
      EXPECT_EQ(row[tag] != 0.0f, selected) << all.clip_ids[clip] << " " << all.tags[tag];
      ++(selected ? n_branch : n_zero);
    }
  }
  EXPECT_GT(n_zero, 0U);
  EXPECT_GT(n_branch, 0U);
}

// --init is for the stages that take it: the first here, whose last layer is new; the second begins anew.
TEST_F(StagedRun, WeightsFromElsewhereGoToTheStagesThatTakeThem) {
  ASSERT_EQ(train("  - {kind: train, name: top, embedder: vggish}\n", "elsewhere").status, 0);
  const std::string init = (*folder_ / "elsewhere/model.earmark").string();
  const std::string vggish_alone = "      train.init: none\n", still = "optimizer: {kind: sgd, lr: 1.0e-30}";
  const std::string stages = vggish_alone + "  - {kind: train, name: first, embedder: vggish, set: {" +
                             still + ", data.outputs: fine, train.init: matching}}\n" +
                             "  - {kind: train, name: second, embedder: vggish, set: {" + still +
                             ", train.init: none}}\n";
  const Ran ran = train(stages, "two_inits", {"--init", init});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.err.find("million weights begin with the bundle's"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("new, of another shape: output.weight: the network has [29, 256]"),
            std::string::npos)
      << ran.err;
  const auto weights = [](const std::string& path) {
    return read_bundle(*folder_ / path).tensors.front().at("block6.conv.weight").floats();
  };
  EXPECT_NEAR(weights("two_inits/first/model.earmark")[5], weights("elsewhere/model.earmark")[5], 1e-12);
  EXPECT_NE(weights("two_inits/second/model.earmark"), weights("elsewhere/model.earmark"));
  // What began with one bundle does not go on with another, nor with none.
  const Ran other = train(stages, "two_inits", {"--resume"});
  EXPECT_EQ(other.status, 2);
  EXPECT_NE(other.err.find("was begun with bundle " + bundle_id(read_bytes(init))), std::string::npos)
      << other.err;
  const Ran refused = train(vggish_alone, "no_init", {"--init", init});
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("--init: no stage of the recipe takes it"), std::string::npos) << refused.err;
}

// The bundle that cells begin with is part of what a line of results stands for.
TEST_F(StagedRun, AGridThatBeginsWithABundleIsAnotherConfiguration) {
  ASSERT_EQ(train("  - {kind: train, name: top, embedder: vggish}\n", "begun_with").status, 0);
  const fs::path recipe = *folder_ / "begun.yaml";
  write_text(recipe, std::string(kCommon) +
                         "      train.init: none\n  - {kind: train, name: top, embedder: vggish}\n");
  const auto grid = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"crossval",    recipe.string(),
                                   "--data-root", (*folder_ / "street").string(),
                                   "--out",       (*folder_ / "begun_grid").string(),
                                   "--threads",   "1",
                                   "--resume"};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words).status;
  };
  ASSERT_EQ(grid({}), 0);
  const std::string init = (*folder_ / "begun_with/model.earmark").string();
  fs::remove_all(*folder_ / "begun_grid/fold0-seed0");
  ASSERT_EQ(grid({"--init", init}), 0);
  ASSERT_EQ(grid({"--init", init}), 0) << "found, not run again";
  const std::string text = read_text(*folder_ / "begun_grid/results.jsonl");
  ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  const Value plain = parse_json(text.substr(0, text.find('\n')), "plain"),
              begun = parse_json(text.substr(text.find('\n') + 1), "begun");
  EXPECT_EQ(plain.find("init"), nullptr);
  EXPECT_EQ(begun.at("init").as_string(), bundle_id(read_bytes(init)));
  EXPECT_NE(plain.at("config").as_string(), begun.at("config").as_string());
  EXPECT_NE(read_text(*folder_ / "begun_grid/fold0-seed0/train.log").find("begin with the bundle's"),
            std::string::npos);
}

TEST_F(StagedRun, BundlesBecomeOneWithoutTrainingThemAgain) {
  const auto in = [](const std::string& name) { return (*folder_ / name).string(); };
  ASSERT_EQ(train("  - {kind: train, name: top, embedder: vggish}\n", "one").status, 0);
  ASSERT_EQ(train("  - {kind: train, name: top, embedder: vggish}\n", "two", {"--seed", "6"}).status, 0);
  const Ran made = run_program({"ensemble", in("one/model.earmark"), in("two/model.earmark"), "--weights",
                                "1,3", "--output", in("both.earmark")});
  ASSERT_EQ(made.status, 0) << made.err;
  const Ran info = run_program({"model", "info", in("both.earmark"), "--json"});
  EXPECT_EQ(info.status, 0) << info.out << info.err;
  EXPECT_EQ(parse_json(info.out, "info").at("networks").as_list().size(), 2U);
  const Ran mixed =
      run_program({"ensemble", in("one/model.earmark"), in("one/scores.csv"), "--output", in("x.csv")});
  EXPECT_EQ(mixed.status, 2);
  EXPECT_NE(mixed.err.find("1 bundles among 2 files"), std::string::npos) << mixed.err;
}

// A data set of splits has no folds; its validate split is held out.
TEST_F(StagedRun, AGridOverSeedsHoldsOutTheValidateSplit) {
  const fs::path recipe = *folder_ / "grid.yaml";
  write_text(recipe, std::string(kCommon) + "  - {kind: train, name: top, embedder: vggish}\n");
  const std::vector<std::string> words{"crossval",    recipe.string(),
                                       "--data-root", (*folder_ / "street").string(),
                                       "--out",       (*folder_ / "grid").string(),
                                       "--seeds",     "1,2",
                                       "--threads",   "1",
                                       "--set",       "loss.class_weight_root=10"};
  const Ran ran = run_program(words);
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find("fine_macro_auprc: mean"), std::string::npos) << ran.out;
  const std::string rows = read_text(*folder_ / "grid/results.jsonl");
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 2);
  const Value row = parse_json(rows.substr(0, rows.find('\n')), "row");
  EXPECT_EQ(row.at("fold").as_integer(), 0);
  EXPECT_EQ(row.at("set").as_list().front().as_string(), "loss.class_weight_root=10");
  EXPECT_GT(row.at("train_cpu_s").as_number(), 0.0) << "of all stages together";
  std::vector<std::string> again = words;
  again.push_back("--resume");
  ASSERT_EQ(run_program(again).status, 0);
  EXPECT_EQ(read_text(*folder_ / "grid/results.jsonl"), rows) << "finished cells are not run again";
}

// A branch has tags and clips of its own, also where its figures are put together.
TEST_F(StagedRun, AGridOfABranchIsJudgedByItsOwnTags) {
  const fs::path recipe = *folder_ / "branch.yaml";
  write_text(recipe,
             "data: {dataset: sonyc_ust, branch: {of: 5_alert-signal, negatives: dummy}}\n"
             "features: {sample_rate_hz: 16000, n_fft: 512, win_length: 512, hop_length: 400, n_mels: 32, "
             "f_max_hz: 8000}\nmodel: {kind: mean_std_linear}\ntrain: {iterations: 3, batch_size: 8}\n");
  const Ran ran = run_program({"crossval", recipe.string(), "--data-root", (*folder_ / "street").string(),
                               "--out", (*folder_ / "branch_grid").string(), "--threads", "1"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find("macro_ap: mean"), std::string::npos) << ran.out;
}

// A second or so at 16 kHz, each a little longer than the one before.
std::string tone(double frequency_hz, int index) {
  std::string samples;
  for (int i = 0; i < 16000 + 400 * index; ++i) {
    const double x = 8000.0 * std::sin(2.0 * std::numbers::pi * frequency_hz * i / 16000.0);
    samples += le(static_cast<std::uint64_t>(static_cast<std::int64_t>(x)), 2);
  }
  return wav(format_chunk(1, 1, 16000, 16), samples);
}
// UPB's chain: networks of two ways of cutting name the events of the noisy excerpts, the last ones learn
// from that.
TEST_F(StagedRun, ExcerptsOfEveryCutAreLabelledAnewAndTheLastNetworksLearnFromThem) {
  const Scratch root;
  std::string curated = "fname,labels\n", noisy = "fname,labels\n";
  for (int i = 0; i < 16; ++i) {
    const bool low = i % 2 == 0, is_curated = i < 8;
    const std::string name = "clip" + std::to_string(i) + ".wav";
    (is_curated ? curated : noisy) += name + (low ? ",Bark\n" : ",Meow\n");
    root.write((is_curated ? "train_curated/" : "train_noisy/") + name, tone(low ? 300.0 : 3000.0, i));
  }
  root.write("train_curated.csv", curated);
  root.write("train_noisy.csv", noisy);
  const fs::path recipe = *folder_ / "chain.yaml";
  write_text(recipe, R"(
recipe: 1
data: {dataset: fsdkaggle2019, folds: {n: 2, rule: shuffled, verified_only: true}, excerpts: {cuts: 1}}
features: {kind: log_mel, sample_rate_hz: 16000, n_fft: 512, win_length: 512, hop_length: 320, n_mels: 32, f_max_hz: 8000}
normalize_sources: apart
model: {kind: mean_std_linear}
optimizer: {kind: adam, lr: 0.05}
train: {iterations: 60, batch_size: 4, repeat_verified: 1, checkpoint_every: 10}
stages:
  - {kind: train, name: noisy, folds: [1, 2], each: {data.excerpts.seed: [0, 1]}}
  - {kind: relabel, name: labels, from: [noisy], rule: error_rate,
     set: {data.subset: noisy, data.folds.n: 0, data.excerpts.cuts: 2}}
  - {kind: train, name: final, labels: labels, set: {data.drop_untagged: true, data.folds.n: 0},
     each: {data.excerpts.seed: [0, 1]}}
  - {kind: combine, name: ensemble, from: [final]}
)");
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"train",       recipe.string(),
                                   "--data-root", root.path().string(),
                                   "--out",       (*folder_ / "chain").string(),
                                   "--threads",   "1"};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  };
  const Ran with_fold = run({"--fold", "1"});
  EXPECT_EQ(with_fold.status, 2) << with_fold.err;
  EXPECT_NE(
      with_fold.err.find("--fold: stage noisy names the folds that its networks hold out (1, 2), got 1"),
      std::string::npos)
      << with_fold.err;
  const Ran crossed = run_program({"crossval", recipe.string(), "--data-root", root.path().string(), "--out",
                                   (*folder_ / "crossed").string(), "--threads", "1"});
  EXPECT_EQ(crossed.status, 2) << crossed.err;
  EXPECT_NE(crossed.err.find("stage noisy names the folds"), std::string::npos) << crossed.err;
  EXPECT_FALSE(fs::exists(*folder_ / "crossed")) << "nothing was begun";
  const Ran ran = run({});
  ASSERT_EQ(ran.status, 0) << ran.err;
  for (const char* name : {"noisy-fold1-seed0", "noisy-fold2-seed1", "final-seed0", "final-seed1"})
    EXPECT_TRUE(fs::exists(*folder_ / "chain" / name / "model.earmark")) << name;
  // Eight noisy clips, two halves each, two ways of cutting.
  const std::string labels = read_text(*folder_ / "chain/labels/labels.csv");
  EXPECT_EQ(std::count(labels.begin(), labels.end(), '\n'), 1 + 8 * 2 * 2);
  EXPECT_NE(labels.find("noisy/clip9.wav#1.2"), std::string::npos) << labels.substr(0, 300);
  const Value last = parse_json(read_text(*folder_ / "chain/final-seed0/metrics.json"), "metrics");
  EXPECT_LE(last.at("n_train_clips").as_integer(), 8 + 16);
  EXPECT_GE(last.at("n_train_clips").as_integer(), 8 + 8)
      << "tones are told apart, so few excerpts lose their tag";
  const Ran info = run_program({"model", "info", (*folder_ / "chain/model.earmark").string(), "--json"});
  EXPECT_EQ(parse_json(info.out, "info").at("networks").as_list().size(), 2U);
  const auto before = bytes("chain/model.earmark");
  ASSERT_EQ(run({"--resume"}).status, 0);
  EXPECT_EQ(bytes("chain/model.earmark"), before);
  // Noisy excerpts are labelled anew as they were learned from, with the statistics of their own.
  const FrontEnd heard =
      read_bundle(*folder_ / "chain/noisy-fold1-seed0/model.earmark").networks.front().front_end;
  ASSERT_TRUE(heard.unverified_normalizer);
  EXPECT_NE(heard.unverified_normalizer->mean, heard.normalizer.mean);
  const auto predicted = [&](const std::string& bundle) {
    const std::string out = (*folder_ / "predicted.csv").string();
    EXPECT_EQ(run_program({"predict", "--model", bundle, "--dataset", "fsdkaggle2019", "--data-root",
                           root.path().string(), "--split", "train", "--output", out, "--overwrite"})
                  .status,
              0);
    return read_score_table(out);
  };
  Bundle changed = read_bundle(*folder_ / "chain/noisy-fold1-seed0/model.earmark");
  const ScoreTable as_learned = predicted((*folder_ / "chain/noisy-fold1-seed0/model.earmark").string());
  changed.networks.front().front_end.unverified_normalizer.reset();
  write_bundle(*folder_ / "changed.earmark", changed);
  const ScoreTable as_curated = predicted((*folder_ / "changed.earmark").string());
  ASSERT_EQ(as_learned.clip_ids, as_curated.clip_ids);
  for (std::size_t i = 0; i < as_learned.clip_ids.size(); ++i) {
    const bool is_noisy = as_learned.clip_ids[i].starts_with("noisy/");
    EXPECT_EQ(as_learned.scores[i * as_learned.tags.size()] != as_curated.scores[i * as_learned.tags.size()],
              is_noisy)
        << as_learned.clip_ids[i];
  }
}

// A folder of runs may be moved, and named in another way: stages name each other's files by where they
// stand.
TEST_F(StagedRun, ARunThatWasMovedGoesOn) {
  const std::string stages =
      "  - {kind: relabel, name: labels, from: [vggish], rule: threshold, threshold: 0.5}\n"
      "  - {kind: train, name: second, embedder: vggish, labels: labels}\n";
  ASSERT_EQ(train(stages, "here").status, 0);
  const auto made = bytes("here/model.earmark");
  fs::create_directories(*folder_ / "away");
  fs::rename(*folder_ / "here", *folder_ / "away/there");
  for (const char* name : {"metrics.json", "model.earmark"})
    fs::remove(*folder_ / "away/there/second" / name);
  const Ran ran = train(stages, "away/../away/there", {"--resume"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err.find("training vggish"), std::string::npos) << ran.err;
  EXPECT_EQ(bytes("away/there/model.earmark"), made);
  // A bundle that is damaged is named with what to do.
  write_text(*folder_ / "away/there/vggish/model.earmark", "no bundle");
  fs::remove(*folder_ / "away/there/labels/metrics.json");
  const Ran damaged = train(stages, "away/there", {"--resume"});
  EXPECT_EQ(damaged.status, 2);
  EXPECT_NE(damaged.err.find("delete the folder of that network; --resume then trains it again"),
            std::string::npos)
      << damaged.err;
}

constexpr const char* kTwice = R"(
  - {kind: train, name: first, embedder: vggish}
  - {kind: relabel, name: labels, from: [first], rule: threshold, threshold: 0.5}
  - {kind: train, name: second, embedder: vggish, init: first, labels: labels}
)";

TEST_F(StagedRun, HeldOutClipsAreNeverLabelledAnewAndAResumedRunHasTheSameFold) {
  const std::string stages =
      "  - {kind: relabel, name: labels, from: [vggish], rule: threshold, threshold: 0.5}\n"
      "  - {kind: train, name: second, embedder: vggish, labels: labels}\n";
  const Ran ran = train(stages, "fold", {"--set", "data.folds.n=2", "--fold", "1"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const ScoreTable held_out = read_score_table(*folder_ / "fold/second/scores.csv");
  const ScoreTable labels = read_score_table(*folder_ / "fold/labels/labels.csv");
  ASSERT_FALSE(held_out.clip_ids.empty());
  ASSERT_FALSE(labels.clip_ids.empty());
  for (const std::string& clip : held_out.clip_ids)
    EXPECT_EQ(std::count(labels.clip_ids.begin(), labels.clip_ids.end(), clip), 0) << clip;
  const Ran other = train(stages, "fold", {"--set", "data.folds.n=2", "--fold", "2", "--resume"});
  EXPECT_EQ(other.status, 2);
  EXPECT_NE(other.err.find("--fold: the run in"), std::string::npos) << other.err;
  EXPECT_NE(other.err.find("was begun with 1, got 2"), std::string::npos) << other.err;
}

TEST_F(StagedRun, ARunCutOffInAnyStageEndsWithTheSameBundle) {
  ASSERT_EQ(train(kTwice, "whole").status, 0);
  ASSERT_TRUE(fs::exists(*folder_ / "whole/labels/labels.csv"));
  const std::string second = read_text(*folder_ / "whole/second/recipe.yaml");
  EXPECT_NE(second.find("../labels/labels.csv"), std::string::npos) << second;
  // As if it had ended while the second network was trained: after its first step, and before the labels.
  const auto finished = bytes("whole/model.earmark");
  for (const char* name : {"whole/second/metrics.json", "whole/second/model.earmark", "whole/metrics.json",
                           "whole/model.earmark"})
    fs::remove(*folder_ / name);
  ASSERT_EQ(train(kTwice, "whole", {"--resume"}).status, 0);
  EXPECT_EQ(bytes("whole/model.earmark"), finished);
  for (const char* name : {"whole/second", "whole/labels"}) fs::remove_all(*folder_ / name);
  for (const char* name : {"whole/metrics.json", "whole/model.earmark"}) fs::remove(*folder_ / name);
  ASSERT_EQ(train(kTwice, "whole", {"--resume"}).status, 0);
  EXPECT_EQ(bytes("whole/model.earmark"), finished);

  // What a stage made and is lost is made again, though its figures are there.
  const auto labels = bytes("whole/labels/labels.csv");
  for (const char* name :
       {"whole/labels/labels.csv", "whole/first/model.earmark", "whole/second/model.earmark"})
    fs::remove(*folder_ / name);
  const Ran mended = train(kTwice, "whole", {"--resume"});
  ASSERT_EQ(mended.status, 0) << mended.err;
  EXPECT_EQ(bytes("whole/labels/labels.csv"), labels);
  EXPECT_EQ(bytes("whole/second/model.earmark"), finished);
  EXPECT_EQ(bytes("whole/model.earmark"), finished);

  const Ran refused = train(kTwice, "whole");
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("--resume"), std::string::npos) << refused.err;
  const Ran other = train(kTwice, "whole", {"--resume", "--set", "train.iterations=3"});
  EXPECT_EQ(other.status, 2);
  EXPECT_NE(other.err.find("another recipe"), std::string::npos) << other.err;
}

// Labels that are others now are not what a finished network has learned from.
TEST_F(StagedRun, ATrainingWhoseLabelsWereMadeAnewIsMadeAnewToo) {
  const std::string stages =
      "  - {kind: relabel, name: labels, from: [vggish], rule: threshold, threshold: 0.5}\n"
      "  - {kind: train, name: second, embedder: vggish, labels: labels}\n"
      "  - {kind: combine, name: both, from: [second, vggish], rule: geometric}\n";
  ASSERT_EQ(train(stages, "anew").status, 0);
  const auto made = bytes("anew/second/model.earmark");
  const Ran again = train(stages, "anew", {"--resume"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.err.find("made anew"), std::string::npos) << again.err;
  ScoreTable labels = read_score_table(*folder_ / "anew/labels/labels.csv");
  for (float& label : labels.scores) label = 1.0f - label;
  write_score_table(*folder_ / "anew/labels/labels.csv", labels);
  const Ran ran = train(stages, "anew", {"--resume"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.err.find("second: what it was trained with has been made anew"), std::string::npos)
      << ran.err;
  EXPECT_EQ(ran.err.find("training vggish"), std::string::npos) << ran.err;
  EXPECT_NE(bytes("anew/second/model.earmark"), made);
  // A run of before there was such a note is taken as it is; half a folder is made whole.
  const auto second = bytes("anew/second/model.earmark");
  fs::remove(*folder_ / "anew/second/given.json");
  write_text(*folder_ / "anew/second/notes.txt", "mine");
  fs::remove(*folder_ / "anew/vggish/recipe.yaml");
  const Ran half = train(stages, "anew", {"--resume"});
  ASSERT_EQ(half.status, 0) << half.err;
  EXPECT_EQ(half.err.find("made anew"), std::string::npos) << half.err;
  EXPECT_NE(half.err.find("training vggish"), std::string::npos) << half.err;
  EXPECT_EQ(half.err.find("training second"), std::string::npos) << half.err;
  EXPECT_EQ(bytes("anew/second/model.earmark"), second);
  EXPECT_TRUE(fs::exists(*folder_ / "anew/second/given.json"));
  // What is no run's own outlives even a run begun anew.
  ASSERT_EQ(train(stages, "anew", {"--overwrite"}).status, 0);
  EXPECT_EQ(read_text(*folder_ / "anew/second/notes.txt"), "mine");
  EXPECT_EQ(bytes("anew/second/model.earmark"), made);
  // The page of the whole tells its stages.
  const std::string page = read_text(*folder_ / "anew/report.html");
  for (const char* name : {"<h2>Stages</h2>", "second", "vggish", "both"})
    EXPECT_NE(page.find(name), std::string::npos) << name;
}

TEST_F(StagedRun, ARunGoesOnWithTheEmbedderThatItBeganWithOrNotAtAll) {
  ASSERT_EQ(train("", "embedder").status, 0);
  const fs::path embedder = *folder_ / "embedder.earmark";
  fs::copy_file(*folder_ / "embedder/vggish/model.earmark", embedder);
  const std::string common(kCommon);
  write_text(*folder_ / "single.yaml", common.substr(0, common.find("stages:")));
  const std::vector<std::string> words{
      "train", (*folder_ / "single.yaml").string(),   "--data-root", (*folder_ / "street").string(),
      "--out", (*folder_ / "single").string(),        "--threads",   "1",
      "--set", "embedder.bundle=" + embedder.string()};
  ASSERT_EQ(run_program(words).status, 0);
  std::vector<std::string> again = words;
  again.push_back("--resume");
  EXPECT_EQ(run_program(again).status, 0) << "the same embedder";
  Bundle other = read_bundle(embedder);
  other.provenance.set("notes", "another one");
  write_bundle(embedder, other);
  const Ran ran = run_program(again);
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("embedder.bundle: " + embedder.string() + " is another file than the run in"),
            std::string::npos)
      << ran.err;
}

TEST_F(StagedRun, NothingIsWrittenWhereAFoldIsNotThereAndNothingReplacedThatIsNoRun) {
  const std::string stages = "  - {kind: train, name: second, embedder: vggish}\n";
  const Ran ran = train(stages, "none", {"--set", "data.folds.n=2", "--fold", "9"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("got 9"), std::string::npos) << ran.err;
  EXPECT_FALSE(fs::exists(*folder_ / "none"));
  fs::create_directories(*folder_ / "mine/second");
  write_text(*folder_ / "mine/model.earmark", "mine");
  const Ran mine = train(stages, "mine");
  EXPECT_EQ(mine.status, 2);
  EXPECT_NE(mine.err.find("holds model.earmark, which a run would replace"), std::string::npos) << mine.err;
  EXPECT_EQ(read_text(*folder_ / "mine/model.earmark"), "mine");
  fs::remove(*folder_ / "mine/model.earmark");
  write_text(*folder_ / "mine/second/scores.csv", "mine");
  EXPECT_EQ(train(stages, "mine").status, 2) << "in a stage's folder too";
  EXPECT_EQ(read_text(*folder_ / "mine/second/scores.csv"), "mine");
}

TEST_F(StagedRun, AMetricOfALaterStageIsHeldAgainstTheDataBeforeTheFirstIsTrained) {
  const Ran ran = train(R"(
  - kind: train
    name: top
    embedder: vggish
    set: {train.validate_every: 1, train.best: [coarse.macro_aupr]}
)",
                        "misnamed");
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("stage top: train.best: must be a metric"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("did you mean 'coarse.macro_auprc'?"), std::string::npos) << ran.err;
  EXPECT_FALSE(fs::exists(*folder_ / "misnamed")) << "nothing was trained";
}

TEST_F(StagedRun, ANetworkThatHearsEmbeddingsIsRefusedWithoutAnEmbedder) {
  const Ran ran = train("  - {kind: train, name: alone}\n", "alone");
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("embedder.bundle"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace earmark
