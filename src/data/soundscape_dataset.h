// soundscape_dataset.h: simulated scenes on disk, laid out as a data set that the loaders read, with strong
// labels beside them and a paper that says that they are SYNTHETIC.
#pragma once
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>

#include "data/soundscape.h"

namespace earmark {

/// As which data set scenes are laid out.
enum class SoundscapeLayout { kSonycUst, kFolder };
template <>
struct EnumNames<SoundscapeLayout> {
  static constexpr std::array kNames{std::pair{SoundscapeLayout::kSonycUst, std::string_view("sonyc_ust")},
                                     std::pair{SoundscapeLayout::kFolder, std::string_view("folder")}};
};

struct WriteSoundscapes {
  std::filesystem::path folder;
  SoundscapeLayout layout = SoundscapeLayout::kSonycUst;
  std::string made_by = "earmark";  ///< for README.txt
  int n_threads = 0;                ///< 0: one for each core; the bytes do not depend on it
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::size_t n_done)> on_progress;  ///< called by one thread at a time
};

struct WrittenSoundscapes {
  std::size_t n_events = 0;
  std::array<std::size_t, 3> n_clips{};  ///< of each of kSplits
  bool complete = true;                  ///< false: stopped; then there are recordings, but no lists
};

/// Writes audio/SS_NNNNNN.wav (sensor, scene; mono, 16 bit), events.csv (file, start_s, end_s, tag,
/// proximity, snr_db), README.txt and
///   sonyc_ust: annotations.csv and dcase-ust-taxonomy.yaml as release 2 of SONYC-UST has them: rows of the
///     crowd for every clip, and for clips of validate and test one of annotator 0, the truth;
///   folder: manifest.csv (file, tags, split, group: the sensor; year, week, day, hour).
/// The lists come last: a folder with them is complete.
/// @throws Error(kInvalidOption) for the layout sonyc_ust with tags that are not its fine ones, and for
/// folder with tags that a manifest cannot hold; Error(kBadDataset) as Soundscapes::render(); Error(kIo).
WrittenSoundscapes write_soundscapes(const Soundscapes& scenes, const WriteSoundscapes& request);

}  // namespace earmark
