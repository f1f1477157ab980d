#include "tagger/timeline.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace earmark {
namespace {

constexpr double kTouching_s = 1e-6;  // ends and starts are rounded to samples

bool earlier(const TagEvent& a, const TagEvent& b) {
  return std::tie(a.start_s, a.tag) < std::tie(b.start_s, b.tag);
}

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

void EventMerger::add(const SegmentScores& segment, std::vector<TagEvent>& out) {
  for (auto it = open_.begin(); it != open_.end();) {
    if (segment.start_s > it->second.end_s + kTouching_s) {
      closed_.push_back(it->second);
      it = open_.erase(it);
    } else {
      ++it;
    }
  }
  for (const std::size_t tag : select_tags(segment.scores, selection_)) {
    const auto [it, is_new] =
        open_.try_emplace(tag, TagEvent{tag, segment.start_s, segment.end_s, segment.scores[tag]});
    if (is_new) continue;
    it->second.end_s = std::max(it->second.end_s, segment.end_s);
    it->second.score = std::max(it->second.score, segment.scores[tag]);
  }
  release(out);
}

// What began before everything still open may go: nothing that comes can stand before it.
void EventMerger::release(std::vector<TagEvent>& out) {
  std::sort(closed_.begin(), closed_.end(), earlier);
  auto end = closed_.end();
  for (const auto& [tag, event] : open_) {
    end = std::min(end, std::lower_bound(closed_.begin(), closed_.end(), event, earlier));
  }
  out.insert(out.end(), closed_.begin(), end);
  closed_.erase(closed_.begin(), end);
}

void EventMerger::finish(std::vector<TagEvent>& out) {
  for (const auto& [tag, event] : open_) closed_.push_back(event);
  open_.clear();
  release(out);
}

}  // namespace earmark
