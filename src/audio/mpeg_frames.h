// mpeg_frames.h: MPEG audio (MP3, MP2) as the frames that it consists of, so that what lies between them is
// known: tags, damage, the beginning of another recording. Of ISO/IEC 11172-3 and 13818-3.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "audio/byte_source.h"

namespace earmark {

/// What a frame's first four bytes tell.
struct MpegFrameHeader {
  int version = 1;  ///< 1, 2, or 25 for MPEG 2.5
  int layer = 3;    ///< 1 to 3
  int sample_rate_hz = 0;
  int n_channels = 0;
  bool has_checksum = false;
  std::size_t n_bytes = 0;  ///< of the whole frame, at most kLongestMpegFrame
  int n_samples = 0;        ///< of one channel

  /// Whether both can belong to one recording.
  bool same_kind(const MpegFrameHeader& other) const;
};

inline constexpr std::size_t kLongestMpegFrame = 4096;  // bytes; layer II of MPEG 2.5 reaches 2881

/// @return nothing for other bytes and for the "free" bit rate, whose frames do not tell their length
std::optional<MpegFrameHeader> parse_mpeg_frame(std::span<const Byte> bytes);

/// What an encoder notes in a first frame without sound ("Xing", "Info" or "VBRI").
struct MpegInfo {
  std::optional<std::uint64_t> n_frames;  ///< without this one
  std::optional<std::uint64_t> n_bytes;   ///< of all frames, this one too
  int n_delay = 0, n_padding = 0;         ///< samples that the encoder put before and behind the sound
};

/// @param frame whole. @return nothing for a frame of sound
std::optional<MpegInfo> parse_mpeg_info(const MpegFrameHeader& header, std::span<const Byte> frame);

/// Not thread-safe. Memory does not grow with the length of the stream.
class MpegFrames {
 public:
  struct Frame {
    MpegFrameHeader header;
    std::span<const Byte> bytes;  ///< valid until the next call
    std::optional<MpegInfo> info;
    std::uint64_t n_lost_before = 0;  ///< bytes between it and the frame before that are none
    /// The first, and one behind which another recording starts in the same file.
    bool begins_recording = false;
  };

  explicit MpegFrames(std::unique_ptr<ByteSource> bytes) : source_(std::move(bytes)) {}

  /// @return nothing at the end. A failure is the byte source's, or "unsupported_codec" of frames of "free"
  /// bit rate.
  Outcome<std::optional<Frame>> next();

  /// Bytes of sound's place that are none: between frames, and behind the last one where no tag is.
  std::uint64_t n_lost_bytes() const { return n_lost_; }
  /// Whether the last frame ends before its length.
  bool torn() const { return torn_; }
  /// Whether a tag behind the first frame goes on behind the end, and may have swallowed frames.
  bool tag_torn() const { return tag_torn_; }
  /// Where the first frame lies.
  std::uint64_t first_frame_at() const { return first_at_; }

 private:
  Outcome<bool> have(std::size_t n);
  Outcome<bool> skip(std::uint64_t n);
  Outcome<std::optional<std::uint64_t>> tag_here();
  Outcome<bool> fits_here(const MpegFrameHeader& header);
  Outcome<std::optional<Frame>> take(const MpegFrameHeader& header);
  void pass_odd_byte();
  std::span<const Byte> here() const { return std::span(buffer_).subspan(at_); }

  std::unique_ptr<ByteSource> source_;
  std::vector<Byte> buffer_;
  std::size_t at_ = 0;             ///< in buffer_, where the next frame is looked for
  std::uint64_t buffer_from_ = 0;  ///< place of buffer_'s first byte in the stream
  bool ended_ = false, in_step_ = false, torn_ = false, tag_torn_ = false, tag_among_odd_ = false,
       odd_nonzero_ = false;
  std::uint64_t n_odd_ = 0;  ///< bytes passed since the last frame
  std::uint64_t n_lost_ = 0, first_at_ = 0;
  std::optional<MpegFrameHeader> last_;
};

}  // namespace earmark
