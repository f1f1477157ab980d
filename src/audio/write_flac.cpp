#include "audio/write_flac.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sndfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr int kMostChannels = 8;
constexpr int kHighestRateInHz = 65535, kHighestRate_hz = 655350;

[[noreturn]] void io_error(const char* what, const std::filesystem::path& path, const std::string& why) {
  throw Error(ErrorCode::kIo, fmt::format("cannot {} {}: {}", what, path.string(), why));
}

// libsndfile takes integers at the upper end of 32 bits, whatever it stores.
int left_justified(float sample, int n_bits) {
  const double full_scale = std::ldexp(1.0, n_bits - 1);
  const double value =
      std::clamp(std::nearbyint(static_cast<double>(sample) * full_scale), -full_scale, full_scale - 1.0);
  return static_cast<int>(value) * (1 << (32 - n_bits));
}

}  // namespace

std::vector<std::string> FlacFormat::problems() const {
  std::vector<std::string> problems;
  // libsndfile keeps to what can be streamed: a frame's header holds 16 bits of Hz, or as many of 10 Hz.
  const bool fits = sample_rate_hz <= kHighestRateInHz || sample_rate_hz % 10 == 0;
  if (sample_rate_hz < 1 || sample_rate_hz > kHighestRate_hz || !fits)
    problems.push_back(fmt::format("sample_rate_hz: FLAC holds 1..{} and multiples of 10 up to {}, got {}",
                                   kHighestRateInHz, kHighestRate_hz, sample_rate_hz));
  if (n_channels < 1 || n_channels > kMostChannels)
    problems.push_back(fmt::format("n_channels: FLAC holds 1..{}, got {}", kMostChannels, n_channels));
  if (n_bits != 8 && n_bits != 16 && n_bits != 24)
    problems.push_back(fmt::format("n_bits: must be 8, 16 or 24, got {}", n_bits));
  return problems;
}

// The file is written through callbacks, for libsndfile does not tell whether the last block, which it
// writes while closing, reached the disk.
struct FlacWriter::File {
  std::filesystem::path path, partial;
  int fd = -1, n_bits = 16, n_channels = 1, error = 0;
  SNDFILE* sound = nullptr;
  bool any = false;
  std::vector<int> buffer;

  ~File() {
    if (sound != nullptr) sf_close(sound);
    if (fd < 0) return;
    ::close(fd);
    ::unlink(partial.c_str());
  }

  static File& of(void* user) { return *static_cast<File*>(user); }
  static sf_count_t length(void* user) {
    const int fd = of(user).fd;
    const off_t here = ::lseek(fd, 0, SEEK_CUR), end = ::lseek(fd, 0, SEEK_END);
    ::lseek(fd, here, SEEK_SET);
    return end;
  }
  static sf_count_t seek(sf_count_t offset, int whence, void* user) {
    return ::lseek(of(user).fd, offset, whence);
  }
  static sf_count_t tell(void* user) { return ::lseek(of(user).fd, 0, SEEK_CUR); }
  static sf_count_t read(void* to, sf_count_t size, void* user) {
    return std::max<ssize_t>(::read(of(user).fd, to, static_cast<std::size_t>(size)), 0);
  }
  static sf_count_t put(const void* from, sf_count_t size, void* user) {
    File& file = of(user);
    const char* data = static_cast<const char*>(from);
    for (sf_count_t left = size; left > 0;) {
      const ssize_t n = ::write(file.fd, data, static_cast<std::size_t>(left));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        file.error = errno;
        return size - left;
      }
      data += n;
      left -= n;
    }
    return size;
  }
};

FlacWriter::FlacWriter(const std::filesystem::path& path, const FlacFormat& format)
    : file_(std::make_unique<File>()) {
  const auto problems = format.problems();
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, fmt::format("{} cannot be a FLAC:", path.string()), problems);
  File& f = *file_;
  f.path = path;
  f.partial = path.native() + ".partial";
  f.n_bits = format.n_bits;
  f.n_channels = format.n_channels;
  f.fd = ::open(f.partial.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (f.fd < 0) io_error("create", f.partial, std::strerror(errno));
  SF_INFO info{};
  info.samplerate = format.sample_rate_hz;
  info.channels = format.n_channels;
  info.format = SF_FORMAT_FLAC | (format.n_bits == 8    ? SF_FORMAT_PCM_S8
                                  : format.n_bits == 16 ? SF_FORMAT_PCM_16
                                                        : SF_FORMAT_PCM_24);
  SF_VIRTUAL_IO io{File::length, File::seek, File::read, File::put, File::tell};
  f.sound = sf_open_virtual(&io, SFM_WRITE, &info, &f);
  if (f.sound == nullptr)
    io_error("write", f.partial, f.error != 0 ? std::strerror(f.error) : "libsndfile makes no FLAC of it");
  const auto set = [&](int what, const std::string& text) {
    if (!text.empty()) sf_set_string(f.sound, what, text.c_str());
  };
  set(SF_STR_TITLE, format.title);
  set(SF_STR_COMMENT, format.comment);
  set(SF_STR_SOFTWARE, format.software);
}

FlacWriter::~FlacWriter() = default;
FlacWriter::FlacWriter(FlacWriter&&) noexcept = default;

void FlacWriter::write(std::span<const float> interleaved) {
  if (interleaved.empty()) return;
  File& f = *file_;
  f.buffer.resize(interleaved.size());
  std::transform(interleaved.begin(), interleaved.end(), f.buffer.begin(),
                 [&](float x) { return left_justified(x, f.n_bits); });
  const auto n = static_cast<sf_count_t>(interleaved.size());
  f.any = true;
  if (sf_write_int(f.sound, f.buffer.data(), n) != n || f.error != 0)
    io_error("write", f.partial, f.error != 0 ? std::strerror(f.error) : sf_strerror(f.sound));
}

void FlacWriter::commit() {
  File& f = *file_;
  if (!f.any) io_error("write", f.path, "there are no samples");
  const int closed = sf_close(std::exchange(f.sound, nullptr));
  if (closed != 0 || f.error != 0)
    io_error("write", f.partial, f.error != 0 ? std::strerror(f.error) : "libsndfile could not end it");
  if (::rename(f.partial.c_str(), f.path.c_str()) != 0) io_error("rename", f.partial, std::strerror(errno));
  ::close(std::exchange(f.fd, -1));
}

}  // namespace earmark
