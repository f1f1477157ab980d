#include "train/learner.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "earmark/error.h"
#include "models/registry.h"

namespace earmark {
namespace {

torch::Tensor features_of(const Batch& batch) {
  return torch::from_blob(const_cast<float*>(batch.features.data()),
                          {batch.size(), batch.n_channels, batch.n_mels, batch.n_frames}, torch::kFloat);
}

bool same_lengths(const Batch& batch) {
  return std::all_of(batch.n_valid.begin(), batch.n_valid.end(),
                     [&](std::int64_t n) { return n == batch.n_frames; });
}

NetworkBatch network_batch(const Batch& batch) {
  NetworkBatch all;
  all.features = features_of(batch);
  if (!same_lengths(batch)) all.n_valid = batch.n_valid;
  if (!batch.metadata.empty()) {
    all.metadata = torch::from_blob(
        const_cast<float*>(batch.metadata.data()),
        {batch.size(), static_cast<std::int64_t>(batch.metadata.size()) / batch.size()}, torch::kFloat);
  }
  if (!batch.embeddings.empty()) {
    all.embeddings = torch::from_blob(
        const_cast<float*>(batch.embeddings.data()),
        {batch.size(), static_cast<std::int64_t>(batch.embeddings.size()) / batch.size()}, torch::kFloat);
  }
  all.stripes = batch.stripes;
  return all;
}

}  // namespace

std::vector<std::size_t> refresh_order(const ClipStore& clips, const Recipe& recipe) {
  Rng rng(recipe.seed, "norm_refresh");
  std::vector<std::size_t> order = permutation(clips.size(), rng);
  if (recipe.train.sampler == Sampler::kBucketed) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return clips.n_samples(a) < clips.n_samples(b); });
  }
  return order;
}

Learner::Learner(const Recipe& recipe, LossTags tags, int n_channels, const Bundle* init, bool same_tags)
    : recipe_(recipe), tags_(std::move(tags)) {
  const ModelOptions model = recipe.model_for(static_cast<int>(tags_.outputs.size()), n_channels);
  model_kind_ = kind_of(model);
  model_revision_ = revision_of(model);
  model_options_ = std::visit([](const auto& options) { return write_options(options); }, model);
  torch::manual_seed(recipe.seed);
  network_ = make_network(model_kind_, model_revision_, model_options_);
  const std::vector<std::string> head = network_->head_names();
  if (init != nullptr) inherited_ = inherit(*network_, model_options_, *init, recipe.train.init, same_tags);
  for (const auto& item : network_->named_parameters()) {
    const bool in_head = std::find(head.begin(), head.end(), item.key()) != head.end();
    if (recipe.train.freeze_trunk && !in_head) {
      item.value().requires_grad_(false);
    } else {
      trained_.emplace_back(item.key(), item.value());
    }
  }
  begin_optimizer();
  if (recipe.train.swa.enabled) average_.emplace(trained_);
}

void Learner::begin_optimizer() { optimizer_ = make_optimizer(trained_, recipe_.optimizer); }

void Learner::set_mode(bool training) {
  // A frozen trunk keeps its BatchNorm statistics too.
  network_->train(training && !recipe_.train.freeze_trunk);
}

torch::Tensor Learner::loss_of(const torch::Tensor& answered, const Batch& batch,
                               const std::vector<float>& targets) const {
  const std::int64_t n_clips = answered.size(0);
  const torch::Tensor y =
      torch::from_blob(const_cast<float*>(targets.data()),
                       {n_clips, static_cast<std::int64_t>(targets.size()) / n_clips}, torch::kFloat);
  return compute_loss(recipe_.loss, answered, network_->answer(), y, tags_, batch.verified);
}

double Learner::step(const Batch& batch, double rate_factor) {
  set_mode(true);
  // Dropout draws from libtorch's generator: set anew for every step, so that a resumed run draws the same.
  torch::manual_seed(
      Rng(recipe_.seed, "dropout", batch.epoch, static_cast<std::uint64_t>(batch.iteration)).bits());
  const torch::Tensor answered = network_->forward(network_batch(batch));
  torch::Tensor loss = loss_of(answered, batch, batch.targets);
  if (!batch.other_targets.empty())
    loss = batch.share * loss + (1.0 - batch.share) * loss_of(answered, batch, batch.other_targets);
  const double value = loss.item<double>();
  double norm = value;
  if (std::isfinite(value)) {
    loss.backward();
    norm = optimizer_->step(rate_factor *
                            schedule_factor(recipe_.schedule, batch.iteration, recipe_.train.iterations));
    optimizer_->zero_grad();  // now: gradients need not lie beside what a validation takes
  }
  if (!std::isfinite(norm)) {
    throw Error(ErrorCode::kInternal, fmt::format("the {} is no longer a number (iteration {}, epoch {}, "
                                                  "clips {}); lower optimizer.lr, or look at these clips",
                                                  std::isfinite(value) ? "gradient" : "loss", batch.iteration,
                                                  batch.epoch, fmt::join(batch.clip_ids, ", ")));
  }
  return value;
}

void Learner::after_step(long n_done) {
  const SwaOptions& swa = recipe_.train.swa;
  if (average_ && n_done > swa.start && (n_done - swa.start) % swa.every == 0) average_->add_snapshot();
}

void Learner::finish(const ExampleMaker& maker, const std::function<void(long)>& on_clip) {
  optimizer_->zero_grad();
  optimizer_.reset();
  if (!average_ || average_->n_snapshots() == 0) return;
  average_->swap_in();
  if (!recipe_.train.refresh_batch_norm || recipe_.train.freeze_trunk) return;
  // Momentum b / (n + b) after n items makes the running statistics the item-weighted mean of the batches'.
  torch::NoGradGuard no_grad;
  set_mode(true);
  network_->reset_norm_statistics();
  const auto size = static_cast<std::size_t>(recipe_.train.batch_size);
  const std::vector<std::size_t> order = refresh_order(maker.clips(), recipe_);
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    end = std::min(begin + size, order.size());
    if (end + 1 == order.size() && size > 1) ++end;  // a clip alone has no statistics over a batch
    std::vector<Example> examples;
    for (std::size_t i = begin; i < end; ++i) examples.push_back(maker.plain(order[i]));
    network_->set_norm_momentum(static_cast<double>(end - begin) / static_cast<double>(end));
    network_->forward(network_batch(collate(std::move(examples), {})));
    on_clip(static_cast<long>(end));
  }
}

std::int64_t Learner::n_weights() const {
  std::int64_t n = 0;
  for (const torch::Tensor& parameter : network_->parameters()) n += parameter.numel();
  return n;
}

void Learner::round_weights() {
  torch::NoGradGuard no_grad;
  for (torch::Tensor& p : network_->parameters()) {
    if (p.dim() >= 2) p.copy_(p.to(torch::kHalf).to(torch::kFloat));
  }
}

torch::Tensor Learner::answer(const ExampleMaker& maker, std::size_t clip, Batch& batch) {
  std::vector<Example> one;
  one.push_back(maker.plain(clip));
  batch = collate(std::move(one), {});
  batch.verified.clear();  // masking compares the clips of a batch: a clip alone would always be masked
  return naming_clip(maker.clips().clip(clip), [&] { return network_->forward(network_batch(batch)); });
}

void Learner::check(const ExampleMaker& maker, std::size_t clip) {
  torch::NoGradGuard no_grad;
  set_mode(false);
  Batch batch;
  answer(maker, clip, batch);
}

Learner::Heard Learner::hear(const ExampleMaker& maker, const std::function<void(long)>& on_clip) {
  torch::NoGradGuard no_grad;
  set_mode(false);
  Heard heard;
  const std::size_t n = maker.clips().size();
  for (std::size_t i = 0; i < n; ++i) {
    Batch batch;
    const torch::Tensor answered = answer(maker, i, batch);
    heard.loss += loss_of(answered, batch, batch.targets).item<double>() / static_cast<double>(n);
    const torch::Tensor s = network_->scores_of(answered).contiguous();
    if (!std::isfinite(heard.loss) || !torch::isfinite(s).all().item<bool>()) {
      throw Error(ErrorCode::kInternal,
                  fmt::format("the scores of held-out clip {} are no longer numbers; lower optimizer.lr, or "
                              "look at this clip",
                              maker.clips().clip(i).id));
    }
    heard.scores.insert(heard.scores.end(), s.data_ptr<float>(), s.data_ptr<float>() + s.numel());
    on_clip(static_cast<long>(i + 1));
  }
  return heard;
}

TensorMap Learner::state() const {
  TensorMap state;
  for (auto& [name, tensor] : borrowed_state_of(*network_))
    state.emplace("network." + name, std::move(tensor));
  optimizer_->save(state);
  if (average_) average_->save(state);
  return state;
}

void Learner::load(const SafeTensorsFile& saved) {
  load_state(*network_, saved.with_prefix("network."));
  const FindTensor find = [&](const std::string& name) { return saved.find(name); };
  optimizer_->load(find);
  if (average_) average_->load(find);
}

}  // namespace earmark
