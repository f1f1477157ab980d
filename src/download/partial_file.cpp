#include "download/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/file.h"
#include "core/file_errors.h"
#include "core/value.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::size_t kMaxNoteBytes = 1 << 16;

}  // namespace

PartialFile::PartialFile(const std::filesystem::path& whole)
    : whole_(whole), part_(whole.string() + ".part"), note_(whole.string() + ".part.json") {
  // Nothing is written through a link that someone else put there.
  fd_ = ::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  struct stat status {};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) io_error("open", part_);
  size_ = static_cast<std::uint64_t>(status.st_size);
  if (::lseek(fd_, 0, SEEK_END) < 0) io_error("open", part_);
  if (size_ > 0) read_note();
}

PartialFile::~PartialFile() {
  if (fd_ >= 0) ::close(fd_);
  // An empty part says nothing.
  if (size_ == 0) {
    ::unlink(part_.c_str());
    ::unlink(note_.c_str());
  }
}

// A note that does not read is none: the part is then trusted by its checksum or not at all.
void PartialFile::read_note() {
  try {
    const Value note = parse_json(read_text(note_, kMaxNoteBytes), note_.string());
    if (const Value* validator = note.find("validator")) validator_ = validator->as_string();
    if (const Value* total = note.find("total"); total != nullptr && total->is_integer())
      total_ = static_cast<std::uint64_t>(total->as_integer());
    if (const Value* md5 = note.find("md5"); md5 != nullptr && md5->is_string())
      server_md5_ = md5->as_string();
  } catch (const Error&) {
    validator_.clear();
    total_.reset();
    server_md5_.reset();
  }
}

void PartialFile::truncate() {
  if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) < 0) io_error("empty", part_);
  size_ = 0;
}

void PartialFile::begin(const ResponseHead& head) {
  discard();
  validator_ = head.validator();
  total_ = head.total();
  server_md5_ = head.md5;
  Value note{Value::Map()};
  note.set("validator", validator_);
  note.set("total", total_ ? Value(static_cast<std::int64_t>(*total_)) : Value());
  note.set("md5", server_md5_ ? Value(*server_md5_) : Value());
  write_text(note_, to_json(note) + "\n");
}

void PartialFile::append(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) io_error("write", part_);
    size_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void PartialFile::discard() {
  truncate();
  ::unlink(note_.c_str());
  validator_.clear();
  total_.reset();
  server_md5_.reset();
}

void PartialFile::finish() {
  if (::fsync(fd_) != 0 || ::rename(part_.c_str(), whole_.c_str()) != 0) io_error("finish", part_);
  ::unlink(note_.c_str());
}

}  // namespace earmark
