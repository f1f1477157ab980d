#include "download/download_journal.h"

#include <fmt/format.h>

#include <string_view>

#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

constexpr const char* kName = ".earmark_download.jsonl";

Value checksums(const Archive& archive) {
  Value list{Value::List()};
  for (const ArchiveFile& file : archive.files) list.push_back(file.md5 ? Value(*file.md5) : Value());
  return list;
}

bool says(const Value& line, std::string_view key, const Value& value) {
  const Value* found = line.find(key);
  return found != nullptr && *found == value;
}

}  // namespace

DownloadJournal::DownloadJournal(const fs::path& root) : root_(root), journal_(root / kName) {
  const fs::path path = root / kName;
  const std::string text = read_text(path);
  std::vector<std::string> problems;
  int number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    ++number;
    try {
      lines_.push_back(parse_json(std::string_view(text).substr(begin, end - begin), path.string()));
    } catch (const Error&) {
      problems.push_back(fmt::format("{}:{}: is no JSON", path.string(), number));
    }
    begin = end + 1;
  }
  if (!problems.empty())
    throw Error(ErrorCode::kBadFile,
                "the journal of earlier downloads is damaged; without the file all is fetched anew",
                problems);
}

std::optional<std::size_t> DownloadJournal::n_files(const std::string& dataset, const std::string& release,
                                                    const Archive& archive) const {
  for (auto line = lines_.rbegin(); line != lines_.rend(); ++line) {
    const Value *n = line->find("n_files"), *ends = line->find("ends");
    if (!says(*line, "dataset", dataset) || !says(*line, "release", release) ||
        !says(*line, "archive", archive.name()) || n == nullptr || !n->is_integer() || ends == nullptr ||
        !ends->is_list())
      continue;
    if (!says(*line, "md5", checksums(archive))) return std::nullopt;
    for (const Value& file : ends->as_list()) {
      std::error_code error;
      if (!file.is_string() || !fs::is_regular_file(root_ / file.as_string(), error)) return std::nullopt;
    }
    return static_cast<std::size_t>(n->as_integer());
  }
  return std::nullopt;
}

void DownloadJournal::add(const std::string& dataset, const std::string& release, const Archive& archive,
                          const std::vector<std::string>& files) {
  Value line{Value::Map()}, ends{Value::List()};
  if (!files.empty()) {
    ends.push_back(files.front());
    ends.push_back(files.back());
  }
  line.set("dataset", dataset);
  line.set("release", release);
  line.set("archive", archive.name());
  line.set("md5", checksums(archive));
  line.set("n_files", static_cast<std::int64_t>(files.size()));
  line.set("ends", std::move(ends));
  journal_.append(to_json(line));
  lines_.push_back(std::move(line));
}

}  // namespace earmark
