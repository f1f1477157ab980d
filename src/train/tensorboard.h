// tensorboard.h: scalar event files that TensorBoard reads: TFRecord framing with masked CRC-32C around a
// tensorflow.Event message.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace earmark {

/// The bytes of one record. Pure functions, so that a test can read them back.
std::string tensorboard_version_record(double wall_time_s);
std::string tensorboard_scalar_record(double wall_time_s, std::int64_t step, std::string_view tag,
                                      float value);
std::uint32_t crc32c(std::string_view bytes) noexcept;

/// Appends to `<folder>/events.out.tfevents.0.earmark`, begun anew. Thread-safety: one thread at a time.
class TensorBoardWriter {
 public:
  /// @throws Error(kIo).
  explicit TensorBoardWriter(const std::filesystem::path& folder);
  ~TensorBoardWriter();
  TensorBoardWriter(const TensorBoardWriter&) = delete;
  TensorBoardWriter& operator=(const TensorBoardWriter&) = delete;
  void scalar(std::int64_t step, std::string_view tag, double value);

 private:
  void write(const std::string& record);
  int fd_ = -1;
};

}  // namespace earmark
