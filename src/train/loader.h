// loader.h: batches made ahead of the network by worker threads, handed out in order. Which clips stand in
// batch i, and how each was changed, is a pure function of i: a resumed run meets the same batches.
#pragma once
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "train/examples.h"

namespace earmark {

class Loader {
 public:
  /// Starts `n_workers` threads making batches first, first + 1, ... last - 1. Keeps the references.
  Loader(const ExampleMaker& maker, const BatchOrder& order, long first, long last, int n_workers);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch in order; waits for it. A worker's exception is thrown here.
  Batch next();

 private:
  Batch make(long iteration) const;
  void work();

  const ExampleMaker& maker_;
  const BatchOrder& order_;
  const long last_;
  const long lookahead_;
  std::mutex mutex_;
  std::condition_variable made_, wanted_;
  std::map<long, Batch> ready_;
  std::map<long, std::exception_ptr> failed_;
  long next_to_make_;
  long next_to_give_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace earmark
