// clip_store.h: the training clips' samples, decoded once and kept in memory as far as it is allowed, and on
// disk for the next run when a cache is given.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/disk_cache.h"
#include "data/dataset.h"
#include "earmark/error.h"
#include "earmark/waveform.h"

namespace earmark {

/// Runs `work` on a clip's sound; what cannot be worked on (Error kBadAudio) is thrown with the clip's name.
template <class Work>
auto naming_clip(const Clip& clip, const Work& work) {
  try {
    return work();
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kBadAudio) throw;
    throw Error(e.code(), "clip " + clip.id + ": " + e.what());
  }
}

struct ClipStoreOptions {
  int sample_rate_hz = 44100;
  bool mono = true;    ///< else two channels, a single one twice, as when tagging
  double max_s = 0.0;  ///< longer clips are cut; 0: never
  std::size_t memory_bytes = std::size_t{4} << 30;  ///< clips beyond it are read again at each use
  DiskCache* cache = nullptr;                       ///< decoded samples are kept there; outlives the store
};

/// Thread-safety: get() may be called from many threads at once.
class ClipStore {
 public:
  /// Decodes every clip, so that a bad one is found before an hour of training and not after.
  /// @param on_clip called with the number decoded so far.
  /// @throws Error(kBadDataset) naming every recording that does not decode.
  template <class OnClip>
  ClipStore(const std::vector<Clip>& clips, const ClipStoreOptions& options, const OnClip& on_clip)
      : clips_(clips), options_(options) {
    for (std::size_t i = 0; i < clips_.size(); ++i) {
      load(i);
      on_clip(i + 1);
    }
    finish();
  }

  std::size_t size() const { return clips_.size(); }
  /// Of the samples kept in memory.
  std::size_t used_bytes() const noexcept { return used_bytes_; }
  const Clip& clip(std::size_t index) const { return clips_[index]; }
  std::size_t n_samples(std::size_t index) const { return lengths_[index]; }
  std::shared_ptr<const Waveform> get(std::size_t index) const;
  /// All that a clip's samples depend on. @throws Error(kIo) when its file has gone.
  std::string key(std::size_t index) const;
  DiskCache* cache() const noexcept { return options_.cache; }

 private:
  void load(std::size_t index);
  void finish() const;
  Waveform read(std::size_t index) const;
  Waveform decode(std::size_t index) const;

  std::vector<Clip> clips_;
  ClipStoreOptions options_;
  std::vector<std::shared_ptr<const Waveform>> kept_;
  std::vector<std::size_t> lengths_;
  std::vector<std::string> problems_;
  std::size_t used_bytes_ = 0;
};

}  // namespace earmark
