#include "audio/write_wav.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "earmark/error.h"

namespace earmark {
namespace {

class LittleEndian {
 public:
  explicit LittleEndian(std::size_t n_bytes) { bytes_.reserve(n_bytes); }
  void text(std::string_view text) {
    for (const char c : text) bytes_.push_back(static_cast<std::byte>(c));
  }
  void number(std::uint32_t value, int n_bytes) {
    for (int i = 0; i < n_bytes; ++i) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

std::uint32_t rounded(float sample, double full_scale) {
  const double value =
      std::clamp(std::nearbyint(static_cast<double>(sample) * full_scale), -full_scale, full_scale - 1.0);
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(value));
}

void check(const std::filesystem::path& path, const Waveform& waveform) {
  if (waveform.n_samples() == 0 || waveform.sample_rate_hz <= 0) {
    throw Error(ErrorCode::kBadAudio, fmt::format("{}: there are no samples to write", path.string()));
  }
  const auto bad = std::find_if(waveform.samples.begin(), waveform.samples.end(),
                                [](float x) { return !std::isfinite(x); });
  if (bad != waveform.samples.end()) {
    const auto position = static_cast<std::size_t>(bad - waveform.samples.begin()) % waveform.n_samples();
    throw Error(ErrorCode::kBadAudio, fmt::format("{}: sample {} is not finite", path.string(), position));
  }
}

}  // namespace

void write_wav(const std::filesystem::path& path, const Waveform& waveform, WavFormat format) {
  check(path, waveform);
  const std::size_t n_channels = static_cast<std::size_t>(waveform.n_channels), n = waveform.n_samples();
  const int width = format == WavFormat::kPcm16 ? 2 : format == WavFormat::kPcm24 ? 3 : 4;
  const std::size_t block = n_channels * static_cast<std::size_t>(width), n_bytes = n * block;
  if (n_bytes > 0xFFFFFF00U)
    throw Error(ErrorCode::kUnsupported, fmt::format("{}: a WAV ends at 4 GiB", path.string()));
  LittleEndian out(n_bytes + 45);
  out.text("RIFF");
  out.number(static_cast<std::uint32_t>(36 + n_bytes + (n_bytes & 1)), 4);
  out.text("WAVEfmt ");
  out.number(16, 4);
  out.number(format == WavFormat::kFloat ? 3 : 1, 2);
  out.number(static_cast<std::uint32_t>(waveform.n_channels), 2);
  out.number(static_cast<std::uint32_t>(waveform.sample_rate_hz), 4);
  out.number(static_cast<std::uint32_t>(static_cast<std::size_t>(waveform.sample_rate_hz) * block), 4);
  out.number(static_cast<std::uint32_t>(block), 2);
  out.number(static_cast<std::uint32_t>(8 * width), 2);
  out.text("data");
  out.number(static_cast<std::uint32_t>(n_bytes), 4);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < n_channels; ++c) {
      const float x = waveform.samples[c * n + i];
      switch (format) {
        case WavFormat::kPcm16:
          out.number(rounded(x, 32768.0), 2);
          break;
        case WavFormat::kPcm24:
          out.number(rounded(x, 8388608.0), 3);
          break;
        case WavFormat::kFloat:
          out.number(std::bit_cast<std::uint32_t>(x), 4);
          break;
      }
    }
  }
  if (n_bytes & 1) out.number(0, 1);  // chunks have even lengths
  write_bytes(path, out.bytes());
}

}  // namespace earmark
