#include "audio/live_audio.h"

#include <algorithm>
#include <array>
#include <utility>

#include "audio/byte_source.h"
#include "audio/stream_header.h"

namespace earmark {
namespace {

using Seconds = std::chrono::duration<double>;

}  // namespace

// The stream's bytes up to the next header inside it, of a WAV or of the kind of container that the stream
// is; what may be the beginning of one is held back until it is known.
class LiveAudio::Bytes {
 public:
  Bytes(int fd, const std::atomic<bool>* stop, bool watch) : rest_(fd, false, stop), watch_(watch) {}

  // 0 at the end of the stream and before a header.
  Outcome<std::size_t> read(std::span<Byte> out) {
    for (;;) {
      const std::size_t n = std::min(out.size(), known_);
      if (n > 0 || out.empty()) {
        std::copy_n(pending_.begin() + static_cast<std::ptrdiff_t>(at_), n, out.begin());
        at_ += n;
        known_ -= n;
        return n;
      }
      if (at_header_) return std::size_t{0};
      if (ended_) return std::size_t{0};
      if (auto failure = fetch()) return *failure;
    }
  }
  // Bytes on the other side of a header go on with the header.
  void pass_header() {
    if (!at_header_) return;
    at_header_ = false;
    begin(own_);
    scan();
  }
  bool at_header() const { return at_header_; }
  void cancel() { rest_.cancel(); }
  void resume() { rest_.resume(); }

 private:
  std::optional<Failure> fetch() {
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    constexpr std::size_t kBlock = 65536;
    const std::size_t before = pending_.size();
    pending_.resize(before + kBlock);
    const auto n = rest_.read(std::span(pending_).subspan(before));
    pending_.resize(before + (n ? *n : 0));
    if (!n) return n.failure();
    ended_ = *n == 0;
    if (first_) {
      if (pending_.size() < kLongestHeader && !ended_) return std::nullopt;
      first_ = false;
      begin(header_of(pending_));
    }
    scan();
    return std::nullopt;
  }
  // A header does not end what it begins.
  void begin(std::optional<StreamHeader> own) {
    own_ = own;
    room_left_ = own ? header_room(*own) : 1;
  }
  // Extends what is known to be no header.
  void scan() {
    const std::span<const Byte> all(pending_);
    const std::size_t in_room = std::min(all.size() - at_ - known_, room_left_);
    known_ += in_room;
    room_left_ -= in_room;
    for (; at_ + known_ < all.size(); ++known_) {
      const auto here = all.subspan(at_ + known_);
      for (const auto& kind : {std::optional(StreamHeader::kWav), own_}) {
        if (!watch_ || !kind || !may_be_header(*kind, here)) continue;
        if (here.size() < header_size(*kind)) {
          if (!ended_) return;
          continue;
        }
        at_header_ = true;
        own_ = kind;
        return;
      }
    }
  }

  FdBytes rest_;
  bool watch_;
  std::vector<Byte> pending_;
  std::size_t at_ = 0, known_ = 0;   // of pending_: where reading goes on, and so many bytes that may be read
  std::optional<StreamHeader> own_;  // with which the present recording began, or the one that is about to
  std::size_t room_left_ = 0;        // bytes of it that are not searched
  bool first_ = true, at_header_ = false, ended_ = false;
};

class LiveAudio::BytesView : public ByteSource {
 public:
  explicit BytesView(std::shared_ptr<Bytes> bytes) : bytes_(std::move(bytes)) {}
  Outcome<std::size_t> read(std::span<Byte> out) override { return bytes_->read(out); }
  void cancel() noexcept override { bytes_->cancel(); }

 private:
  std::shared_ptr<Bytes> bytes_;
};

// Of the present source, up to a pause.
class LiveAudio::Part : public AudioSource {
 public:
  explicit Part(LiveAudio& live) : live_(live), source_(live.source_) {}

  int sample_rate_hz() const override { return source_->sample_rate_hz(); }
  int n_channels() const override { return source_->n_channels(); }
  std::optional<std::uint64_t> n_samples_declared() const override { return source_->n_samples_declared(); }
  std::string description() const override { return source_->description(); }
  std::vector<std::string> warnings() const override { return source_->warnings(); }

  Outcome<std::size_t> read(std::span<float> interleaved) override {
    if (live_.pause_) return std::size_t{0};
    if (!live_.held_.empty()) return take_held(interleaved);
    const auto asked = live_.options_.now();
    auto n = source_->read(interleaved);
    if (!n || *n == 0) return n;
    const auto came = live_.options_.now();
    live_.last_came_ = came;
    if (n_samples_ == 0) begin(came, *n);
    note(*n);
    // How late the sound is; a source that keeps to the time is as late as ever, or less.
    const Seconds late = came - began_ - Seconds(static_cast<double>(n_samples_) / sample_rate_hz());
    const double missing_s = late.count() - std::max(0.0, least_late_s_);
    const double pause_s = live_.options_.pause_s;
    if (pause_s > 0.0 && Seconds(came - asked).count() >= pause_s && missing_s >= pause_s) {
      const auto size = static_cast<std::ptrdiff_t>(*n * static_cast<std::size_t>(n_channels()));
      live_.held_.assign(interleaved.begin(), interleaved.begin() + size);
      live_.pause_ = StreamBreak{false, missing_s};
      return std::size_t{0};
    }
    least_late_s_ = std::min(least_late_s_, late.count());
    return n;
  }

 private:
  Outcome<std::size_t> take_held(std::span<float> out) {
    const auto channels = static_cast<std::size_t>(n_channels());
    const std::size_t n = std::min(out.size(), live_.held_.size()) / channels;
    if (n_samples_ == 0) begin(live_.last_came_, live_.held_.size() / channels);
    const auto end = live_.held_.begin() + static_cast<std::ptrdiff_t>(n * channels);
    std::copy(live_.held_.begin(), end, out.begin());
    live_.held_.erase(live_.held_.begin(), end);
    note(n);
    return n;
  }
  void note(std::size_t n) {
    n_samples_ += n;
    live_.part_s_ = static_cast<double>(n_samples_) / sample_rate_hz();
  }
  void begin(LiveOptions::Clock::time_point came, std::size_t n) {
    const Seconds length(static_cast<double>(n) / sample_rate_hz());
    began_ = live_.part_began_ = came - std::chrono::duration_cast<LiveOptions::Clock::duration>(length);
    using SystemClock = std::chrono::system_clock;
    live_.began_ =
        SystemClock::now() - std::chrono::duration_cast<SystemClock::duration>(live_.options_.now() - began_);
  }

  LiveAudio& live_;
  std::shared_ptr<AudioSource> source_;
  LiveOptions::Clock::time_point began_;
  std::uint64_t n_samples_ = 0;
  double least_late_s_ = 1e300;
};

LiveAudio::LiveAudio(int fd, const std::optional<RawFormat>& raw, DecodeOptions decode, LiveOptions options)
    : bytes_(std::make_shared<Bytes>(fd, decode.stop, !raw)),
      raw_(raw),
      decode_(std::move(decode)),
      options_(std::move(options)) {
  if (raw_ && !raw_->problems().empty())
    throw Error(ErrorCode::kInvalidOption, "the raw stream's format is not possible", raw_->problems());
}

LiveAudio::~LiveAudio() = default;

Outcome<std::unique_ptr<AudioSource>> LiveAudio::open() {
  auto view = std::make_unique<BytesView>(bytes_);
  if (raw_) return open_raw_stream(std::move(view), *raw_);
  return open_audio_stream(std::move(view), decode_);
}

Outcome<std::unique_ptr<AudioSource>> LiveAudio::next() {
  if (pause_) {
    break_ = std::exchange(pause_, std::nullopt);
    return std::unique_ptr<AudioSource>(std::make_unique<Part>(*this));
  }
  const bool first = source_ == nullptr;
  if (!first) {
    bytes_->resume();                             // what read for a decoder was stopped with it
    std::array<Byte, 4096> behind_the_samples{};  // other chunks of a WAV
    for (;;) {
      const auto n = bytes_->read(behind_the_samples);
      if (!n) return n.failure();
      if (*n == 0) break;
    }
    if (!bytes_->at_header()) return std::unique_ptr<AudioSource>();
    bytes_->pass_header();
  }
  auto opened = open();
  if (!opened) return opened.failure();
  source_ = std::move(*opened);
  const auto now = options_.now();
  if (!first) break_ = StreamBreak{true, std::max(0.0, Seconds(now - part_began_).count() - part_s_)};
  last_came_ = part_began_ = now;
  part_s_ = 0.0;
  return std::unique_ptr<AudioSource>(std::make_unique<Part>(*this));
}

}  // namespace earmark
