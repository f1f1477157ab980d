#include "tagger/timeline.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "earmark/error.h"

namespace earmark {
namespace {

// Starts and lengths are each rounded to samples, so neighbours may lie a sample apart: of 8 kHz, one and a
// half.
constexpr double kTouching_s = 1.5 / 8000.0;

}  // namespace

std::vector<std::size_t> select_tags(std::span<const float> scores, const Selection& selection) {
  std::vector<std::size_t> chosen;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    const bool passes =
        selection.thresholds.empty() || static_cast<double>(scores[k]) >= selection.thresholds[k];
    if (passes) chosen.push_back(k);
  }
  const auto larger = [&](std::size_t a, std::size_t b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  };
  const auto top_k = static_cast<std::size_t>(std::max(selection.top_k, 0));
  if (top_k == 0 || top_k >= chosen.size()) {
    std::sort(chosen.begin(), chosen.end(), larger);
  } else {
    std::partial_sort(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(top_k), chosen.end(),
                      larger);
    chosen.resize(top_k);
  }
  return chosen;
}

std::vector<SegmentScores> MedianFilter::add(const SegmentScores& segment) {
  window_.push_back(segment);
  if (window_.size() <= next_ + half_) return {};
  SegmentScores made = smoothed(next_);
  if (next_ == half_) {
    window_.pop_front();
  } else {
    ++next_;
  }
  std::vector<SegmentScores> out;
  out.push_back(std::move(made));
  return out;
}

std::vector<SegmentScores> MedianFilter::finish() {
  std::vector<SegmentScores> out;
  for (; next_ < window_.size(); ++next_) out.push_back(smoothed(next_));
  window_.clear();
  next_ = 0;
  return out;
}

SegmentScores MedianFilter::smoothed(std::size_t index) const {
  SegmentScores made = window_[index];
  if (half_ == 0) return made;
  std::vector<float> around(2 * half_ + 1);
  for (std::size_t tag = 0; tag < made.scores.size(); ++tag) {
    for (std::size_t i = 0; i < around.size(); ++i) {
      const std::size_t from = index + i < half_ ? 0 : std::min(index + i - half_, window_.size() - 1);
      around[i] = window_[from].scores[tag];
    }
    const auto middle = around.begin() + static_cast<std::ptrdiff_t>(half_);
    std::nth_element(around.begin(), middle, around.end());
    made.scores[tag] = *middle;
  }
  return made;
}

EventMerger::EventMerger(Selection selection, const EventOptions& options)
    : selection_(std::move(selection)), options_(options), median_(options.median) {
  if (auto problems = options.problems(); !problems.empty())
    throw Error(ErrorCode::kInvalidOption, "events cannot be made this way:", std::move(problems));
}

void EventMerger::add(const SegmentScores& segment, std::vector<TagEvent>& out) {
  for (const SegmentScores& smoothed : median_.add(segment)) decide(smoothed);
  release(out);
}

void EventMerger::finish(std::vector<TagEvent>& out) {
  for (const SegmentScores& smoothed : median_.finish()) decide(smoothed);
  for (const auto& [tag, event] : open_) close(event);
  open_.clear();
  present_.clear();
  release(out);
}

// Where a segment comes that is too far behind an event, the event is over.
void EventMerger::close_before(double start_s) {
  const double min_gap_s = options_.min_gap_s;
  for (auto it = open_.begin(); it != open_.end();) {
    const double end_s = it->second.end_s;
    if (start_s > end_s + kTouching_s && !(start_s < end_s + min_gap_s - kTouching_s)) {
      close(it->second);
      it = open_.erase(it);
    } else {
      ++it;
    }
  }
}

void EventMerger::close(const TagEvent& event) {
  if (event.end_s - event.start_s >= options_.min_duration_s - kTouching_s) closed_.insert(event);
}

// A tag that was present in the segment before, and could go on from there, need not reach its threshold.
std::vector<std::size_t> EventMerger::present_tags(const SegmentScores& segment) {
  if (options_.hysteresis == 0.0 || selection_.thresholds.empty())
    return select_tags(segment.scores, selection_);
  Selection relaxed = selection_;
  if (segment.start_s <= present_end_s_ + kTouching_s) {
    for (const std::size_t tag : present_) relaxed.thresholds[tag] *= 1.0 - options_.hysteresis;
  }
  present_ = select_tags(segment.scores, relaxed);
  present_end_s_ = segment.end_s;
  return present_;
}

void EventMerger::decide(const SegmentScores& segment) {
  now_s_ = segment.start_s;
  close_before(segment.start_s);
  for (const std::size_t tag : present_tags(segment)) {
    const auto [it, is_new] =
        open_.try_emplace(tag, TagEvent{tag, segment.start_s, segment.end_s, segment.scores[tag]});
    if (is_new) continue;
    it->second.end_s = std::max(it->second.end_s, segment.end_s);
    it->second.score = std::max(it->second.score, segment.scores[tag]);
  }
}

bool EventMerger::Earlier::operator()(const TagEvent& a, const TagEvent& b) const {
  return std::tie(a.start_s, a.tag) < std::tie(b.start_s, b.tag);
}

// What began before everything still open may go: nothing that comes can stand before it.
void EventMerger::release(std::vector<TagEvent>& out) {
  if (closed_.empty()) return;
  const TagEvent* first = nullptr;
  for (const auto& [tag, event] : open_) {
    const bool waited_for = event.start_s >= now_s_ - max_wait_s_;
    if (waited_for && (first == nullptr || Earlier()(event, *first))) first = &event;
  }
  const auto end = first == nullptr ? closed_.end() : closed_.lower_bound(*first);
  out.insert(out.end(), closed_.begin(), end);
  closed_.erase(closed_.begin(), end);
}

}  // namespace earmark
