#include "tagger/clips.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <map>

#include "audio/write_flac.h"
#include "core/csv.h"
#include "earmark/error.h"
#include "tagger/text.h"

namespace earmark {
namespace {

constexpr std::size_t kMostOpen = 64;  // clips that grow at once; what overlaps more is cut in another pass
constexpr std::size_t kBlock = 8192;   // samples of one channel

const std::vector<std::string> kColumns{"file", "tags", "group", "start_s", "end_s", "tag", "score"};

// A tag as a manifest's list of tags can say it: ";" parts tags, "?" and "!" in front deny, ":" grades.
std::string manifest_tag(const std::string& tag) {
  std::string text = tag;
  std::replace(text.begin(), text.end(), ';', ',');
  text.erase(0, std::min(text.find_first_not_of("?! "), text.size()));
  if (text.find(':') != std::string::npos) text += ":1";
  return text.empty() ? "-" : text;
}

std::filesystem::path folder_of(const std::filesystem::path& folder, const std::string& prefix) {
  const std::filesystem::path parent = (folder / prefix).parent_path();
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error) throw Error(ErrorCode::kIo, fmt::format("cannot make {}: {}", parent.string(), error.message()));
  return parent;
}

// What sounds beside an event. Events of one tag do not overlap, so each tag's are found by halving.
class Company {
 public:
  Company(const std::vector<TagEvent>& events, const std::vector<std::string>& tags) : tags_(tags) {
    for (const TagEvent& event : events) by_tag_[event.tag].push_back(event);
  }
  std::string tags_of(const TagEvent& own, double from_s, double to_s) const {
    std::vector<std::string> named{manifest_tag(tags_[own.tag])};
    for (const auto& [tag, events] : by_tag_) {
      const auto first = std::partition_point(events.begin(), events.end(),
                                              [&](const TagEvent& e) { return e.end_s <= from_s; });
      if (tag == own.tag || first == events.end() || first->start_s >= to_s) continue;
      const std::string text = manifest_tag(tags_[tag]);
      if (std::find(named.begin(), named.end(), text) == named.end()) named.push_back(text);
    }
    return fmt::format("{}", fmt::join(named, ";"));
  }

 private:
  const std::vector<std::string>& tags_;
  std::map<std::size_t, std::vector<TagEvent>> by_tag_;
};

// One recording's clips; each pass over it cuts those that overlap in no more than kMostOpen at once.
class Cutter {
 public:
  Cutter(const ClipFolder::Options& options, const TagInput& input, const std::vector<TagEvent>& events,
         const std::vector<std::string>& names)
      : options_(options), input_(input), events_(events), names_(names), made_(events.size(), false) {
    for (std::size_t i = 0; i < events.size(); ++i) waiting_.push_back(i);
  }

  /// @return why some could not be made.
  std::optional<Failure> run(const std::atomic<bool>* stop) {
    while (!waiting_.empty() && !stopped_) {
      DecodeOptions decode = options_.decode;
      decode.stop = stop;
      auto source = open_audio(input_.path, decode);
      if (!source) return source.failure();
      format_ = {(*source)->sample_rate_hz(),
                 (*source)->n_channels(),
                 depth((*source)->n_bits()),
                 "",
                 "",
                 options_.software};
      const auto problems = format_.problems();
      if (!problems.empty()) return Failure{"unsupported", fmt::format("{}", fmt::join(problems, "; "))};
      auto failure = pass(**source, stop);
      open_.clear();
      if (failure) return failure;
    }
    return std::nullopt;
  }

  bool made(std::size_t event) const { return made_[event]; }
  bool stopped() const { return stopped_; }

 private:
  struct Growing {
    std::size_t event;
    FlacWriter writer;
  };

  static int depth(int n_bits) { return n_bits == 0 || n_bits > 16 ? 24 : n_bits > 8 ? 16 : 8; }

  std::int64_t position(double seconds) const {
    return std::max<std::int64_t>(0, std::llround(seconds * format_.sample_rate_hz));
  }
  std::int64_t begin_of(std::size_t event) const {
    return position(events_[event].start_s - options_.margin_s);
  }
  std::int64_t end_of(std::size_t event) const {
    return std::max(position(events_[event].end_s + options_.margin_s), begin_of(event) + 1);
  }

  std::optional<Failure> pass(AudioSource& source, const std::atomic<bool>* stop) {
    std::vector<std::size_t> later;
    std::size_t next = 0;
    std::int64_t here = 0;
    std::vector<float> block(kBlock * static_cast<std::size_t>(format_.n_channels));
    while (next < waiting_.size() || !open_.empty()) {
      stopped_ = stop != nullptr && *stop;
      if (stopped_) return std::nullopt;
      const auto n = source.read(block);
      if (!n) return n.failure();
      if (*n == 0) break;
      const auto end = here + static_cast<std::int64_t>(*n);
      for (; next < waiting_.size() && begin_of(waiting_[next]) < end; ++next) {
        if (open_.size() < kMostOpen) {
          open(waiting_[next]);
        } else {
          later.push_back(waiting_[next]);
        }
      }
      write(block, here, end);
      here = end;
    }
    const bool cut_off = next < waiting_.size() || !all_heard(here);
    for (Growing& growing : open_) {
      if (heard(growing.event, here)) commit(growing);
    }
    waiting_ = std::move(later);
    if (!cut_off) return std::nullopt;
    return Failure{"truncated", fmt::format("the recording now ends after {:.3f} s",
                                            static_cast<double>(here) / format_.sample_rate_hz)};
  }

  // Whether the event itself is there; the end of the sound was measured at the network's rate.
  bool heard(std::size_t event, std::int64_t end) const {
    return position(events_[event].end_s) <= end + format_.sample_rate_hz / 100;
  }
  bool all_heard(std::int64_t end) const {
    return std::all_of(open_.begin(), open_.end(), [&](const Growing& g) { return heard(g.event, end); });
  }

  void open(std::size_t event) {
    const TagEvent& e = events_[event];
    format_.title = options_.tags[e.tag];
    format_.comment = fmt::format("{} from {} s to {} s, score {}, {}", input_.name, decimal(e.start_s),
                                  decimal(e.end_s), decimal(static_cast<double>(e.score)), options_.origin);
    open_.push_back({event, FlacWriter(options_.folder / names_[event], format_)});
  }

  void write(const std::vector<float>& block, std::int64_t begin, std::int64_t end) {
    const auto n_channels = static_cast<std::size_t>(format_.n_channels);
    for (Growing& growing : open_) {
      const std::int64_t from = std::max(begin_of(growing.event), begin) - begin;
      const std::int64_t to = std::min(end_of(growing.event), end) - begin;
      growing.writer.write(std::span(block).subspan(static_cast<std::size_t>(from) * n_channels,
                                                    static_cast<std::size_t>(to - from) * n_channels));
      if (end_of(growing.event) <= end) commit(growing);
    }
    std::erase_if(open_, [&](const Growing& growing) { return made_[growing.event]; });
  }

  void commit(Growing& growing) {
    growing.writer.commit();
    made_[growing.event] = true;
  }

  const ClipFolder::Options& options_;
  const TagInput& input_;
  const std::vector<TagEvent>& events_;
  const std::vector<std::string>& names_;
  std::vector<bool> made_;
  std::vector<std::size_t> waiting_;  // events, by start
  std::list<Growing> open_;
  FlacFormat format_;
  bool stopped_ = false;
};

CsvTable read_list(const std::filesystem::path& path) {
  std::vector<std::string> problems;  // a torn last row
  CsvTable table = CsvTable::read(path, ',', problems);
  if (table.columns() != kColumns)
    throw Error(ErrorCode::kBadFile,
                fmt::format("{} is no list of clips; name another folder", path.string()));
  return table;
}

}  // namespace

ClipFolder::ClipFolder(Options options, const std::set<std::string>& done)
    : options_(std::move(options)), tag_names_(safe_tag_names(options_.tags)) {
  folder_of(options_.folder, "x");
  const std::filesystem::path path = list_path(options_.folder);
  std::string text = csv_line(kColumns);
  if (!done.empty() && std::filesystem::exists(path)) {
    const CsvTable before = read_list(path);
    for (const CsvRow& row : before.rows()) {
      if (done.contains(row.fields[2])) text += csv_line(row.fields);
    }
  }
  write_text(path, text);
  list_.emplace(path);
}

ClipFolder::Clips ClipFolder::cut(const TagInput& input, const std::string& prefix,
                                  const std::vector<TagEvent>& events, const std::atomic<bool>* stop) const {
  Clips clips;
  if (events.empty()) return clips;
  folder_of(options_.folder, prefix);
  const std::vector<std::string> names = clip_names(prefix, events, tag_names_);
  Cutter cutter(options_, input, events, names);
  const auto failure = cutter.run(stop);
  clips.stopped = cutter.stopped() || (failure && stop != nullptr && *stop);  // a signal reaches ffmpeg too
  if (clips.stopped) return clips;
  const Company company(events, options_.tags);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const TagEvent& e = events[i];
    if (!cutter.made(i)) continue;
    clips.rows.push_back(
        {names[i], company.tags_of(e, e.start_s - options_.margin_s, e.end_s + options_.margin_s), e});
  }
  if (failure)
    clips.warning =
        fmt::format("clips_missing: {} of {} could not be cut: {}: {}", events.size() - clips.rows.size(),
                    events.size(), failure->reason, failure->detail);
  return clips;
}

void ClipFolder::list(const std::string& recording, const std::vector<ClipRow>& rows) {
  std::string text;
  for (const ClipRow& row : rows) {
    const TagEvent& e = row.event;
    text += csv_line({row.clip, row.tags, recording, decimal(e.start_s), decimal(e.end_s),
                      options_.tags[e.tag], decimal(static_cast<double>(e.score))});
  }
  if (text.empty()) return;
  text.pop_back();
  list_->append(text);
}

std::filesystem::path ClipFolder::list_path(const std::filesystem::path& folder) {
  return folder / "manifest.csv";
}

void ClipFolder::remove_clips(const std::filesystem::path& folder) {
  const std::filesystem::path path = list_path(folder);
  if (!std::filesystem::exists(path)) return;
  const CsvTable table = read_list(path);
  for (const CsvRow& row : table.rows()) {
    const std::filesystem::path clip = std::filesystem::path(row.fields[0]).lexically_normal();
    const bool below = !clip.empty() && clip.is_relative() && *clip.begin() != "..";
    std::error_code ignored;  // somebody may have moved it away
    if (below && clip.extension() == ".flac") std::filesystem::remove(folder / clip, ignored);
  }
  std::filesystem::remove(path);
}

}  // namespace earmark
