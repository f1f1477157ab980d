#include "audio/flac_source.h"

#include <FLAC/stream_decoder.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audio/container.h"
#include "audio/decode.h"
#include "audio/joined.h"

namespace earmark {
namespace {

// fLaC, the head of the first block, the stream information.
constexpr std::size_t kHeadBytes = 4 + 4 + 34;
constexpr std::size_t kTotalAt = 4 + 4 + 13;  // half a byte and four bytes: the number of samples
constexpr std::size_t kLongestTail = 65536;   // bytes behind the last frame that are looked at

/// Passes bytes on and remembers the last of them.
class TailBytes {
 public:
  explicit TailBytes(std::unique_ptr<ByteSource> bytes) : bytes_(std::move(bytes)) {}

  Outcome<std::size_t> read(std::span<Byte> out) {
    auto n = bytes_->read(out);
    if (!n) return n;
    n_given_ += *n;
    tail_.insert(tail_.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*n));
    if (tail_.size() > 2 * kLongestTail)
      tail_.erase(tail_.begin(), tail_.end() - static_cast<std::ptrdiff_t>(kLongestTail));
    return n;
  }
  std::uint64_t n_given() const { return n_given_; }
  /// Whether what stands from that place on is nobody's loss: nothing, zeros of a disk, a tag.
  bool is_padding_from(std::uint64_t place) const {
    const std::uint64_t n = n_given_ - std::min(place, n_given_);
    if (n > tail_.size()) return false;
    const auto rest = std::span(tail_).last(static_cast<std::size_t>(n));
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    return text.starts_with("TAG") || text.starts_with("APETAGEX") || text.starts_with("ID3") ||
           std::all_of(rest.begin(), rest.end(), [](Byte b) { return b == 0; });
  }

 private:
  std::unique_ptr<ByteSource> bytes_;
  std::vector<Byte> tail_;
  std::uint64_t n_given_ = 0;
};

class FlacSource : public AudioSource {
 public:
  /// @param bytes from "fLaC" on, without the number of samples. @param n_told it; 0: not told.
  FlacSource(std::unique_ptr<ByteSource> bytes, std::uint64_t n_told)
      : bytes_(std::move(bytes)),
        decoder_(FLAC__stream_decoder_new(), &FLAC__stream_decoder_delete),
        n_told_(n_told) {}

  std::optional<Failure> begin() {
    const bool ready =
        decoder_ != nullptr && FLAC__stream_decoder_init_stream(
                                   decoder_.get(), &FlacSource::give_bytes, nullptr, &FlacSource::tell,
                                   nullptr, nullptr, &FlacSource::take_frame, &FlacSource::take_metadata,
                                   &FlacSource::take_error, this) == FLAC__STREAM_DECODER_INIT_STATUS_OK;
    if (!ready) return Failure{"decoder_error", "libFLAC cannot be started"};
    const bool read = FLAC__stream_decoder_process_until_end_of_metadata(decoder_.get()) != 0;
    if (failure_) return failure_;
    if (!read || info_.sample_rate == 0)
      return Failure{"damaged_header", "FLAC without its stream information"};
    if (auto failure = format_failure(info_.channels, info_.sample_rate)) return failure;
    in_damage_ = false;  // of the metadata, which nobody hears
    n_damaged_ = 0;
    last_end_ = position();
    return std::nullopt;
  }

  int sample_rate_hz() const override { return static_cast<int>(info_.sample_rate); }
  int n_channels() const override { return static_cast<int>(info_.channels); }
  std::optional<std::uint64_t> n_samples_declared() const override {
    return n_told_ > 0 ? std::optional<std::uint64_t>(n_told_) : std::nullopt;
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
    const bool complete = n_told_ > 0 && n_samples_ >= n_told_;
    const bool tail_is_lost = ended_ && !complete && !bytes_.is_padding_from(last_end_);
    if (ended_ && n_told_ > n_samples_) {
      warnings.push_back(
          fmt::format("truncated: the header tells {} samples, there are {}", n_told_, n_samples_));
    } else if (tail_is_lost && !in_damage_) {
      warnings.emplace_back("truncated: the last frame is cut in two");
    } else if (n_told_ > 0 && n_samples_ > n_told_ && n_recordings_ == 1) {
      warnings.push_back(fmt::format(
          "unfinished_header: the header tells {} samples, the sound goes on to {}", n_told_, n_samples_));
    }
    // What a file ends with is no damage where it is somebody else's, or told as cut off.
    const bool end_counts = !in_damage_ || !ended_ || (tail_is_lost && n_told_ == 0);
    const std::uint64_t n_damaged = n_damaged_ - (end_counts ? 0 : 1);
    if (n_damaged > 0) {
      warnings.push_back(fmt::format("decode_errors: damage in {} places, {} samples there are silence",
                                     n_damaged, n_silent_));
    }
    // Where most frames jump, the numbers mean something else.
    if (n_jumps_ > 0 && n_jumps_ < n_frames_ / 2) {
      warnings.push_back(fmt::format(
          "decode_errors: the frames' numbers jump in {} places; what may be missing there is left out",
          n_jumps_));
    }
    if (n_recordings_ > 1) warnings.push_back(joined_warning(n_recordings_, {}));
    return warnings;
  }

 private:
  using Decoder = FLAC__StreamDecoder;
  struct Frame {
    std::uint64_t place = 0, n = 0;  ///< samples
    bool muted = false;              ///< silence that libFLAC puts in the place of what is damaged or missing
    std::vector<float> samples;      ///< interleaved
  };
  struct Piece {
    std::uint64_t n_silent = 0;  ///< samples in the place of missing frames
    std::vector<float> samples;  ///< behind them, interleaved
  };
  static FlacSource& self(void* source) { return *static_cast<FlacSource*>(source); }

  std::uint64_t position() const {
    FLAC__uint64 at = 0;
    return FLAC__stream_decoder_get_decode_position(decoder_.get(), &at) != 0 ? at : bytes_.n_given();
  }

  // @return false at the end.
  bool decode() {
    if (!pieces_.empty()) {
      take_piece();
      return true;
    }
    if (ended_) return false;
    frames_.clear();
    error_in_call_ = false;
    const bool decoded = FLAC__stream_decoder_process_single(decoder_.get()) != 0;
    const auto state = FLAC__stream_decoder_get_state(decoder_.get());
    ended_ = !decoded || state == FLAC__STREAM_DECODER_END_OF_STREAM || state == FLAC__STREAM_DECODER_ABORTED;
    // Of several, all but the last stand for missing ones.
    if (frames_.size() > 1 && !in_damage_) {
      in_damage_ = true;
      ++n_damaged_;
    }
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      frames_[i].muted = frames_[i].muted || i + 1 < frames_.size();
      place(std::move(frames_[i]));
    }
    return !ended_ || !pieces_.empty();
  }

  Outcome<std::size_t> end() {
    if (failure_) return *failure_;
    if (n_samples_ == 0 && n_damaged_ > 0) return Failure{"decoder_error", "no frame is whole"};
    return std::size_t{0};
  }

  static FLAC__StreamDecoderReadStatus give_bytes(const Decoder*, FLAC__byte buffer[], std::size_t* n,
                                                  void* source) {
    const auto got = self(source).bytes_.read(std::span(buffer, *n));
    *n = got ? *got : 0;
    if (!got) {
      self(source).failure_ = got.failure();
      return FLAC__STREAM_DECODER_READ_STATUS_ABORT;
    }
    return *n > 0 ? FLAC__STREAM_DECODER_READ_STATUS_CONTINUE
                  : FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
  }
  static FLAC__StreamDecoderTellStatus tell(const Decoder*, FLAC__uint64* at, void* source) {
    *at = self(source).bytes_.n_given();
    return FLAC__STREAM_DECODER_TELL_STATUS_OK;
  }

  static void take_metadata(const Decoder*, const FLAC__StreamMetadata* metadata, void* source) {
    if (metadata->type == FLAC__METADATA_TYPE_STREAMINFO) self(source).info_ = metadata->data.stream_info;
  }

  // A place that is damaged makes more than one error; the next whole frame ends it.
  static void take_error(const Decoder*, FLAC__StreamDecoderErrorStatus, void* source) {
    FlacSource& s = self(source);
    if (!s.in_damage_) ++s.n_damaged_;
    s.in_damage_ = true;
    s.error_in_call_ = true;
  }

  static FLAC__StreamDecoderWriteStatus take_frame(const Decoder*, const FLAC__Frame* frame,
                                                   const FLAC__int32* const samples[], void* source) {
    self(source).take(frame->header, samples);
    return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
  }

  void take(const FLAC__FrameHeader& header, const FLAC__int32* const samples[]) {
    Frame frame;
    frame.place = header.number.sample_number;
    frame.n = header.blocksize;
    if (header.channels != info_.channels || header.sample_rate != info_.sample_rate ||
        header.bits_per_sample != info_.bits_per_sample) {
      if (!in_damage_) ++n_damaged_;
      in_damage_ = true;
      return;
    }
    const float scale = 1.0f / static_cast<float>(std::uint64_t{1} << (info_.bits_per_sample - 1));
    frame.samples.resize(std::size_t{header.blocksize} * header.channels);
    for (std::size_t c = 0; c < header.channels; ++c) {
      for (std::size_t i = 0; i < header.blocksize; ++i)
        frame.samples[i * header.channels + c] = scale * static_cast<float>(samples[c][i]);
    }
    frame.muted = error_in_call_ &&
                  std::all_of(frame.samples.begin(), frame.samples.end(), [](float x) { return x == 0; });
    frames_.push_back(std::move(frame));
  }

  // Frames follow one another. Only behind damage do their numbers tell how many are missing, and never more
  // than the bytes lost could have held: a cut from a longer recording begins anywhere, some programs count
  // otherwise, and a number may be damaged itself.
  void place(Frame frame) {
    Piece piece;
    const bool follows = frame.place == next_place_ || (n_frames_ == 0 && !in_damage_);
    if (!follows && in_damage_ && !frame.muted && frame.place > next_place_) {
      const std::uint64_t missing = frame.place - next_place_, end = position();
      const std::uint64_t n_lost_bytes = end - std::min(end, last_end_);
      if (missing / std::max<std::uint64_t>(frame.n, 1) <= n_lost_bytes / kSmallestFrame)
        piece.n_silent = missing;
    }
    if (!follows && in_damage_ && frame.place == 0 &&
        !frame.muted) {  // another file's first frame, behind its header
      ++n_recordings_;
      --n_damaged_;
    } else if (!follows && !in_damage_) {
      ++n_jumps_;
    }
    n_silent_ += piece.n_silent + (frame.muted ? frame.n : 0);
    n_samples_ += piece.n_silent + frame.n;
    next_place_ = frame.muted && !follows ? next_place_ + frame.n : frame.place + frame.n;
    ++n_frames_;
    if (!frame.muted) {
      in_damage_ = false;
      last_end_ = position();
    }
    piece.samples = std::move(frame.samples);
    pieces_.push_back(std::move(piece));
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

  static constexpr std::uint64_t kSmallestFrame = 9;  // bytes: header, one constant, checksums

  TailBytes bytes_;
  std::unique_ptr<Decoder, decltype(&FLAC__stream_decoder_delete)> decoder_;
  std::uint64_t n_told_;
  FLAC__StreamMetadata_StreamInfo info_{};
  std::vector<Frame> frames_;    ///< of one call of the decoder
  std::deque<Piece> pieces_;     ///< decoded and not yet ready
  std::vector<float> ready_;     ///< interleaved
  std::size_t n_taken_ = 0;      ///< of ready_
  std::uint64_t n_samples_ = 0;  ///< in all, and of them silence in the place of what is lost
  std::uint64_t n_silent_ = 0;
  std::uint64_t next_place_ = 0;  ///< which the next frame should have
  std::uint64_t last_end_ = 0;    ///< of the last whole frame, in bytes
  std::uint64_t n_frames_ = 0, n_jumps_ = 0, n_damaged_ = 0;
  std::size_t n_recordings_ = 1;
  bool in_damage_ = false, error_in_call_ = false, ended_ = false;
  std::optional<Failure> failure_;
};

// Up to the end of ID3v2 tags, if there are any.
std::optional<Failure> pass_tags(std::vector<Byte>& start, ByteSource& bytes) {
  for (;;) {
    const std::size_t before = start.size();
    start.resize(kHeadBytes);
    auto n = read_fully(bytes, std::span(start).subspan(before));
    if (!n) return n.failure();
    start.resize(before + *n);
    std::uint64_t tag = id3v2_tag_bytes(start);
    if (tag == 0) return std::nullopt;
    const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(tag, start.size()));
    start.erase(start.begin(), start.begin() + static_cast<std::ptrdiff_t>(here));
    std::array<Byte, 4096> waste;
    for (tag -= here; tag > 0;) {
      const auto part =
          std::span(waste).first(static_cast<std::size_t>(std::min<std::uint64_t>(tag, waste.size())));
      n = bytes.read(part);
      if (!n) return n.failure();
      if (*n == 0) return std::nullopt;
      tag -= *n;
    }
  }
}

}  // namespace

Outcome<std::unique_ptr<AudioSource>> open_flac(std::unique_ptr<ByteSource> bytes) {
  std::vector<Byte> start;
  if (auto failure = pass_tags(start, *bytes)) return *failure;
  // libFLAC ends where the header says, and a header may have been written before the end: it is not told.
  std::uint64_t n_told = 0;
  if (start.size() == kHeadBytes && (start[4] & 0x7F) == 0) {
    n_told = start[kTotalAt] & 0x0FU;
    for (std::size_t i = 1; i <= 4; ++i) n_told = n_told << 8 | std::exchange(start[kTotalAt + i], Byte{0});
    start[kTotalAt] &= 0xF0U;
  }
  auto source = std::make_unique<FlacSource>(
      std::make_unique<PrefixedBytes>(std::move(start), std::move(bytes)), n_told);
  if (auto failure = source->begin()) return *failure;
  return std::unique_ptr<AudioSource>(std::move(source));
}

}  // namespace earmark
