#include "data/event_library.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "audio/read_audio.h"
#include "core/file.h"
#include "core/value.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr float kSilence = 1e-3f;  // against the peak of the recording

/// The one tag that says what a clip is, or nothing when it is none or several.
std::optional<std::size_t> only_tag(const Dataset& data, const Clip& clip) {
  std::optional<std::size_t> only;
  for (std::size_t tag = 0; tag < clip.targets.size(); ++tag) {
    if (!is_known(clip.targets[tag]) || clip.targets[tag] < 0.5f) continue;
    const bool upper = !data.parents.empty() && data.parents[tag] < 0;
    if (upper) continue;
    if (only) return std::nullopt;
    only = tag;
  }
  return only;
}

/// Deals groups out to parts: each part gets its share of the groups of every tag, and one at least.
class Dealer {
 public:
  Dealer(std::vector<double> shares, std::uint64_t seed) : shares_(std::move(shares)), seed_(seed) {}

  /// @returns the part of each group, those dealt before staying where they are.
  const std::map<std::string, std::size_t>& deal(const std::string& tag,
                                                 const std::set<std::string>& groups) {
    std::vector<std::string> open;
    std::vector<std::size_t> n_in(shares_.size(), 0);
    for (const std::string& group : groups) {
      const auto dealt = part_of_.find(group);
      if (dealt == part_of_.end()) {
        open.push_back(group);
      } else {
        ++n_in[dealt->second];
      }
    }
    Rng rng(seed_, "event library", 0, fnv1a(tag));
    rng.shuffle(std::span<std::string>(open));
    for (const std::string& group : open) {
      const std::size_t part = neediest(n_in, groups.size());
      part_of_[group] = part;
      ++n_in[part];
    }
    return part_of_;
  }

 private:
  // The first part that has nothing yet; after that the one that lacks most of its share.
  std::size_t neediest(const std::vector<std::size_t>& n_in, std::size_t n) const {
    std::size_t best = 0;
    double most = -1e9;
    for (std::size_t part = 0; part < shares_.size(); ++part) {
      if (shares_[part] <= 0.0) continue;
      if (n_in[part] == 0) return part;
      const double lack = shares_[part] * static_cast<double>(n) - static_cast<double>(n_in[part]);
      if (lack > most) {
        most = lack;
        best = part;
      }
    }
    return best;
  }

  std::vector<double> shares_;
  std::uint64_t seed_;
  std::map<std::string, std::size_t> part_of_;
};

void check_map(const Dataset& data, const TagMap& map) {
  std::vector<std::string> problems;
  for (const auto& [from, to] : map) {
    if (!data.tag_index(from))
      problems.push_back(fmt::format("events map: the data set {} has no tag '{}'", data.name, from));
  }
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "the event library cannot be used this way:", problems);
}

}  // namespace

TagMap read_tag_map(const std::filesystem::path& path, const std::vector<std::string>& allowed) {
  const Value root = parse_yaml(read_text(path, std::size_t{1} << 24), path.string());
  TagMap map;
  std::vector<std::string> problems;
  const auto problem = [&](const Value& at, const std::string& what) {
    problems.push_back(fmt::format("{}:{}: {}", path.string(), at.line, what));
  };
  if (!root.is_map() || root.as_map().empty()) {
    problem(root, fmt::format("must be a map from tag to tag, got {}", root.describe()));
  } else {
    for (const auto& [from, to] : root.as_map()) {
      if (!to.is_string() || to.as_string().empty()) {
        problem(to, fmt::format("{}: must be the name of a tag, got {}", from, to.describe()));
      } else if (!allowed.empty() &&
                 std::find(allowed.begin(), allowed.end(), to.as_string()) == allowed.end()) {
        problem(to, fmt::format("{}: must be one of {}, got '{}'", from, fmt::join(allowed, ", "),
                                to.as_string()));
      } else {
        map[from] = to.as_string();
      }
    }
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadFile, path.string() + " is no map of tags", problems);
  return map;
}

EventLibrary::EventLibrary(const Dataset& data, const TagMap& map, std::vector<double> shares,
                           std::uint64_t seed) {
  check_map(data, map);
  std::map<std::string, std::vector<const Clip*>> clips;
  for (const Clip& clip : data.clips) {
    const auto tag = only_tag(data, clip);
    if (!tag) continue;
    const auto mapped = map.find(data.tags[*tag]);
    if (!map.empty() && mapped == map.end()) continue;
    clips[map.empty() ? data.tags[*tag] : mapped->second].push_back(&clip);
  }
  if (clips.empty()) {
    throw Error(ErrorCode::kBadDataset,
                fmt::format("data set {}: no clip has exactly one tag{}: nothing to make events of",
                            data.name, map.empty() ? "" : " that the map names"));
  }
  const std::size_t n_parts = shares.size();
  Dealer dealer(std::move(shares), seed);
  const auto group_of = [](const Clip& clip) { return clip.group.empty() ? clip.id : clip.group; };
  for (const auto& [tag, members] : clips) {
    std::set<std::string> groups;
    for (const Clip* clip : members) groups.insert(group_of(*clip));
    const auto& part_of = dealer.deal(tag, groups);
    auto& parts = by_tag_[tag];
    parts.resize(n_parts);
    for (const Clip* clip : members) {
      parts[part_of.at(group_of(*clip))].push_back(clips_.size());
      clips_.push_back(*clip);
    }
  }
}

std::vector<std::string> EventLibrary::tags() const {
  std::vector<std::string> tags;
  for (const auto& [tag, parts] : by_tag_) tags.push_back(tag);
  return tags;
}

bool EventLibrary::has(const std::string& tag, std::size_t part) const noexcept {
  const auto found = by_tag_.find(tag);
  return found != by_tag_.end() && part < found->second.size() && !found->second[part].empty();
}

std::size_t EventLibrary::draw(const std::string& tag, std::size_t part, Rng& rng) const {
  const auto& numbers = by_tag_.at(tag).at(part);
  return numbers[rng.below(numbers.size())];
}

std::vector<float> read_event(const Clip& clip, double longest_s, int sample_rate_hz, Rng& rng) {
  ReadOptions options;
  options.sample_rate_hz = sample_rate_hz;
  const auto audio = read_audio(clip.path, options);
  if (!audio) {
    throw Error(ErrorCode::kBadDataset, fmt::format("{}: {}; `earmark data check` looks at all recordings",
                                                    clip.path.string(), audio.failure().detail));
  }
  std::span<const float> samples = audio->waveform.channel(0);
  const auto n = static_cast<double>(samples.size());
  const auto begin = static_cast<std::size_t>(clip.from * n);
  samples = samples.subspan(begin, std::min(samples.size(), static_cast<std::size_t>(clip.to * n)) - begin);
  float peak = 0.0f;
  for (const float x : samples) {
    if (!std::isfinite(x)) {
      throw Error(ErrorCode::kBadDataset,
                  fmt::format("{}: holds samples that are no numbers", clip.path.string()));
    }
    peak = std::max(peak, std::fabs(x));
  }
  const auto sounds = [&](float x) { return std::fabs(x) > kSilence * peak; };
  const auto first = std::find_if(samples.begin(), samples.end(), sounds);
  const auto last = std::find_if(samples.rbegin(), samples.rend(), sounds).base();
  if (first >= last) return {};
  const auto n_sounding = static_cast<std::size_t>(last - first);
  const std::size_t n_taken = std::min(n_sounding, static_cast<std::size_t>(longest_s * sample_rate_hz));
  const auto from = first + static_cast<std::ptrdiff_t>(rng.below(n_sounding - n_taken + 1));
  return {from, from + static_cast<std::ptrdiff_t>(n_taken)};
}

}  // namespace earmark
