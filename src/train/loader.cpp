#include "train/loader.h"

#include <algorithm>

namespace earmark {

Loader::Loader(const ExampleMaker& maker, const Recipe& recipe, long first, long last, int n_workers)
    : maker_(maker),
      recipe_(recipe),
      last_(last),
      lookahead_(n_workers + 2),
      next_to_make_(first),
      next_to_give_(first) {
  for (int i = 0; i < n_workers; ++i) workers_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

long Loader::batches_per_epoch(std::size_t n_clips, int batch_size) {
  const auto size = static_cast<std::size_t>(batch_size);
  return static_cast<long>((n_clips + size - 1) / size);
}

Batch Loader::make(long iteration) const {
  const std::size_t n_clips = maker_.clips().size();
  const long per_epoch = batches_per_epoch(n_clips, recipe_.train.batch_size);
  const auto epoch = static_cast<std::uint64_t>(iteration / per_epoch);
  Rng rng(recipe_.seed, "order", epoch);
  const std::vector<std::size_t> order = permutation(n_clips, rng);
  const auto size = static_cast<std::size_t>(recipe_.train.batch_size);
  const std::size_t begin = static_cast<std::size_t>(iteration % per_epoch) * size,
                    end = std::min(begin + size, n_clips);
  std::vector<Example> examples;
  std::vector<std::string> ids;
  for (std::size_t i = begin; i < end; ++i) {
    examples.push_back(maker_.augmented(order[i], epoch));
    ids.push_back(maker_.clips().clip(order[i]).id);
  }
  Batch batch = collate(std::move(examples), std::move(ids));
  batch.iteration = iteration;
  batch.epoch = epoch;
  return batch;
}

void Loader::work() {
  for (;;) {
    long iteration = 0;
    {
      std::unique_lock lock(mutex_);
      wanted_.wait(lock, [&] {
        return stopping_ || next_to_make_ >= last_ || next_to_make_ < next_to_give_ + lookahead_;
      });
      if (stopping_ || next_to_make_ >= last_) return;
      iteration = next_to_make_++;
    }
    try {
      Batch batch = make(iteration);
      const std::lock_guard lock(mutex_);
      ready_.emplace(iteration, std::move(batch));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failed_.emplace(iteration, std::current_exception());
    }
    made_.notify_all();
  }
}

Batch Loader::next() {
  std::unique_lock lock(mutex_);
  made_.wait(lock, [&] { return ready_.count(next_to_give_) > 0 || failed_.count(next_to_give_) > 0; });
  if (const auto failure = failed_.find(next_to_give_); failure != failed_.end())
    std::rethrow_exception(failure->second);
  Batch batch = std::move(ready_.extract(next_to_give_).mapped());
  ++next_to_give_;
  lock.unlock();
  wanted_.notify_all();
  return batch;
}

}  // namespace earmark
