// clips.h: the sound of events, cut out of their recording into FLAC files, with a list that is a manifest.
#pragma once
#include <atomic>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audio/decode.h"
#include "core/file.h"
#include "tagger/clip_names.h"
#include "tagger/timeline.h"

namespace earmark {

/// A clip as the list has it.
struct ClipRow {
  std::string clip;  ///< the file, relative to the folder
  std::string tags;  ///< those of all events that sound in it, as data/folder.h reads them; its own first
  TagEvent event;    ///< without the margins
};

/// The folder that a tagging job puts its clips into.
class ClipFolder {
 public:
  struct Options {
    std::filesystem::path folder;
    double margin_s = 0.5;          ///< before and behind an event, as far as there is sound
    Selection selection;            ///< by which events are found
    EventOptions event_options;     ///< and how they are shaped
    std::vector<std::string> tags;  ///< of the bundle
    std::string software, origin;   ///< program; bundle: written into the files
    DecodeOptions decode;
  };
  struct Clips {
    std::vector<ClipRow> rows;
    std::string warning;   ///< "clips_missing: ..." where some could not be made; empty: none
    bool stopped = false;  ///< on request; the recording must be done again
  };

  /// Makes the folder and opens the list. @param done recordings whose rows stay; the others' go.
  /// @throws Error(kIo), Error(kBadFile) for a list that is none.
  ClipFolder(Options options, const std::set<std::string>& done);

  const Selection& selection() const noexcept { return options_.selection; }
  const EventOptions& event_options() const noexcept { return options_.event_options; }

  /// Reads the recording once more and writes a file for each event, in its own rate, channels and depth
  /// (floating-point and lossy sound as 24 bit). Memory does not grow with the recording or its clips.
  /// Thread-safe for recordings of different prefixes. @param prefix of clip_prefixes().
  /// @throws Error(kIo) where a clip cannot be written.
  Clips cut(const TagInput& input, const std::string& prefix, const std::vector<TagEvent>& events,
            const std::atomic<bool>* stop) const;

  /// Adds to the list, in the order of the recordings. One call at a time. @throws Error(kIo).
  void list(const std::string& recording, const std::vector<ClipRow>& rows);

  /// folder/manifest.csv
  static std::filesystem::path list_path(const std::filesystem::path& folder);
  /// Removes the clips that the list names, and the list. @throws Error(kIo), Error(kBadFile).
  static void remove_clips(const std::filesystem::path& folder);

 private:
  Options options_;
  std::vector<std::string> tag_names_;
  std::optional<Journal> list_;
};

}  // namespace earmark
