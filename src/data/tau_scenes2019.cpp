#include "data/tau_scenes2019.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/listing.h"
#include "data/taxonomies.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAudio = "audio/";
constexpr char kTab = '\t';

struct Form {
  const char* name;
  const char* taxonomy;
  const char* official;  ///< of its folder, without "-development" and the like
};

/// What a file's name says: scene-city-location-segment-device.
struct NameParts {
  explicit NameParts(const std::string& file) {
    std::vector<std::string> parts{""};
    for (const char c : fs::path(file).stem().string()) {
      if (c == '-') {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
    }
    if (parts.size() < 5) return;
    scene = parts.front();
    device = parts.back();
    for (std::size_t i = 1; i + 2 < parts.size(); ++i) identifier += (i > 1 ? "-" : "") + parts[i];
  }
  std::string scene, identifier, device;  ///< all empty in other names
};

class TauReader {
 public:
  TauReader(const Form& form, const fs::path& root, const DatasetOptions& options)
      : form_(form),
        options_(options),
        base_(base_of(form, root, options)),
        taxonomy_(known_taxonomy(form.taxonomy)),
        labels_(taxonomy_),
        findings_(form.name),
        recordings_({base_ / "audio"}, options) {}

  Dataset read() {
    data_.name = form_.name;
    data_.single_label = true;
    use_taxonomy(data_, taxonomy_);
    const fs::path setup = base_ / "evaluation_setup";
    const fs::path meta =
        options_.annotations.empty() ? first_file(base_, {"meta.csv"}) : options_.annotations;
    const fs::path train = first_file(setup, {"fold1_train.csv"});
    const fs::path held_out = first_file(setup, {"fold1_evaluate.csv", "fold1_test.csv"});
    const fs::path unlabelled = first_file(setup, {"test.csv"});
    if (!meta.empty()) {
      read_meta(meta);
      read_fold(train, held_out, setup);
    } else if (!unlabelled.empty()) {
      read_unlabelled(unlabelled);
    } else {
      findings_.problem(fmt::format(
          "{}: there is neither meta.csv (a development set) nor evaluation_setup/test.csv (a leaderboard or "
          "evaluation set)",
          base_.string()));
    }
    labels_.warn_of_respelt(findings_);
    warn();
    if (options_.annotations.empty()) add_unlisted(recordings_, data_, findings_);
    findings_.require_none();
    data_.warnings = findings_.warnings();
    return std::move(data_);
  }

 private:
  static fs::path base_of(const Form& form, const fs::path& root, const DatasetOptions& options) {
    if (!options.annotations.empty()) return options.annotations.parent_path();
    const std::string inner = std::string(form.official) + "-development";
    const bool is_base = !first_file(root, {"meta.csv", "evaluation_setup/test.csv"}).empty();
    return is_base || first_folder(root, {inner}).empty() ? root : root / inner;
  }

  /// The name below audio/; nothing, and a problem, when it lies elsewhere.
  std::optional<std::string> plain_name(const std::string& filename, const std::string& where) {
    if (filename.starts_with(kAudio)) return filename.substr(kAudio.size());
    findings_.problem(where, fmt::format("filename: must lie in audio/, got '{}'", filename));
    return std::nullopt;
  }

  void add(const std::string& name, const std::string& where, std::optional<std::size_t> tag, Clip clip) {
    const auto path = recordings_.take(name, where, findings_);
    if (!path) return;
    clip.id = name;
    clip.path = *path;
    clip.targets.assign(taxonomy_.size(), tag ? 0.0f : kUnknownTarget);
    if (tag) clip.targets[*tag] = 1.0f;
    index_of_[name] = data_.clips.size();
    data_.clips.push_back(std::move(clip));
  }

  void read_meta(const fs::path& path) {
    const ListColumns columns{{"filename", "scene_label"}, {"identifier", "source_label"}};
    const auto table = ListTable::read(path, kTab, columns, findings_);
    if (!table) return;
    for (const CsvRow& row : table->rows()) {
      const std::string where = table->where(row);
      const auto name = plain_name(table->field(row, "filename"), where);
      const std::string& label = table->field(row, "scene_label");
      const auto tag = labels_.read(label, where, findings_);
      if (!name || !tag) continue;
      const NameParts parts(*name);
      check_scene(parts, *tag, where);
      Clip clip;
      clip.group = table->has("identifier") ? table->field(row, "identifier") : parts.identifier;
      if (!parts.identifier.empty() && clip.group != parts.identifier) odd_places_.add(where);
      const std::string device =
          table->has("source_label") ? table->field(row, "source_label") : parts.device;
      if (!parts.device.empty() && device != parts.device) odd_devices_.add(where);
      set_metadata(clip, device);
      add(*name, where, *tag, std::move(clip));
    }
  }

  // A name that begins with one of the scenes says which it is.
  void check_scene(const NameParts& parts, std::size_t tag, const std::string& where) {
    const auto named = taxonomy_.index(parts.scene);
    if (named && *named != tag) {
      findings_.problem(where, fmt::format("scene_label: '{}', but the file's name says '{}'",
                                           taxonomy_.tags[tag], parts.scene));
    }
  }

  static void set_metadata(Clip& clip, const std::string& device) {
    if (!clip.group.empty()) clip.metadata["identifier"] = clip.group;
    const std::string city = clip.group.substr(0, clip.group.rfind('-'));
    if (!city.empty()) clip.metadata["city"] = city;
    if (!device.empty()) clip.metadata["device"] = device;
  }

  void read_fold(const fs::path& train, const fs::path& held_out, const fs::path& setup) {
    const bool whole = !train.empty() && !held_out.empty();
    if (!whole && options_.annotations.empty()) {
      findings_.problem(fmt::format(
          "{}: there must be fold1_train.csv and fold1_evaluate.csv or fold1_test.csv", setup.string()));
    }
    if (!whole) {
      for (Clip& clip : data_.clips) clip.split = "test";
      return;
    }
    for (Clip& clip : data_.clips) clip.split = "unused";
    read_part(train, "train");
    read_part(held_out, "validate");
    compare_with_test_list(setup);
    Tally unused;
    std::map<std::string, std::string> split_of;
    Tally torn;
    for (const Clip& clip : data_.clips) {
      if (clip.split == "unused") {
        unused.add(clip.id);
      } else if (!clip.group.empty() &&
                 split_of.emplace(clip.group, clip.split).first->second != clip.split) {
        torn.add(clip.group);
      }
    }
    if (unused.n() > 0) {
      findings_.warn(fmt::format("{}: {} segments are in neither list and have the split 'unused': {}",
                                 setup.string(), unused.n(), unused.examples()));
    }
    if (torn.n() > 0) {
      findings_.warn(fmt::format("{}: {} held-out segments come from places of the training: {}",
                                 setup.string(), torn.n(), torn.examples()));
    }
  }

  void read_part(const fs::path& path, const std::string& split) {
    const auto table = ListTable::read(path, kTab, {{"filename"}, {"scene_label"}}, findings_);
    if (!table) return;
    for (const CsvRow& row : table->rows()) {
      const std::string where = table->where(row);
      const auto name = plain_name(table->field(row, "filename"), where);
      if (!name) continue;
      const auto found = index_of_.find(*name);
      if (found == index_of_.end()) {
        findings_.problem(where, fmt::format("'{}' is not in meta.csv, or has a problem there", *name));
        continue;
      }
      Clip& clip = data_.clips[found->second];
      if (clip.split == split) {
        findings_.problem(where, fmt::format("'{}' is listed twice", *name));
      } else if (clip.split != "unused") {
        findings_.problem(where, fmt::format("'{}' is in the training and held out", *name));
      }
      clip.split = split;
      if (!table->has("scene_label")) continue;
      const auto tag = labels_.read(table->field(row, "scene_label"), where, findings_);
      if (tag && clip.targets[*tag] != 1.0f) {
        findings_.problem(where, fmt::format("scene_label: '{}' is none of what meta.csv says of '{}'",
                                             taxonomy_.tags[*tag], *name));
      }
    }
  }

  // fold1_test.csv is fold1_evaluate.csv without its labels.
  void compare_with_test_list(const fs::path& setup) {
    const fs::path path = first_file(setup, {"fold1_test.csv"});
    if (path.empty()) return;
    const auto table = ListTable::read(path, kTab, {{"filename"}, {"scene_label"}}, findings_);
    if (!table) return;
    std::set<std::string> listed;
    for (const CsvRow& row : table->rows()) listed.insert(table->field(row, "filename"));
    Tally differing;
    for (const Clip& clip : data_.clips) {
      if ((clip.split == "validate") != (listed.erase(std::string(kAudio) + clip.id) > 0))
        differing.add(clip.id);
    }
    for (const std::string& filename : listed) differing.add(filename);
    if (differing.n() > 0) {
      findings_.warn(fmt::format("{}: {} segments are in this or the evaluation's list alone: {}",
                                 path.string(), differing.n(), differing.examples()));
    }
  }

  void read_unlabelled(const fs::path& path) {
    const auto table = ListTable::read(path, kTab, {{"filename"}, {}}, findings_);
    if (!table) return;
    for (const CsvRow& row : table->rows()) {
      const std::string where = table->where(row);
      Clip clip;
      clip.split = "test";
      clip.verified = false;
      if (const auto name = plain_name(table->field(row, "filename"), where))
        add(*name, where, std::nullopt, std::move(clip));
    }
  }

  void warn() {
    const auto say = [&](const Tally& tally, const char* what) {
      if (tally.n() > 0) findings_.warn(fmt::format("{} {}: {}", tally.n(), what, tally.examples()));
    };
    say(odd_places_, "segments have another identifier than their names say");
    say(odd_devices_, "segments have another source_label than their names say");
  }

  const Form& form_;
  const DatasetOptions& options_;
  fs::path base_;
  Taxonomy taxonomy_;
  LabelReader labels_;
  Findings findings_;
  RecordingFinder recordings_;
  Dataset data_;
  std::map<std::string, std::size_t> index_of_;  ///< of a clip, by the name of its file
  Tally odd_places_, odd_devices_;
};

Dataset load(const Form& form, const fs::path& root, const DatasetOptions& options) {
  return TauReader(form, root, options).read();
}

}  // namespace

Dataset load_tau_scenes2019(const fs::path& root, const DatasetOptions& options) {
  return load({"tau_scenes2019", "tau_scenes2019", "TAU-urban-acoustic-scenes-2019"}, root, options);
}

Dataset load_tau_scenes2019_mobile(const fs::path& root, const DatasetOptions& options) {
  return load({"tau_scenes2019_mobile", "tau_scenes2019", "TAU-urban-acoustic-scenes-2019-mobile"}, root,
              options);
}

Dataset load_tau_scenes2019_openset(const fs::path& root, const DatasetOptions& options) {
  return load({"tau_scenes2019_openset", "tau_scenes2019_openset", "TAU-urban-acoustic-scenes-2019-openset"},
              root, options);
}

}  // namespace earmark
