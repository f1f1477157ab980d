#include "data/fsdkaggle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/file.h"
#include "data/parse.h"
#include "data/taxonomies.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

// Columns that become metadata, and under which name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kMetadata{
    std::pair{std::string_view("freesound_id"), std::string_view("freesound_id")},
    std::pair{std::string_view("flickr_video_URL"), std::string_view("flickr_video_url")},
    std::pair{std::string_view("license"), std::string_view("license")},
    std::pair{std::string_view("usage"), std::string_view("usage")}};

class FsdKaggleReader {
 public:
  FsdKaggleReader(const FsdKaggleForm& form, const fs::path& root, const DatasetOptions& options)
      : form_(form),
        root_(root),
        options_(options),
        taxonomy_(known_taxonomy(form.name)),
        labels_(taxonomy_),
        findings_(form.name) {}

  Dataset read() {
    data_.name = form_.name;
    use_taxonomy(data_, taxonomy_);
    data_.single_label = form_.labels_column == "label";
    if (options_.annotations.empty()) {
      check_vocabulary();
      for (const FsdKagglePart& part : form_.parts) read_part(part);
      if (!any_list_) name_what_was_looked_for();
    } else {
      read_annotations();
    }
    if (!found_bad_.empty()) {
      findings_.warn(
          fmt::format("{} curated clips known to be silent or wrongly labelled are left out "
                      "(keep_known_bad keeps them): {}",
                      found_bad_.size(), fmt::join(found_bad_, ", ")));
    }
    labels_.warn_of_respelt(findings_);
    findings_.require_none();
    data_.warnings = findings_.warnings();
    return std::move(data_);
  }

 private:
  void name_what_was_looked_for() {
    std::vector<std::string> names;
    for (const FsdKagglePart& part : form_.parts) {
      for (const FsdKaggleList& list : part.lists) names.push_back(list.path);
    }
    findings_.problem(
        fmt::format("{}: there is none of its lists: {}", root_.string(), fmt::join(names, ", ")));
  }

  // Every row names one of the tags; a first row that does not is a header.
  void check_vocabulary() {
    const fs::path path = first_file(root_, {"FSDKaggle2019.meta/vocabulary.csv", "vocabulary.csv"});
    if (form_.name != "fsdkaggle2019" || path.empty()) return;
    std::vector<std::string> problems;
    std::set<std::size_t> named;
    std::size_t n_rows = 0;
    for (const CsvRow& row : parse_csv_rows(read_text(path), path.string(), ',', problems)) {
      bool known = n_rows++ == 0;
      for (const std::string& field : row.fields) {
        const auto tag = taxonomy_.index(field);
        if (tag && !named.insert(*tag).second)
          problems.push_back(fmt::format("{}:{}: '{}' is there twice", path.string(), row.line, field));
        known |= tag.has_value();
      }
      if (!known)
        problems.push_back(
            fmt::format("{}:{}: names none of the {} labels", path.string(), row.line, taxonomy_.size()));
    }
    for (std::size_t tag = 0; tag < taxonomy_.size(); ++tag) {
      if (named.count(tag) == 0)
        problems.push_back(fmt::format("{}: label '{}' is not there", path.string(), taxonomy_.tags[tag]));
    }
    for (const std::string& problem : problems) findings_.problem(problem);
  }

  void read_annotations() {
    const ListColumns columns{{"fname", form_.labels_column},
                              {"manually_verified", "freesound_id", "flickr_video_URL", "license", "usage"}};
    const auto table = ListTable::read(options_.annotations, ',', columns, findings_);
    if (!table) return;
    FsdKagglePart part;
    part.split = table->has("usage") ? "test" : "train";
    RecordingFinder recordings({root_}, options_);
    for (const CsvRow& row : table->rows()) read_row(part, true, *table, row, recordings);
  }

  void read_part(const FsdKagglePart& part) {
    const bool wanted = part.subset.empty() || options_.subset == TrainSubset::kAll ||
                        (part.subset == "curated") == (options_.subset == TrainSubset::kCurated);
    if (!wanted) return;
    const auto list = std::find_if(part.lists.begin(), part.lists.end(), [&](const FsdKaggleList& candidate) {
      return !first_file(root_, {candidate.path}).empty();
    });
    const fs::path folder = first_folder(root_, part.folders);
    RecordingFinder recordings({folder.empty() ? root_ / part.folders.front() : folder}, options_);
    if (list != part.lists.end()) {
      any_list_ = true;
      const auto table = ListTable::read(root_ / list->path, ',', list->columns, findings_);
      if (table) read_list(part, *list, *table, folder, recordings);
    } else if (recordings.any_found()) {
      findings_.warn(fmt::format("{}: there is no list of its recordings", folder.string()));
    }
    add_unlisted(recordings, data_, findings_);
  }

  void read_list(const FsdKagglePart& part, const FsdKaggleList& list, const ListTable& table,
                 const fs::path& folder, RecordingFinder& recordings) {
    if (folder.empty() && options_.needs_recordings()) {
      const std::string missing =
          fmt::format("{}: lists {} recordings, but there is no folder {}", table.name(), table.rows().size(),
                      fmt::join(part.folders, " or "));
      // Who only trains has no use for the recordings of the test.
      return part.split == "test" ? findings_.warn(missing + "; they are left out")
                                  : findings_.problem(missing);
    }
    if (part.subset.empty() && part.split == "train" && !table.has("manually_verified")) {
      findings_.warn(table.name() + ":1: there is no column 'manually_verified': no clip counts as verified");
    }
    for (const CsvRow& row : table.rows()) read_row(part, list.labelled, table, row, recordings);
  }

  void read_row(const FsdKagglePart& part, bool labelled, const ListTable& table, const CsvRow& row,
                RecordingFinder& recordings) {
    const std::string& fname = table.field(row, "fname");
    const std::string where = table.where(row);
    const auto path = recordings.take(fname, where, findings_);
    Clip clip;
    clip.id = part.id_prefix + fname;
    clip.path = path.value_or(fs::path());
    clip.split = part.split;
    clip.verified = labelled && part.verified;
    clip.targets.assign(taxonomy_.size(), labelled ? 0.0f : kUnknownTarget);
    if (labelled) read_labels(table.field(row, form_.labels_column), where, clip);
    read_verified(part, table, row, clip);
    read_metadata(part, table, row, clip);
    if (!path) return;
    if (part.subset == "curated" && !options_.keep_known_bad && form_.known_bad.count(fname) > 0) {
      found_bad_.push_back(fname);
    } else if (!ids_.insert(clip.id).second) {
      findings_.problem(where, fmt::format("'{}' is in another list too", fname));
    } else {
      data_.clips.push_back(std::move(clip));
    }
  }

  void read_labels(const std::string& text, const std::string& where, Clip& clip) {
    std::size_t begin = 0;
    while (begin <= text.size()) {
      const std::size_t end = data_.single_label ? text.size() : std::min(text.find(',', begin), text.size());
      const auto tag = labels_.read(text.substr(begin, end - begin), where, findings_);
      if (tag && clip.targets[*tag] == 1.0f)
        findings_.problem(where, fmt::format("labels: '{}' is named twice", taxonomy_.tags[*tag]));
      if (tag) clip.targets[*tag] = 1.0f;
      begin = end + 1;
    }
  }

  void read_verified(const FsdKagglePart& part, const ListTable& table, const CsvRow& row, Clip& clip) {
    if (part.split == "train" && part.subset.empty()) clip.verified = false;
    if (!table.has("manually_verified")) return;
    const std::string& text = table.field(row, "manually_verified");
    clip.verified = text == "1";
    if (text != "0" && text != "1")
      findings_.problem(table.where(row), fmt::format("manually_verified: must be 0 or 1, got '{}'", text));
  }

  void read_metadata(const FsdKagglePart& part, const ListTable& table, const CsvRow& row, Clip& clip) {
    if (!part.subset.empty()) clip.metadata["subset"] = part.subset;
    for (const auto& [column, key] : kMetadata) {
      const std::string& text = table.field(row, column);
      if (!text.empty()) clip.metadata[std::string(key)] = text;
    }
    const std::string& freesound_id = table.field(row, "freesound_id");
    if (!freesound_id.empty() && !parse_number<std::uint64_t>(freesound_id)) {
      findings_.problem(table.where(row),
                        fmt::format("freesound_id: must be a whole number, got '{}'", freesound_id));
    }
    const std::string& usage = table.field(row, "usage");
    if (table.has("usage") && usage != "Public" && usage != "Private")
      findings_.problem(table.where(row), fmt::format("usage: must be Public or Private, got '{}'", usage));
    clip.group = freesound_id.empty() ? table.field(row, "flickr_video_URL") : freesound_id;
  }

  const FsdKaggleForm& form_;
  const fs::path& root_;
  const DatasetOptions& options_;
  Taxonomy taxonomy_;
  LabelReader labels_;
  Findings findings_;
  Dataset data_;
  bool any_list_ = false;
  std::set<std::string> ids_;
  std::vector<std::string> found_bad_;
};

}  // namespace

Dataset load_fsdkaggle(const FsdKaggleForm& form, const fs::path& root, const DatasetOptions& options) {
  return FsdKaggleReader(form, root, options).read();
}

}  // namespace earmark
