#include "tagger/ordered_results.h"

#include <algorithm>
#include <utility>

namespace earmark {

void OrderedResults::add(std::size_t index, SegmentScores&& segment, bool live) {
  std::unique_lock lock(mutex_);
  State& state = states_[index];
  const std::size_t bytes =
      sizeof(SegmentScores) + (segment.scores.size() + segment.embedding.size()) * sizeof(float);
  if (!state.streaming && !live && state.bytes + bytes <= kBufferedBytes) {
    state.bytes += bytes;
    waiting_bytes_ += bytes;
    state.buffered.push_back(std::move(segment));
    return;
  }
  if (wait_for_turn(index, lock)) sink_.segment(index, segment);
}

void OrderedResults::gap(std::size_t index, const StreamGap& gap) {
  std::unique_lock lock(mutex_);
  if (wait_for_turn(index, lock)) sink_.gap(index, gap);
}

void OrderedResults::clock(std::size_t index, const ClockAnchor& clock) {
  std::unique_lock lock(mutex_);
  states_[index].streaming = true;
  changed_.wait(lock, [&] { return head_ == index || index >= abandoned_from_; });
  if (index < abandoned_from_) sink_.clock(index, clock);
}

bool OrderedResults::wait_for_turn(std::size_t index, std::unique_lock<std::mutex>& lock) {
  states_[index].streaming = true;
  changed_.wait(lock, [&] { return head_ == index || index >= abandoned_from_; });
  if (index >= abandoned_from_) return false;
  flush(index);
  return true;
}

void OrderedResults::finish(std::size_t index, LedgerEntry entry) {
  std::unique_lock lock(mutex_);
  states_[index].finished = true;
  states_[index].entry = std::move(entry);
  while (head_ < std::min(states_.size(), abandoned_from_) && states_[head_].finished) {
    tell(head_);
    ++head_;
  }
  changed_.notify_all();
  // The thread of the recording whose turn it is never comes here, so it frees this one.
  changed_.wait(lock,
                [&] { return waiting_bytes_ <= kWaitingBytes || index < head_ || index >= abandoned_from_; });
}

void OrderedResults::flush(std::size_t index) {
  State& state = states_[index];
  if (!std::exchange(state.begun, true)) sink_.begin(index);
  for (const SegmentScores& segment : state.buffered) sink_.segment(index, segment);
  state.buffered = {};
  waiting_bytes_ -= std::exchange(state.bytes, 0);
}

void OrderedResults::tell(std::size_t index) {
  State& state = states_[index];
  if (state.entry.status != InputStatus::kOk && !state.streaming) {  // it leaves nothing behind
    state.buffered = {};
    waiting_bytes_ -= std::exchange(state.bytes, 0);
  }
  flush(index);
  sink_.end(index, state.entry);
  state.entry = {};
}

void OrderedResults::abandon(std::size_t index) {
  const std::lock_guard lock(mutex_);
  abandoned_from_ = std::min(abandoned_from_, index);
  changed_.notify_all();
}

std::size_t OrderedResults::n_told() {
  const std::lock_guard lock(mutex_);
  return head_;
}

}  // namespace earmark
