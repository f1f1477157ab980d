#include "train/clip_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "audio/read_audio.h"
#include "core/machine.h"
#include "data/clip_part.h"
#include "earmark/error.h"

namespace earmark {
namespace {

// Raised whenever the same file would give other samples than before.
constexpr int kSamplesRevision = 1;

}  // namespace

std::string ClipStore::key(std::size_t index) const {
  const Clip& clip = clips_[index];
  return fmt::format("samples {}\n{}\n{} Hz, {} channels, at most {} s, part {} to {}\n{}", kSamplesRevision,
                     file_identity(clip.path), options_.sample_rate_hz, options_.mono ? 1 : 2, options_.max_s,
                     clip.from, clip.to, instruction_sets());
}

// As decode() gives it, from the cache when it is there.
Waveform ClipStore::read(std::size_t index) const {
  if (options_.cache == nullptr) return decode(index);
  const int n_channels = options_.mono ? 1 : 2;
  std::string name;
  try {
    name = key(index);
  } catch (const Error&) {
    return decode(index);  // which says what is wrong with the file
  }
  if (const auto stored = options_.cache->get(name)) {
    auto samples = floats_of(*stored);
    if (samples && !samples->empty() && samples->size() % static_cast<std::size_t>(n_channels) == 0)
      return {options_.sample_rate_hz, n_channels, std::move(*samples)};
  }
  Waveform waveform = decode(index);
  if (waveform.n_channels == n_channels) options_.cache->put(name, as_cache_bytes(waveform.samples));
  return waveform;
}

Waveform ClipStore::decode(std::size_t index) const {
  ReadOptions read;
  read.sample_rate_hz = options_.sample_rate_hz;
  read.channels = options_.mono ? ChannelMode::kMono : ChannelMode::kStereo;
  read.max_s = options_.max_s;
  Outcome<LoadedAudio> audio = read_audio(clips_[index].path, read);
  if (!audio) {
    throw Error(ErrorCode::kBadAudio, fmt::format("{}: {} ({})", clips_[index].path.string(),
                                                  audio.failure().detail, audio.failure().reason));
  }
  return part_of(std::move(audio->waveform), clips_[index]);
}

void ClipStore::load(std::size_t index) {
  kept_.emplace_back();
  lengths_.push_back(0);
  try {
    auto waveform = std::make_shared<const Waveform>(read(index));
    lengths_.back() = waveform->n_samples();
    const std::size_t bytes = waveform->samples.size() * sizeof(float);
    if (used_bytes_ + bytes > options_.memory_bytes) return;
    used_bytes_ += bytes;
    kept_.back() = std::move(waveform);
  } catch (const Error& e) {
    problems_.push_back(e.what());
  }
}

void ClipStore::finish() const {
  if (problems_.empty()) return;
  throw Error(ErrorCode::kBadDataset,
              fmt::format("{} of {} recordings cannot be trained on; mend or remove them:", problems_.size(),
                          clips_.size()),
              problems_);
}

std::shared_ptr<const Waveform> ClipStore::get(std::size_t index) const {
  if (kept_[index]) return kept_[index];
  return std::make_shared<const Waveform>(read(index));
}

}  // namespace earmark
