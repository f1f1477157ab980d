#include "tagger/tag_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "core/file.h"
#include "core/value.h"
#include "earmark/error.h"
#include "tagger/part_file.h"
#include "tagger/text.h"

namespace earmark {
namespace {

class TextOutput : public TagOutput {
 public:
  TextOutput(TagFormatter formatter, std::function<void(std::string_view)> on_text)
      : formatter_(std::move(formatter)), on_text_(std::move(on_text)) {}

  void begin(const std::string& name, const std::filesystem::path&) override {
    name_ = name;
    begun_ = false;
  }
  void set_clock(const std::optional<ClockAnchor>& clock) override { formatter_.set_clock(clock); }
  void gap(const StreamGap& gap) override {
    introduce();
    tell(formatter_.gap(gap));
  }
  void segment(const SegmentScores& segment) override {
    introduce();
    tell(formatter_.segment(segment));
  }
  void end(const LedgerEntry& entry) override {
    introduce();
    tell(formatter_.end(entry.warnings));
  }
  bool abandon(const LedgerEntry&) override {
    formatter_.abandon();
    return !begun_;
  }
  void finish() override { head(); }

 private:
  void tell(const std::string& text) {
    if (!text.empty()) on_text_(text);
  }
  void head() {
    if (!std::exchange(headed_, true)) tell(formatter_.header());
  }
  // Late, so that a recording that fails at once has no heading.
  void introduce() {
    head();
    if (!std::exchange(begun_, true)) tell(formatter_.begin(name_));
  }

  TagFormatter formatter_;
  std::function<void(std::string_view)> on_text_;
  std::string name_;
  bool headed_ = false, begun_ = false;
};

struct Position {
  std::uint64_t end = 0;
  long rows = 0;
};

// Where a run that went on behind a finished one began: behind all that the ledger had then.
const std::string kBase;

// The journal of ends, as far as it agrees with the ledger and with an output of `size` bytes; torn or
// foreign lines end it. The first line may be that of kBase.
std::vector<std::pair<std::string, Position>> read_progress(const std::filesystem::path& path,
                                                            const std::set<std::string>& done,
                                                            std::uint64_t size) {
  std::vector<std::pair<std::string, Position>> ends;
  const std::string text = read_text(path);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t newline = text.find('\n', begin);
    if (newline == std::string::npos) break;
    const Value line = parse_json(std::string_view(text).substr(begin, newline - begin), path.string());
    begin = newline + 1;
    const std::string& input = line.at("input").as_string();
    const Position position{static_cast<std::uint64_t>(line.at("end").as_integer()),
                            static_cast<long>(line.at("rows").as_integer())};
    const bool is_base = input == kBase && ends.empty();
    if (!is_base && (!done.contains(input) || position.end > size)) break;
    ends.push_back({input, position});
  }
  return ends;
}

std::string progress_line(const std::string& input, const Position& position) {
  return fmt::format(R"({{"input": {}, "end": {}, "rows": {}}})", json_text(input), position.end,
                     position.rows);
}

class FileOutput : public TagOutput {
 public:
  FileOutput(TagFormatter formatter, TagFormat format, const std::filesystem::path& file, bool resume,
             std::set<std::string>& done)
      : formatter_(std::move(formatter)),
        final_(file),
        growing_(format == TagFormat::kJsonl ? file : with_suffix(file, ".partial")),
        progress_path_(with_suffix(file, ".progress")) {
    const Position start = resume ? take_up(done) : begin_anew();
    formatter_.set_n_rows(start.rows);
    // Before the first byte of output, so that an output without one is a whole output.
    progress_.emplace(progress_path_);
    part_.emplace(growing_, start.end);
    if (part_->size() == 0) part_->append(formatter_.header());
  }

  void begin(const std::string& name, const std::filesystem::path&) override {
    name_ = name;
    start_ = {part_->size(), formatter_.n_rows()};
    begun_ = false;
  }
  void set_clock(const std::optional<ClockAnchor>& clock) override { formatter_.set_clock(clock); }
  void gap(const StreamGap& gap) override {
    introduce();
    part_->append(formatter_.gap(gap));
  }
  void segment(const SegmentScores& segment) override {
    introduce();
    part_->append(formatter_.segment(segment));
  }
  void end(const LedgerEntry& entry) override {
    introduce();
    part_->append(formatter_.end(entry.warnings));
    note();
  }
  bool abandon(const LedgerEntry&) override {
    formatter_.abandon();
    part_->cut(start_.end);
    formatter_.set_n_rows(start_.rows);
    note();
    return true;
  }
  void finish() override {
    part_->commit(final_);
    std::filesystem::remove(progress_path_);
  }

 private:
  void introduce() {
    if (!std::exchange(begun_, true)) part_->append(formatter_.begin(name_));
  }
  void note() { progress_->append(progress_line(name_, {part_->size(), formatter_.n_rows()})); }

  Position begin_anew() {
    for (const auto& path : file_output_names(final_)) std::filesystem::remove(path);
    return {};
  }

  // Goes on behind the last recording that the output has whole; `done` becomes those that it has.
  Position take_up(std::set<std::string>& done) {
    if (done.empty()) return begin_anew();
    if (!std::filesystem::exists(progress_path_)) {
      if (std::filesystem::exists(final_)) return behind_finished();
      done.clear();  // somebody took the output away
      return begin_anew();
    }
    put_back();
    std::error_code missing;
    const std::uintmax_t there = std::filesystem::file_size(growing_, missing);
    const std::uint64_t size = missing ? 0 : there;
    const auto ends = read_progress(progress_path_, done, size);
    const bool has_base = !ends.empty() && ends.front().first == kBase;
    if (has_base && ends.front().second.end > size)
      throw Error(ErrorCode::kBadFile, fmt::format("{} is shorter than {} says; begin anew with overwrite",
                                                   growing_.string(), progress_path_.string()));
    std::string kept;
    std::set<std::string> here;
    for (const auto& [input, position] : ends) {
      kept += progress_line(input, position) + "\n";
      here.insert(input);
    }
    write_text(progress_path_, kept);
    if (!has_base) done = std::move(here);
    return ends.empty() ? Position{} : ends.back().second;
  }

  // The job was done: new inputs, if any, follow. The rows are the lines below the header.
  Position behind_finished() {
    const std::string text = read_text(final_, std::numeric_limits<std::size_t>::max());
    const auto lines = static_cast<long>(std::count(text.begin(), text.end(), '\n'));
    const Position end{text.rfind('\n') + 1, lines - (formatter_.header().empty() ? 0 : 1)};
    write_text(progress_path_, progress_line(kBase, end) + "\n");
    put_back();
    return end;
  }

  // From its final name, which a run that was killed at its very end had given it already.
  void put_back() {
    if (final_ != growing_ && !std::filesystem::exists(growing_) && std::filesystem::exists(final_))
      std::filesystem::rename(final_, growing_);
  }

  TagFormatter formatter_;
  std::filesystem::path final_, growing_, progress_path_;
  std::optional<PartFile> part_;
  std::optional<Journal> progress_;
  std::string name_;
  Position start_;
  bool begun_ = false;
};

class TreeOutput : public TagOutput {
 public:
  explicit TreeOutput(TagFormatter formatter) : formatter_(std::move(formatter)) {}
  ~TreeOutput() override { discard(); }

  void begin(const std::string& name, const std::filesystem::path& file) override {
    name_ = name;
    file_ = file;
  }
  void set_clock(const std::optional<ClockAnchor>& clock) override { formatter_.set_clock(clock); }
  void gap(const StreamGap& gap) override {
    open();
    part_->append(formatter_.gap(gap));
  }
  void segment(const SegmentScores& segment) override {
    open();
    part_->append(formatter_.segment(segment));
  }
  void end(const LedgerEntry& entry) override {
    open();
    part_->append(formatter_.end(entry.warnings));
    part_->commit(file_);
    part_.reset();
  }
  bool abandon(const LedgerEntry&) override {
    formatter_.abandon();
    discard();
    return true;
  }

 private:
  void open() {
    if (part_) return;
    std::filesystem::create_directories(file_.parent_path());
    formatter_.set_n_rows(0);
    part_.emplace(with_suffix(file_, ".partial"), 0);
    part_->append(formatter_.header());
    part_->append(formatter_.begin(name_));
  }
  void discard() {
    if (!part_) return;
    part_.reset();
    std::error_code ignored;
    std::filesystem::remove(with_suffix(file_, ".partial"), ignored);
  }

  TagFormatter formatter_;
  std::optional<PartFile> part_;
  std::string name_;
  std::filesystem::path file_;
};

}  // namespace

std::unique_ptr<TagOutput> make_text_output(TagFormatter formatter,
                                            std::function<void(std::string_view)> on_text) {
  return std::make_unique<TextOutput>(std::move(formatter), std::move(on_text));
}

std::unique_ptr<TagOutput> make_file_output(TagFormatter formatter, TagFormat format,
                                            const std::filesystem::path& file, bool resume,
                                            std::set<std::string>& done) {
  return std::make_unique<FileOutput>(std::move(formatter), format, file, resume, done);
}

std::unique_ptr<TagOutput> make_tree_output(TagFormatter formatter) {
  return std::make_unique<TreeOutput>(std::move(formatter));
}

std::vector<std::filesystem::path> file_output_names(const std::filesystem::path& file) {
  return {file, with_suffix(file, ".partial"), with_suffix(file, ".progress")};
}

}  // namespace earmark
