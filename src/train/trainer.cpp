// The run: data in, learner stepped, everything worth keeping written down.
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "core/file.h"
#include "core/memory.h"
#include "core/tensor_io.h"
#include "data/label_noise.h"
#include "data/splits.h"
#include "data/truth.h"
#include "earmark/error.h"
#include "eval/score_table.h"
#include "features/feature_extractor.h"
#include "models/torch_network.h"
#include "recipe/named_metrics.h"
#include "recipe/recipe.h"
#include "recipe/run_folder.h"
#include "tagger/scorer.h"
#include "train/checkpoint.h"
#include "train/embedding.h"
#include "train/learner.h"
#include "train/loader.h"
#include "train/run_log.h"
#include "train/run_report.h"
#include "train/stopwatch.h"
#include "train/train.h"
#include "train/validation_watch.h"

namespace earmark {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct SplitClips {
  std::vector<Clip> train, held_out;
  TaskScores truth;  // of the held-out clips
};

SplitClips split_clips(const Dataset& dataset, const Recipe& recipe, int fold) {
  const TrainHeldOut parts = split_for_training(dataset, recipe.data.split, fold);
  SplitClips clips;
  for (const std::size_t i : parts.train) clips.train.push_back(dataset.clips[i]);
  const Dataset clean = with_own_labels(dataset);
  for (const std::size_t i : parts.held_out) clips.held_out.push_back(clean.clips[i]);
  clips.truth = held_out_truth(clean, parts.held_out);
  return clips;
}

BatchOrderOptions order_options(const Recipe& recipe) {
  const TrainOptions& train = recipe.train;
  const bool in_pairs = std::any_of(recipe.augment.begin(), recipe.augment.end(), [](const auto& options) {
    const auto* mixup = std::get_if<MixupOptions>(&options);
    return mixup != nullptr && mixup->halves;
  });
  return {train.sampler,          train.batch_size, train.repeat_verified, train.bucket, recipe.seed,
          train.skip_absent_tags, in_pairs};
}

ClipStoreOptions store_options(const Recipe& recipe, DiskCache* cache) {
  ClipStoreOptions options;
  options.sample_rate_hz = sample_rate_of(recipe.features);
  options.mono = is_mono(recipe.features);
  options.cache = cache;
  return options;
}

// One run from its folder's first file to its last.
class Run {
 public:
  explicit Run(const TrainRequest& request);
  TrainResult go();

 private:
  bool train();  // false: stopped on request
  Value validate();
  void log_step(double rate);
  void checkpoint();
  bool watch_validation();  // false: the run is to end here
  std::filesystem::path best_file(const std::string& metric) const;
  std::filesystem::path embedder_file() const;
  void keep_embedder();
  Value log_validation(long iteration, bool of_result);
  Value summary(const Value& validation) const;
  void write_bundle_to(const std::filesystem::path& path, const Value& metrics);
  Value write_bests();
  void write_results(const Value& validation, const Value& bests);
  void tell(const std::string& stage, long done, long total, double rate = 0.0) const;
  std::vector<std::string> output_names() const {
    std::vector<std::string> names;
    for (const std::size_t i : outputs_) names.push_back(dataset_.tags[i]);
    return names;
  }
  TaskScores judged_scores() const {
    return with_unknown_weight(last_scores_, task_of(dataset_.name), recipe_.tagging.unknown_weight);
  }
  bool stop_requested() const { return request_.stop != nullptr && request_.stop->load(); }
  std::optional<SavedCheckpoint> saved_state() const;
  void load_clips(const SplitClips& parts);
  void check_first_batch() const;
  void check_shortest_clip();
  void tell_oddities() const;
  void embed_clips();
  bool has_many_weights() { return learner_->n_weights() > kManyWeights; }
  void read_init();
  void begin_learner(bool resumed);
  void prepare_examples(std::optional<SavedCheckpoint> saved);
  void open_folder();

  const TrainRequest& request_;
  Recipe recipe_;  // every length in steps
  int threads_;
  Dataset dataset_;
  std::vector<std::size_t> outputs_;  // tags that the network answers for
  LossTags loss_tags_;
  std::string recipe_text_;
  std::optional<Bundle> init_;
  std::optional<DiskCache> cache_;
  std::optional<ClipStore> train_clips_, held_out_clips_;
  std::unique_ptr<RunEmbedder> embedder_;
  std::optional<ExampleMaker> examples_, held_out_;
  std::optional<BatchOrder> order_;
  std::optional<Learner> learner_;
  std::optional<ValidationWatch> watch_;
  std::optional<RunLog> log_;
  Checkpoint state_;
  Stopwatch stopwatch_;
  TaskScores last_scores_;  // of the held-out clips; without scores before the first validation
};

void Run::tell(const std::string& stage, long done, long total, double rate) const {
  if (!request_.on_progress) return;
  const double loss = state_.loss_count > 0 ? state_.loss_sum / static_cast<double>(state_.loss_count) : 0.0;
  request_.on_progress({stage, done, total, loss, rate});
}

// Only once everything that can be refused was accepted.
void Run::open_folder() {
  if (request_.overwrite && !request_.resume) clear_run_folder(request_.out);
  create_folders(request_.out, "--out");
  for (const std::filesystem::path& folder : {request_.out, request_.out / "checkpoints"})
    remove_leftovers(folder);
  write_text(request_.out / "recipe.yaml", recipe_text_);
  log_.emplace(request_.out, state_.iteration);
}

// The checkpoint to go on from, if there is one and it is this run's.
std::optional<SavedCheckpoint> Run::saved_state() const {
  if (!request_.resume) return std::nullopt;
  std::optional<SavedCheckpoint> found = read_checkpoint(request_.out);
  if (!found) return std::nullopt;
  const Checkpoint& saved = found->state;
  if (saved.recipe != recipe_text_ || saved.fold != request_.fold) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--resume: {} was begun with another recipe or fold; its own is {}",
                            request_.out.string(), (request_.out / "recipe.yaml").string()));
  }
  if (saved.init_id != state_.init_id) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--init: {} was begun {}; give the same to go on", request_.out.string(),
                            saved.init_id.empty() ? "without a bundle" : "with bundle " + saved.init_id));
  }
  if (saved.embedder_id != state_.embedder_id) {
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format("embedder.bundle: {} is another file than the run in {} was begun with (id {}, then {})",
                    recipe_.embedder.bundle, request_.out.string(), state_.embedder_id, saved.embedder_id));
  }
  if (saved.data_id != state_.data_id) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--data-root: {} holds other clips or tags than the run was begun with",
                            request_.data_root.string()));
  }
  if (request_.on_message) {
    request_.on_message(
        fmt::format("resumed at iteration {} of {}", saved.iteration, recipe_.train.iterations.n));
    if (saved.threads != threads_) {
      request_.on_message(fmt::format("begun with {} threads, now {}: sums may differ in their last bits",
                                      saved.threads, threads_));
    }
  }
  return found;
}

void Run::load_clips(const SplitClips& parts) {
  if (!request_.cache.empty()) cache_.emplace(request_.cache, request_.cache_bytes);
  ClipStoreOptions store = store_options(recipe_, cache_ ? &*cache_ : nullptr);
  const auto n_all = static_cast<long>(parts.train.size() + parts.held_out.size());
  const auto n_train = static_cast<long>(parts.train.size());
  store.memory_bytes = request_.clip_bytes.value_or(has_many_weights() ? 0 : kClipBytes);
  train_clips_.emplace(parts.train, store,
                       [&](std::size_t n) { tell("decoding", static_cast<long>(n), n_all); });
  last_scores_ = parts.truth;
  // What is learned from is needed again and again, what is held out only now and then: it gets the rest.
  store.memory_bytes -= std::min(store.memory_bytes, train_clips_->used_bytes());
  held_out_clips_.emplace(parts.held_out, store,
                          [&](std::size_t n) { tell("decoding", n_train + static_cast<long>(n), n_all); });
  examples_.emplace(recipe_, *train_clips_);
  held_out_.emplace(recipe_, *held_out_clips_);
  if (cache_ && request_.on_message) {
    const CacheCounts counts = cache_->counts();
    request_.on_message(fmt::format("cache {}: {} of {} recordings found{}", cache_->folder().string(),
                                    counts.hits, n_all,
                                    counts.damaged > 0 ? fmt::format(", {} damaged", counts.damaged) : ""));
  }
  embed_clips();
  check_first_batch();
}

// Data that no batch can be made of is found now.
void Run::check_first_batch() const {
  const std::size_t n = order_->at(0).visits.size();
  if (n > 1 || !needs_several_clips(recipe_)) return;
  throw Error(
      ErrorCode::kBadDataset,
      fmt::format("{}: {} has BatchNorm over the clips of a batch and needs at least 2 to learn from, "
                  "got {}",
                  request_.data_root.string(), kind_of(recipe_.model), n));
}

// A held-out clip that is too short for the network is found now and not by the first validation.
void Run::check_shortest_clip() {
  const std::size_t n = held_out_clips_->size();
  std::size_t shortest = 0;
  for (std::size_t i = 1; i < n; ++i) {
    if (held_out_clips_->n_samples(i) < held_out_clips_->n_samples(shortest)) shortest = i;
  }
  if (n > 0) learner_->check(*held_out_, shortest);
}

// Where nothing is wrong and yet not as somebody may expect.
void Run::tell_oddities() const {
  if (!request_.on_message) return;
  if (!recipe_.train.stop.metric.empty() && recipe_.train.stop.patience == 0) {
    request_.on_message(
        fmt::format("train.stop: with patience 0 the run does not end early, whatever {} does",
                    recipe_.train.stop.metric));
  }
  const auto* bce = std::get_if<BceOptions>(&recipe_.loss);
  if (bce == nullptr || bce->class_weight_root == 0.0) return;
  for (const std::size_t k : outputs_) {
    if (loss_tags_.positives[k] > 0.0 && loss_tags_.negatives[k] == 0.0)
      request_.on_message(
          fmt::format("loss.class_weight_root: '{}' is in every clip, so it weighs 0 and is not "
                      "learned",
                      dataset_.tags[k]));
  }
}

// What the network hears beside the features of every clip as it is.
void Run::embed_clips() {
  const auto n_train = static_cast<long>(train_clips_->size());
  embedder_ = make_run_embedder(recipe_, *train_clips_, threads_, [&](std::size_t n) {
    tell("fitting principal components", static_cast<long>(n), n_train);
  });
  if (!embedder_) return;
  const long n_all = n_train + static_cast<long>(held_out_clips_->size());
  long n_before = 0;
  for (ExampleMaker* maker : {&*examples_, &*held_out_}) {
    maker->use_embedder(embedder_->embedder.get(), embedder_->id);
    maker->embed_all(threads_,
                     [&](std::size_t n) { tell("embedding", n_before + static_cast<long>(n), n_all); });
    n_before = n_train;
  }
  torch::set_num_threads(threads_);  // embedders set it to one for whoever calls them
}

void Run::read_init() {
  if (request_.init.empty()) return;
  const SharedBytes bytes = read_bytes(request_.init);
  init_ = network_to_inherit(parse_bundle(bytes, request_.init.string()), kind_of(recipe_.model),
                             request_.init.string());
  state_.init_id = bundle_id(bytes.span());
}

// The network with its first weights. It stands before the clips are read: how many of them may be kept in
// memory depends on its size.
void Run::begin_learner(bool resumed) {
  if (recipe_.train.freeze_trunk && !init_ && !resumed) {
    throw Error(ErrorCode::kInvalidOption, "train.freeze_trunk: needs --init, a bundle whose trunk is kept");
  }
  const bool from_init = init_ && !resumed;
  learner_.emplace(recipe_, loss_tags_, FeatureExtractor(recipe_.features).n_channels(),
                   from_init ? &*init_ : nullptr, from_init && init_->tags == output_names());
  if (learner_->inherited() && request_.on_message) request_.on_message(to_text(*learner_->inherited()));
}

// The features that the network is to see, as those of the checkpoint, of --init, or measured anew; and the
// checkpoint's weights.
void Run::prepare_examples(std::optional<SavedCheckpoint> saved) {
  if (saved) {
    examples_->set_normalizers(saved->state.normalizer, saved->state.unverified_normalizer);
    examples_->set_metadata_columns(saved->state.metadata);
  } else if (init_ && recipe_.train.init == InitRule::kWhole) {
    const FrontEnd& front_end = init_->networks.front().front_end;
    if (!(write_options(front_end.features()) == write_options(recipe_.features))) {
      throw Error(ErrorCode::kInvalidOption,
                  "--init: the bundle's front end is not the recipe's `features`; the weights would see "
                  "another input");
    }
    // The trunk expects what it was trained on; of sources apart each its own.
    const bool apart = recipe_.normalize_sources == NormalizeSources::kApart;
    examples_->set_normalizers(front_end.normalizer,
                               apart ? front_end.unverified_normalizer : std::optional<Normalizer>());
    examples_->set_metadata_columns(front_end.metadata);
  } else {
    examples_->measure_normalizers(threads_);
    examples_->measure_metadata_columns();
  }
  held_out_->set_normalizers(examples_->normalizer(), {});
  held_out_->set_metadata_columns(examples_->metadata_columns());
  if (saved) {
    learner_->load(saved->tensors);
    state_ = std::move(saved->state);
  }
  watch_.emplace(recipe_.train, recipe_.schedule, learning_rate(recipe_.optimizer));
  if (!state_.watch.is_null()) watch_->restore(state_.watch);
  state_.threads = threads_;
  state_.normalizer = examples_->normalizer();
  state_.unverified_normalizer = examples_->unverified_normalizer();
  state_.metadata = examples_->metadata_columns();
}

Run::Run(const TrainRequest& request)
    : request_(request),
      recipe_(with_files_from(request.recipe, request.files_from)),
      threads_(request.threads) {
  if (threads_ <= 0) threads_ = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  torch::set_num_threads(threads_);
  check_run_folder(request.out, request.resume, request.overwrite);
  recipe_text_ = recipe_to_yaml(request.recipe);
  dataset_ =
      branch_of(load_dataset(recipe_.data.dataset, request.data_root, recipe_.data), recipe_.data.branch);
  const SplitClips parts = split_clips(dataset_, recipe_, request.fold);
  check_named_metrics(recipe_, dataset_, request.fold);
  with_unknown_weight(parts.truth, task_of(dataset_.name), recipe_.tagging.unknown_weight);
  order_.emplace(parts.train, order_options(recipe_), [this](const Visit& visit, std::uint64_t epoch) {
    return examples_->describe(visit, epoch);
  });
  count_in_steps(recipe_.train, recipe_.schedule, order_->steps_per_epoch());
  if (const std::vector<std::string> problems = recipe_.problems(); !problems.empty())
    throw Error(ErrorCode::kBadRecipe, "with this data:", problems);
  outputs_ = output_tags(dataset_, recipe_.data.outputs);
  loss_tags_ = LossTags::of(dataset_, parts.train, outputs_);
  state_.recipe = recipe_text_;
  state_.fold = request.fold;
  state_.data_id = identity_of(dataset_);
  if (!recipe_.embedder.bundle.empty()) state_.embedder_id = bundle_id(read_bytes(recipe_.embedder.bundle));
  read_init();
  std::optional<SavedCheckpoint> saved = saved_state();
  give_back_large_pieces();  // until it is known that the weights are few
  begin_learner(saved.has_value());
  if (!has_many_weights()) {
    keep_freed_memory();
    use_large_pages();
  }
  load_clips(parts);
  prepare_examples(std::move(saved));
  check_shortest_clip();
  open_folder();
  tell_oddities();
  keep_embedder();
  if (has_many_weights()) give_back_large_pieces();
}

void Run::checkpoint() {
  state_.watch = watch_->state();
  state_.spent = stopwatch_.read();
  write_checkpoint(request_.out, state_, learner_->state());
}

void Run::log_step(double rate) {
  Value record;
  record.set("iteration", Value(static_cast<std::int64_t>(state_.iteration)));
  record.set("epoch", Value(order_->epochs_before(state_.iteration)));
  record.set("loss", Value(state_.loss_sum / static_cast<double>(state_.loss_count)));
  record.set("lr", Value(watch_->lr() *
                         schedule_factor(recipe_.schedule, state_.iteration - 1, recipe_.train.iterations)));
  record.set("clips_per_s", Value(rate));
  log_->add(record);
  state_.loss_sum = 0.0;
  state_.loss_count = 0;
}

Value Run::validate() {
  if (held_out_clips_->size() == 0) return Value();
  const auto total = static_cast<long>(held_out_clips_->size());
  const Learner::Heard heard = learner_->hear(*held_out_, [&](long n) { tell("validating", n, total); });
  last_scores_.scores.scores = scores_of_all_tags(dataset_, outputs_, heard.scores);
  Value figures = to_value(evaluate_task(judged_scores(), task_of(dataset_.name)));
  Value metrics = figures.at("metrics");
  metrics.set("loss", heard.loss);
  figures.set("metrics", std::move(metrics));
  return figures;
}

// While the network is trained the embedder's weights are held once, by the embedder itself; the run's bundle
// gets them from this file, whatever becomes of the bundle that they are of.
std::filesystem::path Run::embedder_file() const {
  return request_.out / "checkpoints" / "embedder.safetensors";
}

void Run::keep_embedder() {
  if (!embedder_) return;
  std::filesystem::create_directories(embedder_file().parent_path());
  write_safetensors(embedder_file(), {{}, std::exchange(embedder_->parts.tensors, {})});
}

std::filesystem::path Run::best_file(const std::string& metric) const {
  return request_.out / "checkpoints" / ("best_" + metric + ".safetensors");
}

// @param iteration that the weights are of.
Value Run::log_validation(long iteration, bool of_result) {
  const Value figures = validate();
  if (figures.is_null()) return figures;
  Value record;
  record.set("iteration", Value(static_cast<std::int64_t>(iteration)));
  if (of_result) record.set("result", true);
  record.set("validation", figures.at("metrics"));
  log_->add(record);
  return figures;
}

bool Run::watch_validation() {
  const Value figures = log_validation(state_.iteration, false);
  if (figures.is_null()) return true;
  const ValidationWatch::Verdict verdict = watch_->see(figures.at("metrics"));
  std::filesystem::create_directories(request_.out / "checkpoints");
  for (const std::string& metric : verdict.new_bests) {
    write_safetensors(best_file(metric), {{{"iteration", std::to_string(state_.iteration)}},
                                          borrowed_state_of(learner_->network())});
  }
  if (verdict.fresh_optimizer) learner_->begin_optimizer();
  return !verdict.stop;
}

bool Run::train() {
  if (watch_->over()) return true;  // resumed after its end
  const TrainOptions& options = recipe_.train;
  Loader loader(*examples_, *order_, state_.iteration, options.iterations, std::max(1, threads_ / 2));
  const Clock::time_point start = Clock::now();
  long n_clips = 0;
  while (state_.iteration < options.iterations) {
    const Batch batch = loader.next();
    state_.loss_sum += learner_->step(batch, watch_->lr() / learning_rate(recipe_.optimizer));
    ++state_.loss_count;
    ++state_.iteration;
    n_clips += static_cast<long>(batch.size());
    learner_->after_step(state_.iteration);
    const double rate = static_cast<double>(n_clips) / seconds_since(start);
    tell("training", state_.iteration, options.iterations, rate);
    const bool last = state_.iteration == options.iterations;
    if (state_.iteration % options.log_every == 0 || last) log_step(rate);
    // The last validation is of the result; where validations choose it, the last weights are a candidate
    // too.
    const bool due = options.validate_every > 0 && (state_.iteration % options.validate_every == 0 || last);
    const bool enough = due && (!last || !options.best.empty()) && !watch_validation();
    const bool stop = stop_requested();
    if (state_.iteration % options.checkpoint_every == 0 || last || stop || enough) checkpoint();
    if (enough) break;
    if (stop && !last) return false;
  }
  return true;
}

Value Run::summary(const Value& validation) const {
  Value metrics;
  metrics.set("dataset", Value(dataset_.name));
  metrics.set("fold", Value(request_.fold));
  metrics.set("seed", Value(static_cast<std::int64_t>(recipe_.seed)));
  if (!state_.init_id.empty()) metrics.set("init", Value(state_.init_id));
  metrics.set("iterations", Value(static_cast<std::int64_t>(state_.iteration)));
  metrics.set("n_train_clips", Value(static_cast<std::int64_t>(train_clips_->size())));
  const TimeSpent spent = stopwatch_.read();
  metrics.set("train_s", Value(spent.wall_s));
  metrics.set("train_cpu_s", Value(spent.cpu_s));
  metrics.set("threads", Value(threads_));
  if (!validation.is_null()) {
    for (const auto& [key, value] : validation.as_map()) metrics.set(key, value);
  }
  return metrics;
}

void Run::write_bundle_to(const std::filesystem::path& path, const Value& metrics) {
  Bundle bundle;
  bundle.tags = output_names();
  bundle.thresholds.assign(bundle.tags.size(), recipe_.tagging.threshold);
  bundle.segment_s = recipe_.tagging.segment_s;
  BundledNetwork network;
  network.kind = learner_->model_kind();
  network.revision = learner_->model_revision();
  network.options = learner_->model_options();
  network.front_end = FrontEnd::of(recipe_.features, examples_->normalizer(), examples_->metadata_columns());
  network.front_end.unverified_normalizer = examples_->unverified_normalizer();
  bundle.tensors.push_back(borrowed_state_of(learner_->network()));
  if (embedder_) {
    network.embedder = embedder_->parts.spec;
    for (auto& [name, tensor] : read_safetensors(embedder_file()).tensors)
      bundle.tensors.back().emplace("embedder." + name, std::move(tensor));
  }
  bundle.networks.push_back(std::move(network));
  bundle.provenance.set("recipe", Value(recipe_text_));
  for (const char* key : {"dataset", "fold", "seed", "n_train_clips"})
    bundle.provenance.set(key, metrics.at(key));
  if (!state_.init_id.empty()) bundle.provenance.set("init", Value(state_.init_id));
  if (const Value* scores = metrics.find("metrics")) bundle.provenance.set("measured", *scores);
  bundle.provenance.set("earmark", Value(EARMARK_VERSION));
  complete_self_test(bundle, make_torch_network, recipe_.tagging.weights);
  write_bundle(path, bundle, recipe_.tagging.weights);
}

// A bundle for each metric of train.best that was ever defined, of the weights at which it was highest.
// Leaves the weights of the result.
Value Run::write_bests() {
  Value bests{Value::Map()};
  if (recipe_.train.best.empty()) return bests;
  const std::string& result = recipe_.train.result;
  const bool is_best = !result.empty() && std::filesystem::exists(best_file(result));
  // A large network is not held twice: the last weights are kept only where they are the result.
  const TensorMap last = is_best ? TensorMap() : state_of(learner_->network());
  for (const std::string& metric : recipe_.train.best) {
    if (!std::filesystem::exists(best_file(metric))) {
      if (request_.on_message)
        request_.on_message(
            fmt::format("train.best: {} was undefined in every validation, so there is no best "
                        "of it{}",
                        metric, metric == result ? "; the result is the last weights" : ""));
      continue;
    }
    const SafeTensorsFile kept(best_file(metric));
    load_state(learner_->network(), kept.with_prefix(""));
    if (recipe_.tagging.weights == Precision::kFloat16) learner_->round_weights();
    const Value figures = validate();
    write_bundle_to(request_.out / ("model_" + metric + ".earmark"), summary(figures));
    Value best;
    best.set("iteration", Value(static_cast<std::int64_t>(std::stol(kept.metadata().at("iteration")))));
    best.set("metrics", figures.at("metrics"));
    bests.set(metric, best);
  }
  load_state(learner_->network(), is_best ? read_safetensors(best_file(result)).tensors : last);
  return bests;
}

void Run::write_results(const Value& validation, const Value& bests) {
  Value metrics = summary(validation);
  if (!recipe_.train.best.empty()) metrics.set("best", bests);
  write_bundle_to(request_.out / "model.earmark", metrics);
  if (const LabeledScores& scores = last_scores_.scores; scores.n_clips() > 0) {
    ScoreTable table;
    table.tags = scores.tags;
    table.clip_ids = scores.clip_ids;
    table.scores = scores.scores;
    write_score_table(request_.out / "scores.csv", table);
  }
  write_text(request_.out / "report.html",
             run_report(metrics, log_->records(), judged_scores(), recipe_text_, recipe_.expect));
  write_text(request_.out / "metrics.json",
             to_json(metrics, 2) + "\n");  // last: it says that the run is whole
}

TrainResult Run::go() {
  stopwatch_.start(state_.spent);
  if (!train()) return {};
  const auto total = static_cast<long>(train_clips_->size());
  learner_->finish(*examples_, [&](long n) { tell("refreshing BatchNorm", n, total); });
  const Value bests = write_bests();
  if (recipe_.tagging.weights == Precision::kFloat16) learner_->round_weights();
  const Value* best = bests.find(recipe_.train.result);
  write_results(log_validation(best == nullptr ? state_.iteration : best->at("iteration").as_integer(), true),
                bests);
  if (embedder_) std::filesystem::remove(embedder_file());
  TrainResult result;
  result.finished = true;
  result.bundle = request_.out / "model.earmark";
  result.metrics = parse_json(read_text(request_.out / "metrics.json"), "metrics.json");
  return result;
}

}  // namespace

TrainResult train(const TrainRequest& request) { return Run(request).go(); }

}  // namespace earmark
