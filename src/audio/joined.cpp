#include "audio/joined.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace earmark {
namespace {

class JoinedSource : public AudioSource {
 public:
  explicit JoinedSource(NextRecording next) : next_(std::move(next)) {}

  std::optional<Failure> begin() {
    advance();
    if (now_ == nullptr)
      return first_failure_.value_or(Failure{"damaged_header", "no recording can be read"});
    rate_hz_ = now_->sample_rate_hz();
    n_channels_ = now_->n_channels();
    description_ = now_->description();
    n_bits_ = now_->n_bits();
    return std::nullopt;
  }

  int sample_rate_hz() const override { return rate_hz_; }
  int n_channels() const override { return n_channels_; }
  std::optional<std::uint64_t> n_samples_declared() const override { return std::nullopt; }
  std::string description() const override { return description_; }
  int n_bits() const override { return n_bits_; }

  Outcome<std::size_t> read(std::span<float> interleaved) override {
    while (now_ != nullptr) {
      auto n = now_->read(interleaved);
      if (n && *n > 0) return n;
      if (!n) note("decode_errors: " + n.failure().detail);
      for (std::string& warning : now_->warnings()) note(std::move(warning));
      advance();
    }
    return std::size_t{0};
  }

  std::vector<std::string> warnings() const override {
    std::vector<std::string> warnings = noted_;
    if (now_ != nullptr) {
      for (std::string& warning : now_->warnings()) warnings.push_back(std::move(warning));
    }
    if (n_recordings_ > 1) warnings.push_back(joined_warning(n_recordings_, left_out_));
    return warnings;
  }

 private:
  // To the next recording that can be heard behind the others.
  void advance() {
    now_.reset();
    for (;;) {
      auto opened = next_();
      if (opened && *opened == nullptr) return;
      ++n_recordings_;
      if (!opened) {
        ++left_out_.unreadable;
        if (!first_failure_) first_failure_ = opened.failure();
      } else if (rate_hz_ != 0 &&
                 ((*opened)->sample_rate_hz() != rate_hz_ || (*opened)->n_channels() != n_channels_)) {
        ++left_out_.other_format;
      } else {
        now_ = std::move(*opened);
        return;
      }
    }
  }
  // One of each word is enough: a day of radio has hundreds of recordings.
  void note(std::string warning) {
    const std::string word = warning.substr(0, warning.find(':') + 1);
    const auto same = [&](const std::string& noted) { return noted.starts_with(word); };
    if (std::none_of(noted_.begin(), noted_.end(), same)) noted_.push_back(std::move(warning));
  }

  NextRecording next_;
  std::unique_ptr<AudioSource> now_;
  std::size_t n_recordings_ = 0;
  LeftOut left_out_;
  std::optional<Failure> first_failure_;
  int rate_hz_ = 0, n_channels_ = 0, n_bits_ = 0;
  std::string description_;
  std::vector<std::string> noted_;
};

}  // namespace

std::string joined_warning(std::size_t n_recordings, const LeftOut& left_out) {
  std::string text = fmt::format("joined: {} recordings, one after the other in one file", n_recordings);
  if (left_out.other_format > 0)
    text += fmt::format("; {} left out, whose sample rate or number of channels is not the first one's",
                        left_out.other_format);
  if (left_out.unreadable > 0)
    text += fmt::format("; {} left out, which cannot be read", left_out.unreadable);
  return text;
}

Outcome<std::unique_ptr<AudioSource>> join_recordings(NextRecording next) {
  auto joined = std::make_unique<JoinedSource>(std::move(next));
  if (auto failure = joined->begin()) return *failure;
  return std::unique_ptr<AudioSource>(std::move(joined));
}

}  // namespace earmark
