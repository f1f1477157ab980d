#include "download/archive_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::size_t kBlockBytes = 1 << 18;
// A tar ends in zeros, as many as the tape's blocks want.
constexpr std::uint64_t kMostAfterTheEnd = 64 << 20;

}  // namespace

ZipSource::ZipSource(const std::vector<std::filesystem::path>& paths, std::size_t max_entries)
    : zip_(paths, max_entries), buffer_(kBlockBytes) {}

int ZipSource::open(archive* reader) {
  archive_read_set_read_callback(reader, &ZipSource::read);
  archive_read_set_seek_callback(reader, &ZipSource::seek);
  archive_read_set_callback_data(reader, this);
  return archive_read_open1(reader);
}

la_ssize_t ZipSource::read(archive* reader, void* self, const void** block) {
  auto& source = *static_cast<ZipSource*>(self);
  try {
    const std::size_t got = source.zip_.read(source.at_, source.buffer_);
    source.at_ += got;
    *block = source.buffer_.data();
    return static_cast<la_ssize_t>(got);
  } catch (const std::exception& error) {
    archive_set_error(reader, EIO, "%s", error.what());
    return ARCHIVE_FATAL;
  }
}

la_int64_t ZipSource::seek(archive*, void* self, la_int64_t offset, int whence) {
  auto& source = *static_cast<ZipSource*>(self);
  const auto size = static_cast<la_int64_t>(source.zip_.size());
  const la_int64_t base = whence == SEEK_SET   ? 0
                          : whence == SEEK_CUR ? static_cast<la_int64_t>(source.at_)
                                               : size;
  // Offsets come from the archive: a sum that overflows would be anywhere.
  const la_int64_t to = std::clamp<la_int64_t>(offset, -base, size - base) + base;
  source.at_ = static_cast<std::uint64_t>(to);
  return to;
}

GzipSource::GzipSource(const std::filesystem::path& path)
    : path_(path), file_(::gzopen(path.c_str(), "rbe")), buffer_(kBlockBytes) {
  if (file_ == nullptr)
    throw Error(ErrorCode::kIo, fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
}

GzipSource::~GzipSource() { ::gzclose_r(file_); }

int GzipSource::open(archive* reader) {
  // zlib hands on what is no gzip as it is.
  if (::gzdirect(file_) != 0) {
    archive_set_error(reader, EINVAL, "it is no gzip");
    return ARCHIVE_FATAL;
  }
  return archive_read_open(reader, this, nullptr, &GzipSource::read, nullptr);
}

la_ssize_t GzipSource::read(archive* reader, void* self, const void** block) {
  auto& source = *static_cast<GzipSource*>(self);
  const int got = ::gzread(source.file_, source.buffer_.data(), static_cast<unsigned>(source.buffer_.size()));
  *block = source.buffer_.data();
  int code = Z_OK;
  const char* why = ::gzerror(source.file_, &code);
  if (got >= 0 && code == Z_OK) return got;
  archive_set_error(reader, EIO, "%s", why);
  return ARCHIVE_FATAL;
}

void GzipSource::require_good_end() {
  std::uint64_t n = 0;
  int got = 0, code = Z_OK;
  do {
    got = ::gzread(file_, buffer_.data(), static_cast<unsigned>(buffer_.size()));
    n += static_cast<std::uint64_t>(std::max(got, 0));
  } while (got > 0 && n <= kMostAfterTheEnd);
  const char* why = ::gzerror(file_, &code);
  if (got < 0 || code != Z_OK)
    throw Error(ErrorCode::kBadFile, fmt::format("{} is damaged: {}", path_.string(), why));
  if (got > 0)
    throw Error(ErrorCode::kBadFile, fmt::format("{} is refused: more than {} bytes follow its end",
                                                 path_.string(), kMostAfterTheEnd));
}

}  // namespace earmark
