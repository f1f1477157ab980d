// audio_source.h: decoded sound as a stream, whatever it came from.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "earmark/error.h"

namespace earmark {

/// Not thread-safe: one reader. Memory does not grow with the length of the stream.
class AudioSource {
 public:
  virtual ~AudioSource() = default;

  virtual int sample_rate_hz() const = 0;
  virtual int n_channels() const = 0;
  /// Samples of one channel as the header tells, where it does: possibly more than there are.
  virtual std::optional<std::uint64_t> n_samples_declared() const = 0;
  /// Short name of what is decoded and by what, e.g. "wav pcm_s16le", "ogg vorbis (libsndfile)".
  virtual std::string description() const = 0;
  /// Bits of the integers that the samples are, at most 32; 0: floating-point, lossy or mixed from others.
  virtual int n_bits() const { return 0; }

  /// Fills whole sample positions (all channels of one instant) and blocks until at least one is there.
  /// @param interleaved [n, n_channels], n >= 1.
  /// @return samples of one channel written, 0 at the end. After a Failure the source is at its end.
  virtual Outcome<std::size_t> read(std::span<float> interleaved) = 0;

  /// What is odd about the sound so far, complete at the end; each "word: sentence", the words are listed
  /// in decode.h.
  virtual std::vector<std::string> warnings() const = 0;
};

/// Passes on what another source gives; what is derived from it changes what it must.
class ForwardingSource : public AudioSource {
 public:
  explicit ForwardingSource(std::unique_ptr<AudioSource> inner) : inner_(std::move(inner)) {}

  int sample_rate_hz() const override { return inner_->sample_rate_hz(); }
  int n_channels() const override { return inner_->n_channels(); }
  std::optional<std::uint64_t> n_samples_declared() const override { return inner_->n_samples_declared(); }
  std::string description() const override { return inner_->description(); }
  int n_bits() const override { return inner_->n_bits(); }
  Outcome<std::size_t> read(std::span<float> interleaved) override { return inner_->read(interleaved); }
  std::vector<std::string> warnings() const override { return inner_->warnings(); }

 protected:
  AudioSource& inner() const { return *inner_; }
  void replace(std::unique_ptr<AudioSource> inner) { inner_ = std::move(inner); }

 private:
  std::unique_ptr<AudioSource> inner_;
};

}  // namespace earmark
