#include "download/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "core/file_errors.h"
#include "download/archive_source.h"
#include "download/entry_place.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCopyBlockBytes = 1 << 18;
constexpr std::size_t kMaxProblems = 20;

/// A folder that is empty at first and gone in the end.
class WorkFolder {
 public:
  explicit WorkFolder(fs::path path) : path_(std::move(path)) {
    fs::remove_all(path_);
    fs::create_directory(path_);
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class NewFile {
 public:
  explicit NewFile(const fs::path& path)
      : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)) {
    if (fd_ < 0) io_error("create", path_);
  }
  ~NewFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  void write(const char* data, std::size_t size) {
    while (size > 0) {
      const ssize_t written = ::write(fd_, data, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) io_error("write", path_);
      data += written;
      size -= static_cast<std::size_t>(written);
    }
  }
  void close() {
    if (::close(std::exchange(fd_, -1)) != 0) io_error("write", path_);
  }

 private:
  fs::path path_;
  int fd_;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

bool same_contents(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (!fs::is_regular_file(b, error) || fs::file_size(a) != fs::file_size(b)) return false;
  std::ifstream left(a, std::ios::binary), right(b, std::ios::binary);
  std::vector<char> one(kCopyBlockBytes), other(kCopyBlockBytes);
  while (left && right) {
    left.read(one.data(), static_cast<std::streamsize>(one.size()));
    right.read(other.data(), static_cast<std::streamsize>(other.size()));
    if (left.gcount() != right.gcount() ||
        std::memcmp(one.data(), other.data(), static_cast<std::size_t>(left.gcount())) != 0)
      return false;
  }
  return left.eof() && right.eof();
}

class Unpacker {
 public:
  explicit Unpacker(const UnpackRequest& request)
      : request_(request), work_(request.folder / (request.archive.name() + ".unpacking")) {
    for (const ArchiveFile& file : request.archive.files) paths_.push_back(request.folder / file.name);
  }

  Unpacked run() {
    if (request_.archive.kind == ArchiveKind::kFile) {
      copy_plain();
    } else {
      open();
      read_entries();
    }
    refuse_if_problems();
    if (!out_.stopped) move_all();
    return std::move(out_);
  }

 private:
  void copy_plain() {
    const EntryPlace place = place_of_entry(request_.archive.name(), request_.archive);
    if (!place.problem.empty()) return problem(place.problem);
    const fs::path to = work_.path() / place.path;
    fs::create_directories(to.parent_path());
    fs::copy_file(paths_.back(), to);
    out_.files.push_back(place.path);
  }

  void open() {
    if (request_.archive.kind == ArchiveKind::kZip) {
      zip_ = std::make_unique<ZipSource>(paths_, request_.max_entries);
      check_directory();
      archive_read_support_format_zip_seekable(reader_.get());
      require(zip_->open(reader_.get()));
    } else {
      total_ = fs::file_size(paths_.back());
      gzip_ = std::make_unique<GzipSource>(paths_.back());
      archive_read_support_format_tar(reader_.get());
      require(gzip_->open(reader_.get()));
    }
  }

  // What a zip's directory says is known before anything is unpacked.
  void check_directory() {
    for (const ZipEntry& entry : zip_->entries()) {
      const EntryPlace place = place_of_entry(entry.name, request_.archive);
      if (!place.problem.empty()) problem(place.problem);
      if (!fits(total_, entry.bytes)) return;
      total_ += entry.bytes;
    }
  }

  void read_entries() {
    std::size_t n_entries = 0;
    archive_entry* entry = nullptr;
    for (;;) {
      if (problems_.size() >= kMaxProblems || stopped()) return;
      const int code = archive_read_next_header(reader_.get(), &entry);
      if (code == ARCHIVE_EOF) return gzip_ != nullptr ? gzip_->require_good_end() : void();
      require(code);
      if (++n_entries > request_.max_entries)
        return problem(fmt::format("more than {} entries", request_.max_entries));
      read_entry(entry);
    }
  }

  void read_entry(archive_entry* entry) {
    const char* utf8 = archive_entry_pathname_utf8(entry);
    const char* raw = utf8 != nullptr ? utf8 : archive_entry_pathname(entry);
    if (raw == nullptr) return problem("an entry whose name does not read");
    const EntryPlace place = place_of_entry(raw, request_.archive);
    if (!place.problem.empty()) return problem(place.problem);
    const auto type = archive_entry_filetype(entry);
    const bool is_link = archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr;
    if (is_link || (type != AE_IFREG && type != AE_IFDIR))
      return problem(fmt::format("'{}' is {}", raw, is_link ? "a link" : "a device or the like"));
    if (type == AE_IFDIR || place.path.empty()) return;
    if (!take_place(place.path)) return;
    // Once something is refused nothing is kept; the rest is only looked through.
    if (problems_.empty()) extract(place.path);
  }

  /// False, and a problem, where another entry stands or needs a folder.
  bool take_place(const std::string& path) {
    bool good = files_.insert(path).second && folders_.count(path) == 0;
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      folders_.insert(path.substr(0, at));
      good = good && files_.count(path.substr(0, at)) == 0;
    }
    if (!good) problem(fmt::format("'{}' is there twice", path));
    const auto [other, is_new] = by_lower_.emplace(lower(path), path);
    if (!is_new && other->second != path)
      out_.warnings.push_back(fmt::format("'{}' and '{}' differ in case alone", other->second, path));
    return good;
  }

  void extract(const std::string& path) {
    const fs::path to = work_.path() / path;
    fs::create_directories(to.parent_path());
    NewFile file(to);
    for (;;) {
      if (stopped()) return;
      const la_ssize_t got = archive_read_data(reader_.get(), block_.data(), block_.size());
      if (got < 0) damaged();  // of contents even a warning (a zip's wrong checksum) is too much
      if (got == 0) break;
      const auto bytes = static_cast<std::uint64_t>(got);
      if (!fits(bytes_, bytes)) return;
      file.write(block_.data(), static_cast<std::size_t>(got));
      bytes_ += bytes;
      if (request_.on_progress) request_.on_progress(done(), total_);
    }
    file.close();
    out_.files.push_back(path);
  }

  // A tar does not say how much is in it; how far it is read does as well.
  std::uint64_t done() const {
    return zip_ != nullptr
               ? bytes_
               : static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(reader_.get(), -1), 0));
  }

  /// Whether `more` may follow what is unpacked; false, and a problem, when that is more than such an archive
  /// holds. @throws Error(kIo) when the disk is too small.
  bool fits(std::uint64_t unpacked, std::uint64_t more) {
    if (more > request_.max_bytes - std::min(request_.max_bytes, unpacked)) {
      problem(fmt::format("more than {} bytes unpacked, which is not what such an archive holds",
                          request_.max_bytes));
      return false;
    }
    if (more > request_.room_bytes - std::min(request_.room_bytes, unpacked))
      throw Error(ErrorCode::kIo, fmt::format("{} unpacks to more than the {} bytes that are free",
                                              paths_.back().string(), request_.room_bytes));
    return true;
  }

  void move_all() {
    std::vector<std::string> in_the_way;
    std::vector<bool> there(out_.files.size(), false);
    for (std::size_t i = 0; i < out_.files.size(); ++i) {
      const fs::path to = request_.root / out_.files[i];
      if (stopped()) return;
      if (!fs::exists(fs::symlink_status(to))) continue;
      there[i] = same_contents(work_.path() / out_.files[i], to);
      const bool replaceable = request_.overwrite && !fs::is_directory(to);
      if (!there[i] && !replaceable) in_the_way.push_back(to.string());
    }
    if (!in_the_way.empty())
      throw Error(ErrorCode::kInvalidOption,
                  request_.archive.name() +
                      " has other contents for files that are there (--overwrite replaces "
                      "them)",
                  in_the_way);
    for (std::size_t i = 0; i < out_.files.size(); ++i) {
      if (there[i]) continue;
      const fs::path to = request_.root / out_.files[i];
      fs::create_directories(to.parent_path());
      fs::rename(work_.path() / out_.files[i], to);
    }
    flush();
  }

  // What is recorded as done must outlast a power cut.
  void flush() {
    const int fd = ::open(request_.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) io_error("open", request_.root);
    const int code = ::syncfs(fd);
    ::close(fd);
    if (code != 0) io_error("write", request_.root);
  }

  // A warning about a head concerns names and attributes; what matters of these is checked here.
  void require(int code) {
    if (code < ARCHIVE_WARN) damaged();
  }
  [[noreturn]] void damaged() {
    const char* why = archive_error_string(reader_.get());
    throw Error(ErrorCode::kBadFile, fmt::format("{} is damaged: {}", paths_.back().string(),
                                                 why != nullptr ? why : "it does not read"));
  }

  void problem(std::string what) {
    if (problems_.size() < kMaxProblems) problems_.push_back(std::move(what));
  }
  void refuse_if_problems() {
    if (!problems_.empty())
      throw Error(ErrorCode::kBadFile, paths_.back().string() + " is refused, nothing of it is kept",
                  problems_);
  }
  bool stopped() {
    if (request_.stop != nullptr && request_.stop->load()) out_.stopped = true;
    return out_.stopped;
  }

  const UnpackRequest& request_;
  WorkFolder work_;
  std::vector<fs::path> paths_;
  // One of them; they outlive the reader, which calls them.
  std::unique_ptr<ZipSource> zip_;
  std::unique_ptr<GzipSource> gzip_;
  std::unique_ptr<archive, decltype(&archive_read_free)> reader_{archive_read_new(), &archive_read_free};
  std::vector<char> block_ = std::vector<char>(kCopyBlockBytes);
  std::uint64_t bytes_ = 0, total_ = 0;
  std::set<std::string> files_, folders_;
  std::map<std::string, std::string> by_lower_;
  std::vector<std::string> problems_;
  Unpacked out_;
};

}  // namespace

Unpacked unpack(const UnpackRequest& request) {
  try {
    return Unpacker(request).run();
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::kIo, error.what());
  }
}

}  // namespace earmark
