// codecs.h: what this machine can decode.
#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace earmark {

/// Thread-safety: a plain value.
struct Codecs {
  std::string libsndfile;                             ///< its version, "libsndfile-1.2.0"
  std::vector<std::pair<std::string, bool>> formats;  ///< name and whether libsndfile decodes it
  std::filesystem::path ffmpeg;                       ///< the program that decodes the rest; empty: none
};

/// Runs nothing: an ffmpeg program is looked for on PATH.
Codecs codecs();

}  // namespace earmark
