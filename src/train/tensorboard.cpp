#include "train/tensorboard.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>

#include "earmark/error.h"

namespace earmark {
namespace {

// Protocol buffer pieces: a key is (field number << 3 | wire type).
std::string varint(std::uint64_t x) {
  std::string out;
  for (; x >= 128; x >>= 7) out += static_cast<char>(x | 128);
  return out + static_cast<char>(x);
}
template <class T>
std::string fixed(T x) {
  std::string out(sizeof x, '\0');
  std::memcpy(out.data(), &x, sizeof x);
  return out;
}
std::string delimited(char key, std::string_view body) {
  return std::string(1, key) + varint(body.size()) + std::string(body);
}

constexpr char kWallTime = 1 << 3 | 1, kStep = 2 << 3, kFileVersion = 3 << 3 | 2,
               kSummary = 5 << 3 | 2;                         // of Event
constexpr char kSummaryValue = 1 << 3 | 2;                    // of Summary
constexpr char kTag = 1 << 3 | 2, kSimpleValue = 2 << 3 | 5;  // of Summary.Value

std::string framed(const std::string& event) {
  auto masked = [](std::string_view bytes) {
    const std::uint32_t crc = crc32c(bytes);
    return fixed<std::uint32_t>(((crc >> 15) | (crc << 17)) + 0xa282ead8U);
  };
  const std::string length = fixed<std::uint64_t>(event.size());
  return length + masked(length) + event + masked(event);
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) noexcept {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int k = 0; k < 8; ++k) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
      t[i] = crc;
    }
    return t;
  }();
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 255U] ^ (crc >> 8);
  return ~crc;
}

std::string tensorboard_version_record(double wall_time_s) {
  return framed(std::string(1, kWallTime) + fixed(wall_time_s) + delimited(kFileVersion, "brain.Event:2"));
}

std::string tensorboard_scalar_record(double wall_time_s, std::int64_t step, std::string_view tag,
                                      float value) {
  const std::string entry = delimited(kTag, tag) + std::string(1, kSimpleValue) + fixed(value);
  return framed(std::string(1, kWallTime) + fixed(wall_time_s) + std::string(1, kStep) +
                varint(static_cast<std::uint64_t>(step)) +
                delimited(kSummary, delimited(kSummaryValue, entry)));
}

TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "events.out.tfevents.0.earmark";
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) throw Error(ErrorCode::kIo, "cannot create " + path.string() + ": " + std::strerror(errno));
  write(tensorboard_version_record(now_s()));
}

TensorBoardWriter::~TensorBoardWriter() {
  if (fd_ >= 0) ::close(fd_);
}

void TensorBoardWriter::scalar(std::int64_t step, std::string_view tag, double value) {
  write(tensorboard_scalar_record(now_s(), step, tag, static_cast<float>(value)));
}

void TensorBoardWriter::write(const std::string& record) {
  if (::write(fd_, record.data(), record.size()) != static_cast<ssize_t>(record.size())) {
    throw Error(ErrorCode::kIo, std::string("cannot write TensorBoard events: ") + std::strerror(errno));
  }
}

}  // namespace earmark
