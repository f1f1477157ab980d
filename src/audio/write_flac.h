// write_flac.h: sound into a FLAC file, as it comes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace earmark {

struct FlacFormat {
  int sample_rate_hz = 0;
  int n_channels = 1;
  int n_bits = 16;                       ///< 8, 16 or 24
  std::string title, comment, software;  ///< tags of the file, UTF-8; empty: none
  /// Each limit of FLAC that is broken as "field: rule, got value"; empty when there is none.
  std::vector<std::string> problems() const;
};

/// The file grows as PATH.partial and gets its name when it is whole; without commit() nothing is left.
/// Memory does not grow with its length. A kill leaves at most PATH.partial; nothing is promised of a power
/// cut, since nothing waits for the disk. Not thread-safe.
class FlacWriter {
 public:
  /// @throws Error(kInvalidOption) listing format.problems(); Error(kIo), as all of it.
  FlacWriter(const std::filesystem::path& path, const FlacFormat& format);
  ~FlacWriter();
  FlacWriter(FlacWriter&&) noexcept;
  FlacWriter& operator=(FlacWriter&&) = delete;

  /// @param interleaved [n, n_channels], nominal -1..1, finite: rounded to n_bits, saturated at full scale.
  /// What was read from integers of at most so many bits is written back to the bit.
  void write(std::span<const float> interleaved);
  /// @throws Error(kIo) also when nothing was written: a FLAC without samples is refused by some readers.
  void commit();

 private:
  struct File;
  std::unique_ptr<File> file_;
};

}  // namespace earmark
