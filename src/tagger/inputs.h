// inputs.h: what the user named -> the recordings to tag, in a fixed order.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "earmark/error.h"

namespace earmark {

struct TagInput {
  std::filesystem::path path;      ///< "-" for the standard input
  std::string name;                ///< path_text(path): how outputs and the ledger call it
  std::filesystem::path relative;  ///< below the folder that was named; the file's name when it was itself
  std::optional<Failure> problem;  ///< "not_found", "permission_denied", "no_audio_files"
  bool is_stream() const { return path == "-"; }
};

/// The path as valid UTF-8: bytes that are none become \xHH, so that JSON and CSV stay readable.
std::string path_text(const std::filesystem::path& path);

/// Whether a file inside a folder is taken: by its extension.
bool looks_like_audio(const std::filesystem::path& path);

/// Files as named; folders with all below them, sorted bytewise, without hidden entries, following symbolic
/// links but each folder once; "-". What is named twice, or reached twice, is taken once, the first time.
/// A name that leads to nothing is an input with a problem.
std::vector<TagInput> expand_inputs(const std::vector<std::string>& named);

}  // namespace earmark
