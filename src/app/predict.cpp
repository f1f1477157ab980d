#include "app/predict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <utility>

#include "audio/read_audio.h"
#include "core/parallel.h"
#include "data/clip_metadata.h"
#include "data/clip_part.h"
#include "data/truth.h"
#include "earmark/error.h"
#include "tagger/recording.h"
#include "tagger/scorer.h"

namespace earmark {
namespace {

/// A bundle and where its scores go among the data set's tags.
struct Member {
  std::unique_ptr<Scorer> scorer;
  std::vector<std::size_t> column;  ///< [n_tags of the bundle]
};

Member load_member(const std::filesystem::path& path, const Dataset& data, const PredictRequest& request) {
  Bundle bundle = read_bundle(path);
  if (!request.calibrated) bundle.calibration.reset();
  Member member;
  std::vector<std::string> problems;
  for (const std::string& tag : bundle.tags) {
    const auto index = data.tag_index(tag);
    if (!index) problems.push_back(fmt::format("tag '{}' of the bundle is none of the data set's", tag));
    member.column.push_back(index.value_or(0));
  }
  for (const std::string& tag : data.tags) {
    if (!request.tags_may_lack &&
        std::find(bundle.tags.begin(), bundle.tags.end(), tag) == bundle.tags.end()) {
      problems.push_back(fmt::format("tag '{}' of the data set is none of the bundle's", tag));
    }
  }
  if (!problems.empty()) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("{} does not answer for the tags of data set {}:", path.string(), data.name),
                problems);
  }
  member.scorer = std::make_unique<Scorer>(std::move(bundle), make_network_by(request.engine));
  return member;
}

// Columns of all networks of a bundle.
Metadata metadata_of(const Clip& clip, const Scorer& scorer) {
  Metadata values;
  for (const BundledNetwork& network : scorer.bundle().networks)
    values.merge(metadata_values(clip, network.front_end.metadata));
  return values;
}

// Of the whole clip, or the mean over its segments.
std::vector<double> scores_of(const Waveform& clip, double segment_s, const Scorer& scorer,
                              const Metadata& metadata, Scorer::Workspace& workspace) {
  const std::size_t n = clip.n_samples();
  const double wanted = segment_s * clip.sample_rate_hz;
  if (!(wanted > 0.0 && wanted < static_cast<double>(n))) {
    const std::vector<float> scores = scorer.scores(clip, workspace, metadata);
    return {scores.begin(), scores.end()};
  }
  const std::size_t length = std::max<std::size_t>(1, static_cast<std::size_t>(wanted + 0.5));
  std::vector<double> mean(scorer.bundle().tags.size(), 0.0);
  const std::size_t n_segments = (n + length - 1) / length;
  for (std::size_t i = 0; i < n_segments; ++i) {
    const std::size_t begin = std::min(i * length, n - length);
    const std::vector<float> scores =
        scorer.scores(stretch_of(clip, begin, begin + length), workspace, metadata);
    for (std::size_t k = 0; k < scores.size(); ++k)
      mean[k] += static_cast<double>(scores[k]) / static_cast<double>(n_segments);
  }
  return mean;
}

/// The recording as each bundle wants it, decoded once for all that want the same.
Outcome<std::vector<double>> score_clip(const Clip& clip, const std::vector<Member>& members,
                                        double segment_s, std::size_t n_tags, Scorer::Workspace& workspace) {
  std::vector<double> total(n_tags, 0.0);
  workspace.unverified = !clip.verified && (clip.split.empty() || clip.split == "train");
  std::map<std::pair<int, bool>, Waveform> heard;  // by rate, and whether in mono
  for (const Member& member : members) {
    const Scorer& scorer = *member.scorer;
    auto [found, is_new] = heard.try_emplace({scorer.sample_rate_hz(), scorer.mono()});
    if (is_new) {
      ReadOptions read;
      read.sample_rate_hz = scorer.sample_rate_hz();
      read.channels = scorer.mono() ? ChannelMode::kMono : ChannelMode::kStereo;
      auto loaded = read_audio(clip.path, read);
      if (!loaded) return loaded.failure();
      found->second = part_of(std::move(loaded->waveform), clip);
    }
    try {
      const std::vector<double> scores =
          scores_of(found->second, segment_s, scorer, metadata_of(clip, scorer), workspace);
      for (std::size_t k = 0; k < scores.size(); ++k) total[member.column[k]] += scores[k];
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kBadAudio) throw;
      return unfit_samples(e, found->second);
    }
  }
  for (double& score : total) score /= static_cast<double>(members.size());
  return total;
}

Outcome<std::vector<double>> score_or_fail(const Clip& clip, const std::vector<Member>& members,
                                           double segment_s, std::size_t n_tags,
                                           Scorer::Workspace& workspace) {
  try {
    return score_clip(clip, members, segment_s, n_tags, workspace);
  } catch (const std::bad_alloc&) {
    return Failure{"out_of_memory", "the recording does not fit into memory whole"};
  }
}

// The tags that are told: those answered for, and the ones above them, which have the largest score of their
// members.
std::vector<std::size_t> with_parents(const Dataset& data, const std::vector<std::size_t>& answered) {
  std::set<std::size_t> told(answered.begin(), answered.end());
  for (const std::size_t tag : answered) {
    const int parent = data.parents.empty() ? -1 : data.parents[tag];
    if (parent >= 0) told.insert(static_cast<std::size_t>(parent));
  }
  return {told.begin(), told.end()};
}

std::vector<Member> load_members(const Dataset& data, const PredictRequest& request) {
  std::vector<Member> members;
  std::vector<std::string> problems;
  std::vector<std::size_t> of_first;
  for (const std::filesystem::path& path : request.bundles) {
    members.push_back(load_member(path, data, request));
    std::vector<std::size_t> columns = members.back().column;
    std::sort(columns.begin(), columns.end());
    if (members.size() == 1) of_first = columns;
    if (columns != of_first)
      problems.push_back(
          fmt::format("{} answers for other tags than {}", path.string(), request.bundles.front().string()));
  }
  if (members.empty()) problems.emplace_back("at least one bundle is needed, got none");
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "model: the bundles cannot be used together", problems);
  return members;
}

}  // namespace

PredictResult predict(const Dataset& data, const std::vector<std::size_t>& clips,
                      const PredictRequest& request) {
  const std::vector<Member> members = load_members(data, request);
  std::vector<std::size_t> columns = members.front().column;  // of the data set, in its order
  std::sort(columns.begin(), columns.end());
  const std::vector<std::size_t> told = with_parents(data, columns);
  PredictResult result;
  for (const std::size_t tag : told) result.table.tags.push_back(data.tags[tag]);
  std::vector<std::vector<double>> scores(clips.size());
  std::vector<std::string> failures(clips.size());
  std::vector<char> without_sound(clips.size(), 0);
  std::vector<Scorer::Workspace> workspaces(
      static_cast<std::size_t>(worker_count(request.threads, clips.size())));
  std::mutex mutex;
  std::size_t n_done = 0;
  const auto work = [&](std::size_t i, int worker) {
    const Clip& clip = data.clips[clips[i]];
    auto scored = score_or_fail(clip, members, request.segment_s, data.tags.size(),
                                workspaces[static_cast<std::size_t>(worker)]);
    if (scored) {
      scores[i] = std::move(*scored);
    } else if (data.single_label && scored.failure().reason == "no_samples") {
      scores[i].assign(data.tags.size(), 1.0 / static_cast<double>(columns.size()));
      without_sound[i] = 1;
    } else {
      failures[i] =
          fmt::format("{}: {}: {}", clip.path.string(), scored.failure().reason, scored.failure().detail);
    }
    const std::lock_guard lock(mutex);
    ++n_done;
    if (request.on_progress) request.on_progress(n_done);
  };
  result.finished = parallel_for(clips.size(), request.threads, work, request.stop);
  for (std::size_t i = 0; result.finished && i < clips.size(); ++i) {
    if (!failures[i].empty()) {
      result.failed.push_back(failures[i]);
      continue;
    }
    if (without_sound[i] != 0) result.without_sound.push_back(data.clips[clips[i]].path.string());
    result.table.clip_ids.push_back(data.clips[clips[i]].id);
    std::vector<float> answered;
    for (const std::size_t column : columns) answered.push_back(static_cast<float>(scores[i][column]));
    const std::vector<float> all = scores_of_all_tags(data, columns, answered);
    for (const std::size_t tag : told) result.table.scores.push_back(all[tag]);
  }
  return result;
}

}  // namespace earmark
