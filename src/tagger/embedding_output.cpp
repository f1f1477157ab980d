#include "tagger/embedding_output.h"

#include <fmt/format.h>

#include <optional>

#include "core/csv.h"
#include "core/file.h"
#include "earmark/error.h"
#include "tagger/part_file.h"
#include "tagger/text.h"

namespace earmark {
namespace {

constexpr std::size_t kHeaderBytes =
    128;  // of .npy version 1, filled up with blanks, so that it can be renewed
constexpr const char* kIndexColumns = "row,file,start_s,end_s\n";

std::string npy_header(std::uint64_t n_rows, int width) {
  std::string header("\x93NUMPY\x01\x00\x76\x00", 10);  // 0x76 = 118 bytes follow
  header += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", n_rows, width);
  header.resize(kHeaderBytes - 1, ' ');
  return header + "\n";
}

class EmbeddingOutput : public TagOutput {
 public:
  EmbeddingOutput(std::unique_ptr<TagOutput> inner, const std::filesystem::path& file, int width, bool resume,
                  const std::set<std::string>& done, const std::set<std::string>& heard)
      : inner_(std::move(inner)), file_(file), index_(with_suffix(file, ".csv")), width_(width) {
    const std::filesystem::path rows = with_suffix(file_, ".partial"),
                                index = with_suffix(index_, ".partial");
    if (resume && !done.empty()) {
      // The job was done: new inputs, if any, follow.
      if (!std::filesystem::exists(rows) && std::filesystem::exists(file_))
        std::filesystem::rename(file_, rows);
      if (!std::filesystem::exists(index) && std::filesystem::exists(index_))
        std::filesystem::rename(index_, index);
    } else {
      for (const auto& path : embedding_files(file_)) std::filesystem::remove(path);
    }
    const std::string kept = std::filesystem::exists(index) ? kept_index(index, done) : kIndexColumns;
    if (resume) check_whole(heard);
    rows_.emplace(rows, bytes_of(n_rows_));
    if (rows_->size() < bytes_of(n_rows_) && n_rows_ > 0)
      throw Error(ErrorCode::kBadFile,
                  fmt::format("{} has fewer rows than {} names; begin anew with overwrite", rows.string(),
                              index.string()));
    if (rows_->size() < kHeaderBytes) {
      rows_->cut(0);
      rows_->append(npy_header(0, width_));
    }
    write_text(index, kept);
    names_.emplace(index, kept.size());
  }

  void begin(const std::string& name, const std::filesystem::path& file) override {
    name_ = name;
    start_ = {n_rows_, names_->size()};
    inner_->begin(name, file);
  }
  void segment(const SegmentScores& segment) override {
    inner_->segment(segment);
    if (segment.embedding.size() != static_cast<std::size_t>(width_))
      throw Error(ErrorCode::kInternal, fmt::format("a segment's embedding must have {} values, got {}",
                                                    width_, segment.embedding.size()));
    rows_->append({reinterpret_cast<const char*>(segment.embedding.data()), 4 * segment.embedding.size()});
    names_->append(
        csv_line({std::to_string(n_rows_), name_, decimal(segment.start_s), decimal(segment.end_s)}));
    ++n_rows_;
  }
  void set_clock(const std::optional<ClockAnchor>& clock) override { inner_->set_clock(clock); }
  void gap(const StreamGap& gap) override { inner_->gap(gap); }
  void end(const LedgerEntry& entry) override { inner_->end(entry); }
  bool abandon(const LedgerEntry& entry) override {
    n_rows_ = start_.n_rows;
    rows_->cut(bytes_of(n_rows_));
    names_->cut(start_.index_bytes);
    return inner_->abandon(entry);
  }
  void finish() override {
    rows_->overwrite_front(npy_header(n_rows_, width_));
    rows_->commit(file_);
    names_->commit(index_);
    inner_->finish();
  }
  void stop() override { inner_->stop(); }

 private:
  struct Start {
    std::uint64_t n_rows = 0, index_bytes = 0;
  };

  std::uint64_t bytes_of(std::uint64_t n_rows) const {
    return kHeaderBytes + 4 * n_rows * static_cast<std::uint64_t>(width_);
  }

  // The lines of recordings that are done, up to the first of another one; counts them.
  std::string kept_index(const std::filesystem::path& index, const std::set<std::string>& done) {
    std::vector<std::string> torn;  // a last line that a kill cut off
    const std::vector<CsvRow> lines = parse_csv_rows(read_text(index), index.string(), ',', torn);
    std::string kept = kIndexColumns;
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const std::vector<std::string>& fields = lines[i].fields;
      if (fields.size() != 4 || fields[0] != std::to_string(n_rows_) || !done.contains(fields[1])) break;
      kept += csv_line(fields);
      kept_names_.insert(fields[1]);
      ++n_rows_;
    }
    return kept;
  }

  // Recordings that are done are not heard again, so a table that lacks them would stay without.
  void check_whole(const std::set<std::string>& heard) const {
    std::size_t n_missing = 0;
    std::string first;
    for (const std::string& name : heard) {
      if (kept_names_.contains(name)) continue;
      if (n_missing++ == 0) first = name;
    }
    if (n_missing > 0)
      throw Error(
          ErrorCode::kInvalidOption,
          fmt::format("embeddings: {} has no rows of {} recordings that the run has done ({} and so on); "
                      "go on with the file that it was begun with, or begin anew with overwrite",
                      file_.string(), n_missing, first));
  }

  std::unique_ptr<TagOutput> inner_;
  std::filesystem::path file_, index_;
  int width_;
  std::optional<PartFile> rows_, names_;
  std::uint64_t n_rows_ = 0;
  std::set<std::string> kept_names_;
  std::string name_;
  Start start_;
};

}  // namespace

std::unique_ptr<TagOutput> make_embedding_output(std::unique_ptr<TagOutput> inner,
                                                 const std::filesystem::path& file, int width, bool resume,
                                                 const std::set<std::string>& done,
                                                 const std::set<std::string>& heard) {
  return std::make_unique<EmbeddingOutput>(std::move(inner), file, width, resume, done, heard);
}

std::vector<std::filesystem::path> embedding_files(const std::filesystem::path& file) {
  const std::filesystem::path index = with_suffix(file, ".csv");
  return {file, index, with_suffix(file, ".partial"), with_suffix(index, ".partial")};
}

}  // namespace earmark
