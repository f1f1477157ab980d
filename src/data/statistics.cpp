#include "data/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "audio/decode.h"
#include "core/parallel.h"

namespace earmark {
namespace {

struct Length {
  double duration_s = 0.0;
  int sample_rate_hz = 0;
  std::string problem;
};

Length length_of(const std::filesystem::path& path) {
  auto source = open_audio(path);
  if (!source) return {0.0, 0, source.failure().reason};
  const int rate = (*source)->sample_rate_hz();
  if (const auto declared = (*source)->n_samples_declared())
    return {static_cast<double>(*declared) / rate, rate, ""};
  std::vector<float> buffer(std::size_t{65536} * static_cast<std::size_t>((*source)->n_channels()));
  std::uint64_t n_samples = 0;
  for (;;) {
    const auto got = (*source)->read(buffer);
    if (!got) return {0.0, rate, got.failure().reason};
    if (*got == 0) return {static_cast<double>(n_samples) / rate, rate, ""};
    n_samples += *got;
  }
}

void add(ClipTotal& total, double duration_s) {
  ++total.n_clips;
  total.duration_s += duration_s;
}

Value value_of(const ClipTotal& total) {
  Value value;
  value.set("n_clips", static_cast<std::int64_t>(total.n_clips));
  value.set("hours", total.duration_s / 3600.0);
  return value;
}

}  // namespace

DatasetStatistics dataset_statistics(const Dataset& data, int n_threads, const std::atomic<bool>* stop,
                                     const std::function<void(std::size_t)>& on_progress) {
  std::vector<Length> lengths(data.clips.size());
  std::mutex mutex;
  std::size_t n_done = 0;
  DatasetStatistics statistics;
  statistics.complete = parallel_for(
      data.clips.size(), n_threads,
      [&](std::size_t i, int) {
        lengths[i] = length_of(data.clips[i].path);
        const std::lock_guard lock(mutex);
        if (++n_done; on_progress) on_progress(n_done);
      },
      stop);
  statistics.per_tag.resize(data.tags.size());
  std::set<std::string> groups;
  std::vector<double> durations;
  std::size_t n_tags = 0;
  for (std::size_t i = 0; i < data.clips.size(); ++i) {
    const Clip& clip = data.clips[i];
    const double duration_s = lengths[i].duration_s;
    if (!lengths[i].problem.empty()) statistics.unreadable.push_back(clip.id + ": " + lengths[i].problem);
    if (lengths[i].problem.empty()) durations.push_back(duration_s);
    if (lengths[i].sample_rate_hz > 0) ++statistics.sample_rates_hz[lengths[i].sample_rate_hz];
    add(statistics.total, duration_s);
    if (!clip.split.empty()) add(statistics.per_split[clip.split], duration_s);
    if (clip.fold > 0) add(statistics.per_fold[clip.fold], duration_s);
    groups.insert(clip.group.empty() ? "clip " + clip.id : "group " + clip.group);
    for (std::size_t tag = 0; tag < clip.targets.size(); ++tag) {
      if (clip.targets[tag] < 0.5f) continue;
      ++n_tags;
      add(statistics.per_tag[tag], duration_s);
    }
  }
  statistics.n_groups = groups.size();
  statistics.tags_per_clip =
      static_cast<double>(n_tags) / static_cast<double>(std::max<std::size_t>(1, data.clips.size()));
  std::sort(durations.begin(), durations.end());
  if (!durations.empty()) {
    statistics.shortest_s = durations.front();
    statistics.median_s = durations[durations.size() / 2];
    statistics.longest_s = durations.back();
  }
  return statistics;
}

Value to_value(const Dataset& data, const DatasetStatistics& statistics) {
  Value value, durations, tags{Value::Map()}, splits{Value::Map()}, folds{Value::Map()}, rates{Value::Map()};
  Value unreadable{Value::List()};
  durations.set("shortest", statistics.shortest_s);
  durations.set("median", statistics.median_s);
  durations.set("longest", statistics.longest_s);
  for (std::size_t tag = 0; tag < data.tags.size(); ++tag)
    tags.set(data.tags[tag], value_of(statistics.per_tag[tag]));
  for (const auto& [split, total] : statistics.per_split) splits.set(split, value_of(total));
  for (const auto& [fold, total] : statistics.per_fold) folds.set(std::to_string(fold), value_of(total));
  for (const auto& [rate, n] : statistics.sample_rates_hz)
    rates.set(std::to_string(rate), static_cast<std::int64_t>(n));
  for (const std::string& clip : statistics.unreadable) unreadable.push_back(clip);
  value.set("dataset", data.name);
  value.set("n_clips", static_cast<std::int64_t>(statistics.total.n_clips));
  value.set("n_tags", static_cast<std::int64_t>(data.tags.size()));
  value.set("n_groups", static_cast<std::int64_t>(statistics.n_groups));
  value.set("total_hours", statistics.total.duration_s / 3600.0);
  value.set("tags_per_clip", statistics.tags_per_clip);
  value.set("single_label", data.single_label);
  value.set("duration_s", std::move(durations));
  value.set("sample_rates_hz", std::move(rates));
  value.set("per_tag", std::move(tags));
  value.set("per_split", std::move(splits));
  value.set("per_fold", std::move(folds));
  value.set("unreadable", std::move(unreadable));
  return value;
}

}  // namespace earmark
