// fsdkaggle.h: what FSDKaggle2018 and FSDKaggle2019 have in common: parts, each with a list of file names and
// labels and a folder of recordings.
#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/listing.h"

namespace earmark {

/// A list, and what its columns must be. A list without labels has some in its column that mean nothing.
struct FsdKaggleList {
  std::string path;  ///< relative to the root
  ListColumns columns;
  bool labelled = true;
};

struct FsdKagglePart {
  std::string split;
  std::string subset;                ///< becomes the metadata "subset", unless empty
  std::string id_prefix;             ///< before the file's name in the clip's id
  bool verified = true;              ///< where no column manually_verified says otherwise
  std::vector<FsdKaggleList> lists;  ///< the first that is there is read
  std::vector<std::string> folders;  ///< the first that is there has the recordings
};

struct FsdKaggleForm {
  std::string name;           ///< of the data set and of its taxonomy
  std::string labels_column;  ///< "label": one; "labels": separated by commas
  std::vector<FsdKagglePart> parts;
  std::set<std::string> known_bad;  ///< file names left out unless options.keep_known_bad
};

/// With options.annotations that list alone is read, as the split "test" where it has a column `usage`, else
/// as the split "train".
/// @throws Error(kBadDataset) with every problem, file and line.
Dataset load_fsdkaggle(const FsdKaggleForm& form, const std::filesystem::path& root,
                       const DatasetOptions& options);

}  // namespace earmark
