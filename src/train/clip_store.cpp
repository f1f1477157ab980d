#include "train/clip_store.h"

#include <fmt/format.h>

#include "audio/read_audio.h"
#include "earmark/error.h"

namespace earmark {

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
  return std::move(audio->waveform);
}

void ClipStore::load(std::size_t index) {
  kept_.emplace_back();
  lengths_.push_back(0);
  try {
    auto waveform = std::make_shared<const Waveform>(decode(index));
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
  return std::make_shared<const Waveform>(decode(index));
}

}  // namespace earmark
