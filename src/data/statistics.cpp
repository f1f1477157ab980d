#include "data/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <set>
#include <span>

#include "audio/audio_monitor.h"
#include "audio/decode.h"
#include "audio/read_audio.h"
#include "core/parallel.h"
#include "data/clip_part.h"
#include "earmark/error.h"

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

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

Value value_of(const ClipTotal& total) {
  Value value;
  value.set("n_clips", static_cast<std::int64_t>(total.n_clips));
  value.set("hours", total.duration_s / 3600.0);
  return value;
}

// What decoding one file tells beyond its length.
struct Heard {
  std::vector<ClipSound> sounds;  // of its clips
  Fingerprint print;
};

double decibels(double amplitude) { return 20.0 * std::log10(amplitude); }

ClipSound sound_of_part(const Waveform& whole, const Clip& clip) {
  const auto [begin, end] = range_of(clip, whole.n_samples());
  double peak = 0.0, energy = 0.0;
  bool clipped = false;
  for (int c = 0; c < whole.n_channels; ++c) {
    const std::span<const float> samples = whole.channel(c).subspan(begin, end - begin);
    for (const float x : samples) {
      peak = std::max(peak, std::abs(static_cast<double>(x)));
      energy += static_cast<double>(x) * x;
    }
    AudioMonitor monitor(whole.sample_rate_hz, 1);
    monitor.push(samples);
    clipped = clipped || monitor.stats().n_clipped_runs > 0;
  }
  const auto n = static_cast<double>(
      std::max<std::size_t>(1, (end - begin) * static_cast<std::size_t>(whole.n_channels)));
  return {decibels(peak), decibels(std::sqrt(energy / n)), clipped,
          peak <= static_cast<double>(AudioMonitor::kSilentPeak)};
}

// Nothing where the recording has no sound at that rate.
Fingerprint print_of(const std::filesystem::path& path) {
  ReadOptions options;
  options.sample_rate_hz = kFingerprintRateHz;
  const Outcome<LoadedAudio> audio = read_audio(path, options);
  if (!audio) return {};
  try {
    return fingerprint(audio->waveform);
  } catch (const Error& error) {  // samples beyond every float once they are resampled
    if (error.code() != ErrorCode::kBadAudio) throw;
    return {};
  }
}

// @param clips of one file.
Heard hear(const Dataset& data, const std::vector<std::size_t>& clips) {
  const std::filesystem::path& path = data.clips[clips.front()].path;
  Heard heard;
  ReadOptions options;
  options.channels = ChannelMode::kKeep;
  if (const Outcome<LoadedAudio> audio = read_audio(path, options); audio) {
    for (const std::size_t i : clips) heard.sounds.push_back(sound_of_part(audio->waveform, data.clips[i]));
    heard.print = print_of(path);
  }
  heard.sounds.resize(clips.size(), {kUndefined, kUndefined, false, false});
  return heard;
}

// A file that two clips are excerpts of is no copy of itself, so files are compared. A pair tells the first
// clips of both.
std::vector<NearDuplicate> files_alike(const std::vector<std::vector<std::size_t>>& files,
                                       const std::vector<Heard>& heard) {
  std::vector<Fingerprint> prints;
  for (const Heard& file : heard) prints.push_back(file.print);
  std::vector<NearDuplicate> pairs = near_duplicates(prints);
  for (NearDuplicate& pair : pairs) {
    pair.first = files[pair.first].front();
    pair.second = files[pair.second].front();
  }
  return pairs;
}

void count_clip(const Clip& clip, double duration_s, DatasetStatistics& statistics) {
  add(statistics.total, duration_s);
  if (!clip.split.empty()) add(statistics.per_split[clip.split], duration_s);
  if (clip.fold > 0) add(statistics.per_fold[clip.fold], duration_s);
  std::vector<std::size_t>& of_split = statistics.per_split_tag[clip.split];
  of_split.resize(clip.targets.size());
  std::size_t n_tags = 0;
  for (std::size_t tag = 0; tag < clip.targets.size(); ++tag) {
    if (clip.targets[tag] < 0.5f) continue;
    ++n_tags;
    ++of_split[tag];
    add(statistics.per_tag[tag], duration_s);
  }
  ++statistics.cardinality[n_tags];
}

void summarize(const Dataset& data, const std::vector<Length>& lengths, DatasetStatistics& statistics) {
  statistics.per_tag.resize(data.tags.size());
  std::set<std::string> groups;
  std::vector<double> durations;
  for (std::size_t i = 0; i < data.clips.size(); ++i) {
    const Clip& clip = data.clips[i];
    const bool readable = lengths[i].problem.empty();
    if (!readable) statistics.unreadable.push_back(clip.id + ": " + lengths[i].problem);
    if (readable) durations.push_back(lengths[i].duration_s);
    statistics.durations_s.push_back(readable ? lengths[i].duration_s : kUndefined);
    if (lengths[i].sample_rate_hz > 0) ++statistics.sample_rates_hz[lengths[i].sample_rate_hz];
    groups.insert(clip.group.empty() ? "clip " + clip.id : "group " + clip.group);
    count_clip(clip, lengths[i].duration_s, statistics);
  }
  statistics.n_groups = groups.size();
  std::size_t n_tags = 0;
  for (const auto& [n, n_clips] : statistics.cardinality) n_tags += n * n_clips;
  statistics.tags_per_clip =
      static_cast<double>(n_tags) / static_cast<double>(std::max<std::size_t>(1, data.clips.size()));
  std::sort(durations.begin(), durations.end());
  if (durations.empty()) return;
  statistics.shortest_s = durations.front();
  statistics.median_s = durations[durations.size() / 2];
  statistics.longest_s = durations.back();
}

}  // namespace

std::size_t DatasetStatistics::n_clipped() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(sounds.begin(), sounds.end(), [](const ClipSound& sound) { return sound.clipped; }));
}

std::size_t DatasetStatistics::n_silent() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(sounds.begin(), sounds.end(), [](const ClipSound& sound) { return sound.silent; }));
}

DatasetStatistics dataset_statistics(const Dataset& data, const StatisticsOptions& options) {
  const std::vector<std::vector<std::size_t>> files = clips_by_file(data);
  std::vector<Length> lengths(data.clips.size());
  std::vector<Heard> heard(options.listen ? files.size() : 0);
  std::mutex mutex;
  std::size_t n_done = 0;
  DatasetStatistics statistics;
  statistics.complete = parallel_for(
      files.size(), options.n_threads,
      [&](std::size_t file, int) {
        const Length whole = length_of(data.clips[files[file].front()].path);
        for (const std::size_t i : files[file]) {
          lengths[i] = whole;
          lengths[i].duration_s *= data.clips[i].to - data.clips[i].from;
        }
        if (options.listen) heard[file] = hear(data, files[file]);
        const std::lock_guard lock(mutex);
        n_done += files[file].size();
        if (options.on_progress) options.on_progress(n_done);
      },
      options.stop);
  if (!statistics.complete) return statistics;
  summarize(data, lengths, statistics);
  statistics.listened = options.listen;
  if (!options.listen) return statistics;
  statistics.sounds.resize(data.clips.size());
  for (std::size_t file = 0; file < files.size(); ++file) {
    for (std::size_t k = 0; k < files[file].size(); ++k)
      statistics.sounds[files[file][k]] = heard[file].sounds[k];
  }
  statistics.near_duplicates = files_alike(files, heard);
  return statistics;
}

std::string near_duplicate_text(const Dataset& data, const NearDuplicate& pair) {
  const Clip &a = data.clips[pair.first], &b = data.clips[pair.second];
  std::string text = fmt::format("{} and {}: {:.1f} s in common, {:.0f} % alike", recording_of(a),
                                 recording_of(b), pair.shared_s, 100 * pair.similarity);
  if (a.split != b.split) text += fmt::format(", in the splits {} and {}", a.split, b.split);
  if (a.fold != b.fold) text += fmt::format(", in the folds {} and {}", a.fold, b.fold);
  return text;
}

namespace {

Value agreement_value(const Dataset& data) {
  Value tags{Value::Map()};
  for (std::size_t tag = 0; tag < data.tags.size(); ++tag) {
    const TagAgreement& agreement = data.agreement[tag];
    Value value;
    value.set("n_clips", static_cast<std::int64_t>(agreement.n_clips));
    value.set("n_any_yes", static_cast<std::int64_t>(agreement.n_any_yes));
    value.set("n_all_yes", static_cast<std::int64_t>(agreement.n_all_yes));
    value.set("pairs_alike", agreement.pairs_alike);
    tags.set(data.tags[tag], std::move(value));
  }
  return tags;
}

Value sound_value(const Dataset& data, const DatasetStatistics& statistics) {
  Value value, pairs{Value::List()}, clips{Value::Map()};
  for (const NearDuplicate& pair : statistics.near_duplicates) {
    Value entry;
    entry.set("first", std::string(recording_of(data.clips[pair.first])));
    entry.set("second", std::string(recording_of(data.clips[pair.second])));
    entry.set("offset_s", pair.offset_s);
    entry.set("shared_s", pair.shared_s);
    entry.set("similarity", pair.similarity);
    pairs.push_back(std::move(entry));
  }
  for (std::size_t i = 0; i < data.clips.size(); ++i) {
    Value clip;
    clip.set("peak_db", statistics.sounds[i].peak_db);
    clip.set("level_db", statistics.sounds[i].level_db);
    clip.set("clipped", statistics.sounds[i].clipped);
    clip.set("silent", statistics.sounds[i].silent);
    clips.set(data.clips[i].id, std::move(clip));
  }
  value.set("n_clipped", static_cast<std::int64_t>(statistics.n_clipped()));
  value.set("n_silent", static_cast<std::int64_t>(statistics.n_silent()));
  value.set("near_duplicates", std::move(pairs));
  value.set("clips", std::move(clips));
  return value;
}

}  // namespace

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
  Value cardinality{Value::Map()}, split_tags{Value::Map()};
  for (const auto& [n, n_clips] : statistics.cardinality)
    cardinality.set(std::to_string(n), static_cast<std::int64_t>(n_clips));
  value.set("cardinality", std::move(cardinality));
  for (const auto& [split, counts] : statistics.per_split_tag) {
    Value of_split{Value::Map()};
    for (std::size_t tag = 0; tag < counts.size(); ++tag)
      of_split.set(data.tags[tag], static_cast<std::int64_t>(counts[tag]));
    split_tags.set(split.empty() ? "(none)" : split, std::move(of_split));
  }
  value.set("per_split_tag", std::move(split_tags));
  if (!data.agreement.empty()) value.set("agreement", agreement_value(data));
  if (statistics.listened) value.set("sound", sound_value(data, statistics));
  return value;
}

}  // namespace earmark
