#include "audio/mp3_source.h"

#include <fmt/format.h>
#include <mpg123.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "audio/joined.h"
#include "audio/mpeg_frames.h"

namespace earmark {
namespace {

/// libmpg123's decoder of one recording.
class Mpg123 {
 public:
  Mpg123() {
    static const int initialised = mpg123_init();  // once in a process, as versions before 1.27 ask for
    if (initialised != MPG123_OK) return;
    handle_ = mpg123_new(nullptr, nullptr);
    if (handle_ == nullptr) return;
    // Nothing on standard error, and no waiting for a frame that may not come.
    mpg123_param(handle_, MPG123_ADD_FLAGS,
                 MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_NO_READAHEAD, 0.0);
    mpg123_param(handle_, MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0.0);
    if (mpg123_open_feed(handle_) == MPG123_OK) return;
    mpg123_delete(handle_);
    handle_ = nullptr;
  }
  ~Mpg123() { mpg123_delete(handle_); }
  Mpg123(const Mpg123&) = delete;
  Mpg123& operator=(const Mpg123&) = delete;

  bool good() const { return handle_ != nullptr; }
  /// @param samples interleaved; what the frame gives is added. @return empty, or what the decoder says is
  /// wrong
  std::string decode(std::span<const Byte> frame, std::vector<float>& samples) {
    std::vector<float> block(std::size_t{2} * 1152);
    for (;;) {
      std::size_t n_done = 0;  // bytes
      const int answer =
          mpg123_decode(handle_, frame.data(), frame.size(), reinterpret_cast<unsigned char*>(block.data()),
                        block.size() * sizeof(float), &n_done);
      frame = {};
      samples.insert(samples.end(), block.begin(),
                     block.begin() + static_cast<std::ptrdiff_t>(n_done / sizeof(float)));
      if (answer == MPG123_NEED_MORE || answer == MPG123_DONE) return {};
      if (answer == MPG123_ERR) return mpg123_strerror(handle_);
      if (answer != MPG123_OK && answer != MPG123_NEW_FORMAT) return mpg123_plain_strerror(answer);
    }
  }

 private:
  mpg123_handle* handle_ = nullptr;
};

class Mp3Source : public AudioSource {
 public:
  Mp3Source(std::unique_ptr<ByteSource> bytes, std::optional<std::uint64_t> n_bytes)
      : frames_(std::move(bytes)), n_bytes_(n_bytes) {}

  /// Reads up to the first frame, which says what the sound is.
  std::optional<Failure> begin() {
    auto frame = frames_.next();
    if (!frame) return frame.failure();
    if (!*frame) return Failure{"damaged_header", "no frames of MPEG audio"};
    kind_ = (*frame)->header;
    if ((*frame)->info) n_declared_ = declared(*(*frame)->info);
    return push(**frame);
  }

  int sample_rate_hz() const override { return kind_.sample_rate_hz; }
  int n_channels() const override { return kind_.n_channels; }
  std::optional<std::uint64_t> n_samples_declared() const override { return n_declared_; }
  std::string description() const override {
    return fmt::format("MPEG audio, layer {} (libmpg123)", kind_.layer);
  }

  Outcome<std::size_t> read(std::span<float> interleaved) override {
    const auto channels = static_cast<std::size_t>(n_channels());
    while (gap_ == 0 && n_taken_ == samples_.size()) {
      samples_.clear();
      n_taken_ = 0;
      auto frame = frames_.next();
      if (!frame) return frame.failure();
      if (!*frame) return end();
      if (auto failure = push(**frame)) return *failure;
    }
    if (gap_ > 0) {  // before the samples that were decoded behind it
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(interleaved.size() / channels, gap_));
      std::fill_n(interleaved.begin(), n * channels, 0.0f);
      gap_ -= n;
      return n;
    }
    const std::size_t n = std::min(interleaved.size() / channels, (samples_.size() - n_taken_) / channels);
    std::copy_n(samples_.begin() + static_cast<std::ptrdiff_t>(n_taken_), n * channels, interleaved.begin());
    n_taken_ += n * channels;
    any_ = true;
    return n;
  }

  std::vector<std::string> warnings() const override {
    std::vector<std::string> warnings;
    if (n_short_ > 1)  // some encoders count the frame that tells
      warnings.push_back(fmt::format("truncated: {} frames fewer than the header tells", n_short_));
    else if (frames_.tag_torn())
      warnings.emplace_back("truncated: a tag tells of more bytes than there are");
    else if (frames_.torn())
      warnings.push_back("truncated: the last frame is cut in two");
    if (frames_.n_lost_bytes() > 0)
      warnings.push_back(
          fmt::format("decode_errors: {} bytes are no frames, {} samples in their place are silence",
                      frames_.n_lost_bytes(), n_silent_));
    if (!error_.empty()) warnings.push_back("decode_errors: " + error_);
    if (n_recordings_ > 1) warnings.push_back(joined_warning(n_recordings_, {n_left_out_, 0}));
    return warnings;
  }

 private:
  // Of the first recording; nothing where more follow, whose lengths are not known yet.
  std::optional<std::uint64_t> declared(const MpegInfo& info) const {
    constexpr std::uint64_t kRoomForTags = 8192;  // more may be a cover, or another recording
    if (!info.n_frames) return std::nullopt;
    if (info.n_bytes && n_bytes_ && *n_bytes_ > frames_.first_frame_at() + *info.n_bytes + kRoomForTags)
      return std::nullopt;
    const std::uint64_t n = *info.n_frames * static_cast<std::uint64_t>(kind_.n_samples);
    const std::uint64_t around =
        static_cast<std::uint64_t>(info.n_delay) + static_cast<std::uint64_t>(info.n_padding);
    return n > around ? std::optional(n - around) : std::nullopt;
  }

  std::optional<Failure> push(const MpegFrames::Frame& frame) {
    if (frame.begins_recording) {
      restarted_ = false;
      count_missing_frames();
      ++n_recordings_;
      n_frames_told_ = frame.info ? frame.info->n_frames : std::nullopt;
      left_out_ =
          frame.header.sample_rate_hz != kind_.sample_rate_hz || frame.header.n_channels != kind_.n_channels;
      if (left_out_) ++n_left_out_;
      decoder_ = std::make_unique<Mpg123>();
      n_frames_ = n_frame_bytes_ = 0;
    } else if (frame.n_lost_before > 0) {
      fill_gap(frame);
    }
    if (!decoder_->good()) return Failure{"decoder_error", "libmpg123 cannot be started"};
    if (!frame.info) {
      ++n_frames_;
      n_frame_bytes_ += frame.bytes.size();
    }
    if (left_out_) return std::nullopt;
    const std::size_t n_before = samples_.size();
    const std::string error = decoder_->decode(frame.bytes, samples_);
    if (error_.empty()) error_ = error;
    // Behind a gap a frame whose bits begin in a lost one gives nothing.
    if (restarted_ && samples_.size() == n_before) add_silence(static_cast<std::uint64_t>(kind_.n_samples));
    restarted_ = restarted_ && samples_.size() == n_before;
    return std::nullopt;
  }

  // So many frames as the bytes can have held, so that what follows keeps its time; and no bits of earlier
  // frames, which the next ones would take for those that are lost.
  void fill_gap(const MpegFrames::Frame& frame) {
    decoder_ = std::make_unique<Mpg123>();
    restarted_ = true;
    if (n_frames_ == 0) return;
    const double mean_bytes = static_cast<double>(n_frame_bytes_) / static_cast<double>(n_frames_);
    const auto n =
        static_cast<std::uint64_t>(std::llround(static_cast<double>(frame.n_lost_before) / mean_bytes));
    n_frames_ += n;
    n_frame_bytes_ += frame.n_lost_before;
    if (left_out_) return;
    add_silence(n * static_cast<std::uint64_t>(kind_.n_samples));
  }
  void add_silence(std::uint64_t n_samples) {
    gap_ += n_samples;
    n_silent_ += n_samples;
  }

  void count_missing_frames() {
    if (n_frames_told_ && *n_frames_told_ > n_frames_) n_short_ += *n_frames_told_ - n_frames_;
    n_frames_told_.reset();
  }

  Outcome<std::size_t> end() {
    count_missing_frames();
    if (!any_ && !error_.empty())
      return Failure{"decoder_error", fmt::format("nothing could be decoded: {}", error_)};
    return std::size_t{0};
  }

  MpegFrames frames_;
  std::optional<std::uint64_t> n_bytes_, n_declared_;
  MpegFrameHeader kind_;
  std::unique_ptr<Mpg123> decoder_;
  std::vector<float> samples_;  ///< interleaved, decoded and not yet read from n_taken_ on
  std::size_t n_taken_ = 0;
  bool any_ = false, left_out_ = false, restarted_ = false;
  std::size_t n_recordings_ = 0, n_left_out_ = 0;
  std::uint64_t gap_ = 0, n_silent_ = 0;  ///< samples of silence still to give, in all
  std::uint64_t n_frame_bytes_ = 0;
  std::uint64_t n_frames_ = 0, n_short_ = 0;    ///< of sound in the present recording; missing in all
  std::optional<std::uint64_t> n_frames_told_;  ///< by the present recording's first frame
  std::string error_;
};

}  // namespace

Outcome<std::unique_ptr<AudioSource>> open_mp3(std::unique_ptr<ByteSource> bytes,
                                               std::optional<std::uint64_t> n_bytes) {
  auto source = std::make_unique<Mp3Source>(std::move(bytes), n_bytes);
  if (auto failure = source->begin()) return *failure;
  return std::unique_ptr<AudioSource>(std::move(source));
}

}  // namespace earmark
