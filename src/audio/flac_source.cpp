#include "audio/flac_source.h"

#include <FLAC/stream_decoder.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "audio/decode.h"

namespace earmark {
namespace {

class FlacSource : public AudioSource {
 public:
  explicit FlacSource(std::unique_ptr<ByteSource> bytes)
      : bytes_(std::move(bytes)), decoder_(FLAC__stream_decoder_new(), &FLAC__stream_decoder_delete) {}

  std::optional<Failure> begin() {
    const bool ready = decoder_ != nullptr &&
                       FLAC__stream_decoder_init_stream(decoder_.get(), &FlacSource::give_bytes, nullptr,
                                                        nullptr, nullptr, nullptr, &FlacSource::take_frame,
                                                        &FlacSource::take_metadata, &FlacSource::take_error,
                                                        this) == FLAC__STREAM_DECODER_INIT_STATUS_OK;
    if (!ready) return Failure{"decoder_error", "libFLAC cannot be started"};
    const bool read = FLAC__stream_decoder_process_until_end_of_metadata(decoder_.get()) != 0;
    if (failure_) return failure_;
    if (!read || info_.sample_rate == 0)
      return Failure{"damaged_header", "FLAC without its stream information"};
    if (info_.channels > static_cast<unsigned>(kMaxChannels))
      return Failure{"too_many_channels",
                     fmt::format("{} channels; at most {} are read", info_.channels, kMaxChannels)};
    if (info_.sample_rate < static_cast<unsigned>(kMinSampleRateHz) ||
        info_.sample_rate > static_cast<unsigned>(kMaxSampleRateHz))
      return Failure{"bad_sample_rate", fmt::format("{} Hz; from {} to {} are read", info_.sample_rate,
                                                    kMinSampleRateHz, kMaxSampleRateHz)};
    return std::nullopt;
  }

  int sample_rate_hz() const override { return static_cast<int>(info_.sample_rate); }
  int n_channels() const override { return static_cast<int>(info_.channels); }
  std::optional<std::uint64_t> n_samples_declared() const override {
    return info_.total_samples > 0 ? std::optional<std::uint64_t>(info_.total_samples) : std::nullopt;
  }
  std::string description() const override {
    return fmt::format("FLAC, {} bit (libFLAC)", info_.bits_per_sample);
  }
  int n_bits() const override { return static_cast<int>(info_.bits_per_sample); }

  Outcome<std::size_t> read(std::span<float> interleaved) override {
    const std::size_t channels = info_.channels;
    while (n_taken_ == ready_.size()) {
      ready_.clear();
      n_taken_ = 0;
      if (!decode()) return end();
    }
    const std::size_t n = std::min(interleaved.size(), ready_.size() - n_taken_) / channels;
    std::copy_n(ready_.begin() + static_cast<std::ptrdiff_t>(n_taken_), n * channels, interleaved.begin());
    n_taken_ += n * channels;
    return n;
  }

  std::vector<std::string> warnings() const override {
    std::vector<std::string> warnings;
    if (ended_ && n_samples_ < info_.total_samples) {
      warnings.push_back(fmt::format("truncated: the header tells {} samples, there are {}",
                                     info_.total_samples, n_samples_));
    }
    // What a file that is cut off ends with is no damage of its own.
    const bool torn = ended_ && in_damage_ && n_samples_ < info_.total_samples;
    if (n_damaged_ > (torn ? 1U : 0U)) {
      warnings.push_back(fmt::format("decode_errors: damage in {} places, {} samples there are silence",
                                     n_damaged_, n_silent_));
    }
    return warnings;
  }

 private:
  using Decoder = FLAC__StreamDecoder;
  struct Piece {
    std::uint64_t n_silent = 0;  ///< samples in the place of missing frames
    std::vector<float> samples;  ///< behind them, interleaved
  };
  static FlacSource& self(void* source) { return *static_cast<FlacSource*>(source); }

  // @return false at the end.
  bool decode() {
    if (!pieces_.empty()) {
      take_piece();
      return true;
    }
    if (ended_) return false;
    const bool decoded = FLAC__stream_decoder_process_single(decoder_.get()) != 0;
    const auto state = FLAC__stream_decoder_get_state(decoder_.get());
    ended_ = !decoded || state == FLAC__STREAM_DECODER_END_OF_STREAM || state == FLAC__STREAM_DECODER_ABORTED;
    return !ended_ || !pieces_.empty();
  }

  Outcome<std::size_t> end() {
    if (failure_) return *failure_;
    if (n_samples_ == 0 && n_damaged_ > 0) return Failure{"decoder_error", "no frame is whole"};
    return std::size_t{0};
  }

  static FLAC__StreamDecoderReadStatus give_bytes(const Decoder*, FLAC__byte buffer[], std::size_t* n,
                                                  void* source) {
    const auto got = self(source).bytes_->read(std::span(buffer, *n));
    *n = got ? *got : 0;
    if (!got) {
      self(source).failure_ = got.failure();
      return FLAC__STREAM_DECODER_READ_STATUS_ABORT;
    }
    return *n > 0 ? FLAC__STREAM_DECODER_READ_STATUS_CONTINUE
                  : FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
  }

  static void take_metadata(const Decoder*, const FLAC__StreamMetadata* metadata, void* source) {
    if (metadata->type == FLAC__METADATA_TYPE_STREAMINFO) self(source).info_ = metadata->data.stream_info;
  }

  // A place that is damaged makes more than one error; the next whole frame ends it.
  static void take_error(const Decoder*, FLAC__StreamDecoderErrorStatus, void* source) {
    FlacSource& s = self(source);
    if (!s.in_damage_) ++s.n_damaged_;
    s.in_damage_ = true;
  }

  static FLAC__StreamDecoderWriteStatus take_frame(const Decoder*, const FLAC__Frame* frame,
                                                   const FLAC__int32* const samples[], void* source) {
    self(source).take(frame->header, samples);
    return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
  }

  // libFLAC may give several frames at once: for those that are missing, a few of silence before the next
  // whole one.
  void take(const FLAC__FrameHeader& header, const FLAC__int32* const samples[]) {
    if (header.channels != info_.channels || header.sample_rate != info_.sample_rate ||
        header.bits_per_sample != info_.bits_per_sample) {
      if (!in_damage_) ++n_damaged_;
      in_damage_ = true;
      return;
    }
    const std::uint64_t place = header.number.sample_number;
    const bool muted = in_damage_ && is_silent(header, samples);
    // A frame whose checksum is another is silence too, and its place may be wrong.
    if (place < n_samples_ || (muted && place != n_samples_)) return;
    if (place > (info_.total_samples > 0 ? info_.total_samples : n_samples_ + kLongestGap)) return;
    Piece piece;
    piece.n_silent = place - n_samples_;
    n_silent_ += piece.n_silent + (muted ? header.blocksize : 0);
    if (!muted) in_damage_ = false;
    const float scale = 1.0f / static_cast<float>(std::uint64_t{1} << (info_.bits_per_sample - 1));
    piece.samples.resize(std::size_t{header.blocksize} * header.channels);
    for (std::size_t c = 0; c < header.channels; ++c) {
      for (std::size_t i = 0; i < header.blocksize; ++i)
        piece.samples[i * header.channels + c] = scale * static_cast<float>(samples[c][i]);
    }
    n_samples_ = place + header.blocksize;
    pieces_.push_back(std::move(piece));
  }

  static bool is_silent(const FLAC__FrameHeader& header, const FLAC__int32* const samples[]) {
    for (std::size_t c = 0; c < header.channels; ++c) {
      if (std::any_of(samples[c], samples[c] + header.blocksize, [](FLAC__int32 x) { return x != 0; }))
        return false;
    }
    return true;
  }

  // A block of a piece's silence, then its samples.
  void take_piece() {
    constexpr std::uint64_t kBlock = 8192;
    Piece& piece = pieces_.front();
    if (piece.n_silent > 0) {
      const std::uint64_t n = std::min(piece.n_silent, kBlock);
      ready_.assign(static_cast<std::size_t>(n) * info_.channels, 0.0f);
      piece.n_silent -= n;
      return;
    }
    ready_ = std::move(piece.samples);
    pieces_.pop_front();
  }

  // Of a stream that does not tell its length, samples: more is a number that is damaged.
  static constexpr std::uint64_t kLongestGap = 1U << 26;

  std::unique_ptr<ByteSource> bytes_;
  std::unique_ptr<Decoder, decltype(&FLAC__stream_decoder_delete)> decoder_;
  FLAC__StreamMetadata_StreamInfo info_{};
  std::deque<Piece> pieces_;     ///< decoded and not yet ready
  std::vector<float> ready_;     ///< interleaved
  std::size_t n_taken_ = 0;      ///< of ready_
  std::uint64_t n_samples_ = 0;  ///< up to the end of the last frame
  std::uint64_t n_damaged_ = 0, n_silent_ = 0;
  bool in_damage_ = false, ended_ = false;
  std::optional<Failure> failure_;
};

}  // namespace

Outcome<std::unique_ptr<AudioSource>> open_flac(std::unique_ptr<ByteSource> bytes) {
  auto source = std::make_unique<FlacSource>(std::move(bytes));
  if (auto failure = source->begin()) return *failure;
  return std::unique_ptr<AudioSource>(std::move(source));
}

}  // namespace earmark
