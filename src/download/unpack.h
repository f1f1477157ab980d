// unpack.h: an archive's files into the data root, whole or not at all. What an archive says of itself is not
// believed.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/archives.h"

namespace earmark {

struct UnpackRequest {
  Archive archive;                       ///< its files lie in `folder`
  std::filesystem::path folder;          ///< that has the files; the unpacking happens in it too
  std::filesystem::path root;            ///< of the data set, on the same disk
  bool overwrite = false;                ///< replace files of other contents
  std::uint64_t max_bytes = UINT64_MAX;  ///< unpacked, of all files together; more is a bomb
  std::uint64_t room_bytes =
      UINT64_MAX;                     ///< on the disk; more does not fit, which is no fault of the archive
  std::size_t max_entries = 200'000;  ///< ten times the largest data set's
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
  const std::atomic<bool>* stop = nullptr;
};

struct Unpacked {
  bool stopped = false;            ///< then nothing of it is in the root
  std::vector<std::string> files;  ///< relative to the root
  std::vector<std::string> warnings;
};

/// Unpacks into folder/NAME.unpacking (emptied first: a call that was killed may have left something there),
/// and moves each file to its place when all have been read and their checksums are right. A kill before that
/// leaves nothing in the root, a kill meanwhile only whole files; the next call goes on.
///
/// Refused: entries that are no regular files or folders (links, devices), places that place_of_entry()
/// refuses, a place named twice, a file where another needs a folder, more entries or bytes than allowed.
/// Names that differ in case alone are a warning. Modes, owners and times are not taken over.
/// @throws Error(kBadFile) listing what is refused or where it is damaged, Error(kInvalidOption) listing
/// files of other contents that stand in the way, Error(kIo) also where the disk has no room. In each case
/// the root is as it was (but for kIo while files are moved).
Unpacked unpack(const UnpackRequest& request);

}  // namespace earmark
