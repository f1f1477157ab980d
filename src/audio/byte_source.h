// byte_source.h: bytes in order, once: a file, a pipe, memory. What the stream decoders read from.
#pragma once
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "earmark/error.h"

namespace earmark {

using Byte = unsigned char;

/// One reader at a time; cancel() may come from any thread.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Blocks until at least one byte is there. @return how many were written to `out`; 0 at the end.
  /// Failure reasons: "read_error", "interrupted".
  virtual Outcome<std::size_t> read(std::span<Byte> out) = 0;
  /// Makes a waiting read, and every later one, fail with "interrupted" before long.
  virtual void cancel() noexcept {}
};

/// Bytes in memory (tests, the look-ahead of a pipe).
class MemoryBytes : public ByteSource {
 public:
  explicit MemoryBytes(std::vector<Byte> bytes) : bytes_(std::move(bytes)) {}
  Outcome<std::size_t> read(std::span<Byte> out) override;

 private:
  std::vector<Byte> bytes_;
  std::size_t position_ = 0;
};

/// A file descriptor: file, pipe, socket or terminal. On one that is not owned (and so may be a live stream)
/// a waiting read looks five times a second whether `stop` is true or cancel() was called, and then fails
/// with "interrupted".
class FdBytes : public ByteSource {
 public:
  FdBytes(int fd, bool owns_fd, const std::atomic<bool>* stop = nullptr)
      : fd_(fd), owns_fd_(owns_fd), stop_(stop) {}
  ~FdBytes() override;
  FdBytes(const FdBytes&) = delete;
  FdBytes& operator=(const FdBytes&) = delete;
  Outcome<std::size_t> read(std::span<Byte> out) override;
  void cancel() noexcept override { cancelled_ = true; }
  /// Takes cancel() back, once the reader that it stopped is gone.
  void resume() noexcept { cancelled_ = false; }

 private:
  int fd_;
  bool owns_fd_;
  const std::atomic<bool>* stop_;
  std::atomic<bool> cancelled_{false};
};

/// `prefix`, then what is left of `rest`: gives back what was looked at ahead of time.
class PrefixedBytes : public ByteSource {
 public:
  PrefixedBytes(std::vector<Byte> prefix, std::unique_ptr<ByteSource> rest)
      : prefix_(std::move(prefix)), rest_(std::move(rest)) {}
  Outcome<std::size_t> read(std::span<Byte> out) override;
  void cancel() noexcept override { rest_->cancel(); }

 private:
  MemoryBytes prefix_;
  std::unique_ptr<ByteSource> rest_;
};

/// Reads until `out` is full or the source ends. @return the number of bytes read.
Outcome<std::size_t> read_fully(ByteSource& source, std::span<Byte> out);

}  // namespace earmark
