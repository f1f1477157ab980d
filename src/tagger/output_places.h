// output_places.h: where a tagging job writes: names for each recording's own files, and what must not stand
// where something is written.
#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "tagger/inputs.h"

namespace earmark {

/// A file that is going to be written, and the option that names it.
struct OutputPlace {
  std::string option;
  std::filesystem::path path;
};

/// What is wrong with them, each as "option: what, and what to do": a recording that would be written over,
/// one file for two purposes, a folder that is not there, or something that is no regular file.
std::vector<std::string> place_problems(const std::vector<OutputPlace>& places,
                                        const std::vector<TagInput>& inputs);

/// Names for files of one recording each, below one folder. Two recordings of one name get numbers; names of
/// a run that is resumed stay with whom they were given to. Not thread-safe.
class FileNames {
 public:
  /// @param taken names that are given away already, as text: the ledger's.
  FileNames(std::string extension, const std::set<std::string>& taken);
  /// @param relative the recording's path below the folder that was named.
  /// @param own what it has already; empty: nothing yet.
  /// @return "deep/er/a.wav.2.csv"; a name too long for a file system is cut, with a hash of the whole.
  std::filesystem::path next(const std::filesystem::path& relative, const std::string& own = "");

 private:
  std::string extension_;
  std::set<std::string> taken_;
};

}  // namespace earmark
