// parallel.h: one call for every index, on several threads.
#pragma once
#include <atomic>
#include <cstddef>
#include <functional>

namespace earmark {

/// Calls work(index, worker) for every index below `n`, each once, in ascending order of begin. `worker` is
/// below n_threads and no two calls of one worker overlap: buffers may be kept for each.
/// @param n_threads 0: one for each core. With 1 everything runs on the caller's thread.
/// @param stop when true, no further index is begun.
/// @return whether every index was worked on. The first exception thrown ends the work and is rethrown.
bool parallel_for(std::size_t n, int n_threads,
                  const std::function<void(std::size_t index, int worker)>& work,
                  const std::atomic<bool>* stop = nullptr);

/// `n_threads`, or the number of cores for 0; never more than `n` and never less than 1.
int worker_count(int n_threads, std::size_t n) noexcept;

}  // namespace earmark
