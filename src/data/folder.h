// folder.h: a data set of one's own: a sub-folder for each class, or a CSV manifest.
#pragma once
#include <filesystem>

#include "data/dataset.h"

namespace earmark {

/// Without a manifest: root/TAG/**/recording, the tag being the sub-folder's name; root/train/TAG/...,
/// root/validate/TAG/... and root/test/TAG/... when the root holds nothing but such folders.
///
/// With one (manifest.csv in the root, or options.manifest): columns `file,tags` and, as far as they are
/// there, `split,fold,group,verified`; any other column becomes metadata. `file` is relative to the root and
/// must stay below it. `tags` are separated by ";": "dog" yes, "dog:0.7" to that degree, "?dog" unknown,
/// "!dog" no (as is every tag not named). Tags are ordered alphabetically.
/// @throws Error(kBadDataset) listing every problem with its file and line.
Dataset load_folder(const std::filesystem::path& root, const DatasetOptions& options);

}  // namespace earmark
