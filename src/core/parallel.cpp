#include "core/parallel.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace earmark {

int worker_count(int n_threads, std::size_t n) noexcept {
  const std::size_t wanted =
      n_threads > 0 ? static_cast<std::size_t>(n_threads) : std::max(1U, std::thread::hardware_concurrency());
  return static_cast<int>(std::clamp<std::size_t>(std::min(wanted, n), 1, 1024));
}

bool parallel_for(std::size_t n, int n_threads, const std::function<void(std::size_t, int)>& work,
                  const std::atomic<bool>* stop) {
  std::atomic<std::size_t> next{0}, done{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::mutex mutex;
  const auto run = [&](int worker) {
    while (!failed && (stop == nullptr || !*stop)) {
      const std::size_t index = next++;
      if (index >= n) return;
      try {
        work(index, worker);
        ++done;
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
  };
  std::vector<std::jthread> threads;
  for (int worker = 1; worker < worker_count(n_threads, n); ++worker) threads.emplace_back(run, worker);
  run(0);
  threads.clear();
  if (error) std::rethrow_exception(error);
  return done == n;
}

}  // namespace earmark
