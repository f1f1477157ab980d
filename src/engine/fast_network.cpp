#include "engine/fast_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <list>
#include <mutex>

#include "earmark/error.h"
#include "engine/known_networks.h"

namespace earmark {
namespace {

using engine::Arithmetic;
using engine::KnownNetwork;
using engine::Length;
using engine::Plan;
using engine::PlanBuilder;

// Lengths that a worker keeps a plan for; a folder of recordings scored whole may have more.
constexpr std::size_t kPlansKept = 4;
// A worker's memory above this is given back after the clip that needed it.
constexpr std::size_t kBytesKept = std::size_t{256} << 20;

/// One clip at a time: plans of some lengths, and the memory that they share.
class Worker {
 public:
  Worker(const KnownNetwork& network, Arithmetic arithmetic) : network_(network), arithmetic_(arithmetic) {}

  void run(const Length& length, const engine::Item& item) {
    Plan& plan = plan_for(length);
    plan.run(item);
    if (plan.arena_bytes() > kBytesKept) {
      plans_.clear();  // they are bound to that memory
      arena_.reset();
      arena_bytes_ = 0;
    }
  }

 private:
  Plan& plan_for(const Length& length) {
    const auto found =
        std::find_if(plans_.begin(), plans_.end(), [&](const auto& entry) { return entry.first == length; });
    if (found != plans_.end()) {
      plans_.splice(plans_.begin(), plans_, found);  // the last one used is the first
      return plans_.front().second;
    }
    PlanBuilder builder(network_.features(length), network_.n_metadata, network_.n_embedding, arithmetic_);
    const engine::Slot answer = network_.architecture->lay_out(builder, length);
    if (plans_.size() == kPlansKept) plans_.pop_back();
    plans_.emplace_front(length, builder.finish(answer));
    place(plans_.front().second);
    return plans_.front().second;
  }

  // Grows the memory for a new plan; the others move with it.
  void place(Plan& plan) {
    if (plan.arena_bytes() <= arena_bytes_) return plan.bind(arena_.get());
    const std::size_t bytes =
        (plan.arena_bytes() + Plan::kAlignment - 1) / Plan::kAlignment * Plan::kAlignment;
    arena_.reset();
    arena_bytes_ = 0;
    arena_.reset(static_cast<std::byte*>(std::aligned_alloc(Plan::kAlignment, bytes)));
    if (!arena_) throw std::bad_alloc();
    arena_bytes_ = bytes;
    for (auto& entry : plans_) entry.second.bind(arena_.get());
  }

  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  const KnownNetwork& network_;
  Arithmetic arithmetic_;
  std::list<std::pair<Length, Plan>> plans_;
  std::unique_ptr<std::byte, Free> arena_;
  std::size_t arena_bytes_ = 0;
};

class FastNetwork final : public Network {
 public:
  FastNetwork(KnownNetwork network, Arithmetic arithmetic)
      : network_(std::move(network)), arithmetic_(arithmetic) {}

  int n_tags() const override { return network_.sizes.n_tags; }
  int n_metadata() const override { return network_.n_metadata; }
  int n_embedding() const override { return network_.n_embedding; }

  int n_hidden() const override { return network_.n_hidden; }
  double tolerance() const override {
    return arithmetic_ == Arithmetic::kBfloat16 ? engine::kBfloat16Tolerance : 0.0;
  }

  std::vector<float> scores(const NetworkInput& input) const override { return run(input, nullptr); }
  std::vector<float> scores_and_hidden(const NetworkInput& input, std::vector<float>& hidden) const override {
    hidden.resize(static_cast<std::size_t>(input.batch) * static_cast<std::size_t>(network_.n_hidden));
    return run(input, hidden.data());
  }

 private:
  // @param hidden [batch, n_hidden] or null.
  std::vector<float> run(const NetworkInput& input, float* hidden) const {
    check(input);
    const engine::OneThread one_thread;
    const auto batch = static_cast<std::size_t>(input.batch),
               n_tags = static_cast<std::size_t>(network_.sizes.n_tags);
    std::vector<float> all(batch * n_tags);
    std::unique_ptr<Worker> worker = take_worker();
    const bool together = network_.architecture->together() && input.n_valid.empty();
    if (together) {
      worker->run(
          {input.n_frames, input.n_frames, input.batch},
          {input.features.data(), input.metadata.data(), input.embeddings.data(), all.data(), hidden});
    }
    std::vector<float> cut;
    for (std::size_t i = 0; i < batch && !together; ++i) {
      const std::size_t size = input.features.size() / batch;
      Length length{input.n_frames, input.n_valid.empty() ? input.n_frames : input.n_valid[i], 1};
      engine::Item item{
          input.features.data() + i * size,
          input.metadata.data() + i * static_cast<std::size_t>(network_.n_metadata),
          input.embeddings.data() + i * static_cast<std::size_t>(network_.n_embedding),
          all.data() + i * n_tags,
          hidden == nullptr ? nullptr : hidden + i * static_cast<std::size_t>(network_.n_hidden)};
      if (length.n_valid < length.n_frames && !network_.architecture->hears_padding()) {
        cut = own_frames({item.features, size}, length);
        item.features = cut.data();
        length.n_frames = length.n_valid;
      }
      worker->run(length, item);
    }
    give_back(std::move(worker));
    return all;
  }

  // Each row of a padded item up to its last valid frame.
  static std::vector<float> own_frames(std::span<const float> features, const Length& length) {
    std::vector<float> own;
    const auto n_frames = static_cast<std::size_t>(length.n_frames);
    for (std::size_t at = 0; at < features.size(); at += n_frames) {
      const auto row = features.subspan(at, static_cast<std::size_t>(length.n_valid));
      own.insert(own.end(), row.begin(), row.end());
    }
    return own;
  }

  void check(const NetworkInput& input) const {
    const ModelSizes& sizes = network_.sizes;
    const auto needed =
        static_cast<std::size_t>(input.batch * input.n_channels * input.n_mels * input.n_frames);
    if (input.features.size() != needed || input.n_mels != sizes.n_mels ||
        input.n_channels != sizes.n_channels || needed == 0) {
      throw Error(
          ErrorCode::kInvalidOption,
          fmt::format("features: must be [batch, {}, {}, frames], got [{}, {}, {}, {}] with {} values",
                      sizes.n_channels, sizes.n_mels, input.batch, input.n_channels, input.n_mels,
                      input.n_frames, input.features.size()));
    }
    if (!input.n_valid.empty() && input.n_valid.size() != static_cast<std::size_t>(input.batch))
      throw Error(ErrorCode::kInvalidOption, fmt::format("n_valid: must be one for each of {} items, got {}",
                                                         input.batch, input.n_valid.size()));
    for (const std::int64_t n : input.n_valid) {
      if (n < 1 || n > input.n_frames)
        throw Error(ErrorCode::kInvalidOption,
                    fmt::format("n_valid: must be 1..{}, got {}", input.n_frames, n));
    }
    check_columns("metadata", input.metadata, input.batch, network_.n_metadata);
    check_columns("embeddings", input.embeddings, input.batch, network_.n_embedding);
  }

  static void check_columns(const char* what, std::span<const float> values, std::int64_t batch, int width) {
    if (width > 0 && values.size() != static_cast<std::size_t>(batch * width)) {
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("{}: must be [{}, {}], got {} values", what, batch, width, values.size()));
    }
  }

  // As many workers as there were calls at once; each keeps its memory for the next call.
  std::unique_ptr<Worker> take_worker() const {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<Worker>(network_, arithmetic_);
    std::unique_ptr<Worker> worker = std::move(idle_.back());
    idle_.pop_back();
    return worker;
  }
  void give_back(std::unique_ptr<Worker> worker) const {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(worker));
  }

  KnownNetwork network_;
  Arithmetic arithmetic_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Worker>> idle_;
};

std::unique_ptr<Network> made(const BundledNetwork& spec, const TensorMap& tensors, Arithmetic arithmetic) {
  std::optional<engine::KnownNetwork> network = engine::read_network(spec, tensors);
  return network ? std::make_unique<FastNetwork>(std::move(*network), arithmetic) : nullptr;
}

}  // namespace

std::unique_ptr<Network> make_fast_network(const BundledNetwork& spec, const TensorMap& tensors) {
  return made(spec, tensors, Arithmetic::kFloat32);
}

std::unique_ptr<Network> make_bf16_network(const BundledNetwork& spec, const TensorMap& tensors) {
  if (!engine::multiplies_bfloat16())
    throw Error(
        ErrorCode::kUnsupported,
        "engine: bf16 needs a processor with AMX, which multiplies bfloat16 in tiles; without it bfloat16 is "
        "slower than float32: use fast or auto");
  return made(spec, tensors, Arithmetic::kBfloat16);
}

std::optional<std::int64_t> count_multiply_adds(const BundledNetwork& spec, const TensorMap& tensors,
                                                std::int64_t n_frames) {
  const std::optional<engine::KnownNetwork> network = engine::read_network(spec, tensors);
  if (!network) return std::nullopt;
  const engine::OneThread one_thread;
  PlanBuilder builder(network->features({n_frames, n_frames}), network->n_metadata, network->n_embedding);
  network->architecture->lay_out(builder, {n_frames, n_frames});
  return builder.multiply_adds();
}

}  // namespace earmark
