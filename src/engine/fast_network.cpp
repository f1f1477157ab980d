#include "engine/fast_network.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <list>
#include <mutex>

#include "core/options_io.h"
#include "earmark/error.h"
#include "engine/architecture.h"

namespace earmark {
namespace {

using engine::Architecture;
using engine::Length;
using engine::Plan;
using engine::PlanBuilder;

// Lengths that a worker keeps a plan for; a folder of recordings scored whole may have more.
constexpr std::size_t kPlansKept = 4;
// A worker's memory above this is given back after the clip that needed it.
constexpr std::size_t kBytesKept = std::size_t{256} << 20;

/// oneDNN takes OpenMP's number of threads; here a call is one thread, and what the caller had stays.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

/// What a network takes and gives.
struct Widths {
  ModelSizes sizes;
  int n_metadata = 0, n_embedding = 0;
};

/// One clip at a time: plans of some lengths, and the memory that they share.
class Worker {
 public:
  Worker(const Architecture& architecture, const Widths& widths)
      : architecture_(architecture), widths_(widths) {}

  void run(const Length& length, const engine::Item& item) {
    Plan& plan = plan_for(length);
    plan.run(item);
    if (plan.arena_bytes() > kBytesKept) {
      plans_.pop_front();
      arena_.reset();
      arena_bytes_ = 0;
    }
  }

 private:
  Plan& plan_for(const Length& length) {
    const auto found = std::find_if(plans_.begin(), plans_.end(),
                                    [&](const auto& entry) { return entry.first == length; });
    if (found != plans_.end()) {
      plans_.splice(plans_.begin(), plans_, found);  // the last one used is the first
      return plans_.front().second;
    }
    PlanBuilder builder({1, widths_.sizes.n_channels, widths_.sizes.n_mels, length.n_frames},
                        widths_.n_metadata, widths_.n_embedding);
    const engine::Slot answer = architecture_.lay_out(builder, length);
    if (plans_.size() == kPlansKept) plans_.pop_back();
    plans_.emplace_front(length, builder.finish(answer));
    place(plans_.front().second);
    return plans_.front().second;
  }

  // Grows the memory for a new plan; the others move with it.
  void place(Plan& plan) {
    if (plan.arena_bytes() <= arena_bytes_) return plan.bind(arena_.get());
    const std::size_t bytes = (plan.arena_bytes() + Plan::kAlignment - 1) / Plan::kAlignment * Plan::kAlignment;
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
  const Architecture& architecture_;
  const Widths& widths_;
  std::list<std::pair<Length, Plan>> plans_;
  std::unique_ptr<std::byte, Free> arena_;
  std::size_t arena_bytes_ = 0;
};

class FastNetwork final : public Network {
 public:
  FastNetwork(std::unique_ptr<Architecture> architecture, const Widths& widths)
      : architecture_(std::move(architecture)), widths_(widths) {}

  int n_tags() const override { return widths_.sizes.n_tags; }
  int n_metadata() const override { return widths_.n_metadata; }
  int n_embedding() const override { return widths_.n_embedding; }

  std::vector<float> scores(const NetworkInput& input) const override {
    check(input);
    const OneThread one_thread;
    const auto batch = static_cast<std::size_t>(input.batch), n_tags = static_cast<std::size_t>(widths_.sizes.n_tags);
    std::vector<float> all(batch * n_tags);
    std::unique_ptr<Worker> worker = take_worker();
    std::vector<float> cut;
    for (std::size_t i = 0; i < batch; ++i) {
      const std::size_t size = input.features.size() / batch;
      Length length{input.n_frames, input.n_valid.empty() ? input.n_frames : input.n_valid[i]};
      engine::Item item{input.features.data() + i * size,
                        input.metadata.data() + i * static_cast<std::size_t>(widths_.n_metadata),
                        input.embeddings.data() + i * static_cast<std::size_t>(widths_.n_embedding),
                        all.data() + i * n_tags};
      if (length.n_valid < length.n_frames && !architecture_->hears_padding()) {
        cut = own_frames({item.features, size}, length);
        item.features = cut.data();
        length.n_frames = length.n_valid;
      }
      worker->run(length, item);
    }
    give_back(std::move(worker));
    return all;
  }

 private:
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
    const ModelSizes& sizes = widths_.sizes;
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
    check_columns("metadata", input.metadata, input.batch, widths_.n_metadata);
    check_columns("embeddings", input.embeddings, input.batch, widths_.n_embedding);
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
    if (idle_.empty()) return std::make_unique<Worker>(*architecture_, widths_);
    std::unique_ptr<Worker> worker = std::move(idle_.back());
    idle_.pop_back();
    return worker;
  }
  void give_back(std::unique_ptr<Worker> worker) const {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(worker));
  }

  std::unique_ptr<Architecture> architecture_;
  Widths widths_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Worker>> idle_;
};

// Kinds that have a make() in architecture.h.
template <class Options>
concept Known = requires(const Options& options, engine::StateReader& state) { engine::make(options, state); };

template <class Options>
void read_model(const BundledNetwork& spec, Options& options) {
  std::vector<std::string> problems;
  if (spec.revision != Options::kRevision)
    problems.push_back(fmt::format("revision {} is not known, this earmark has revision {}; use a newer earmark",
                                   spec.revision, Options::kRevision));
  read_options(spec.options, options, "model", problems);
  if (problems.empty()) {
    for (const std::string& problem : options.problems()) problems.push_back("model." + problem);
  }
  if (!problems.empty())
    throw Error(ErrorCode::kBadBundle, fmt::format("the network ({}) cannot be built:", spec.kind), problems);
}

}  // namespace

std::unique_ptr<Network> make_fast_network(const BundledNetwork& spec, const TensorMap& tensors) {
  ModelOptions model;
  try {
    model = default_model_options(spec.kind);
  } catch (const Error&) {
    return nullptr;  // whoever is asked next says what kinds there are
  }
  return std::visit(
      [&](auto& options) -> std::unique_ptr<Network> {
        if constexpr (Known<std::decay_t<decltype(options)>>) {
          read_model(spec, options);
          engine::StateReader state(tensors);
          auto architecture = engine::make(options, state);
          state.finish();
          return std::make_unique<FastNetwork>(
              std::move(architecture), Widths{sizes_of(model), n_metadata_of(model), n_embedding_of(model)});
        } else {
          return nullptr;
        }
      },
      model);
}

}  // namespace earmark
