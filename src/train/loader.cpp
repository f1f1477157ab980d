#include "train/loader.h"

namespace earmark {

Loader::Loader(const ExampleMaker& maker, const BatchOrder& order, long first, long last, int n_workers)
    : maker_(maker),
      order_(order),
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

Batch Loader::make(long iteration) const {
  const BatchOrder::At at = order_.at(iteration);
  std::vector<Example> examples;
  std::vector<std::string> ids;
  for (const Visit& visit : at.visits) {
    examples.push_back(maker_.augmented(visit, at.epoch));
    ids.push_back(maker_.clips().clip(visit.clip).id);
  }
  Batch batch = collate(std::move(examples), std::move(ids));
  batch.iteration = iteration;
  batch.epoch = at.epoch;
  maker_.mix(batch);
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
