#include "audio/codecs.h"

#include <sndfile.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace earmark {
namespace {

bool knows(int format) {
  SF_INFO info{};
  info.samplerate = 48000;
  info.channels = 1;
  info.format = format;
  return sf_format_check(&info) != 0;
}

std::filesystem::path program_on_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path candidate = std::filesystem::path(folder.empty() ? "." : folder) / name;
    std::error_code error;
    if (std::filesystem::is_regular_file(candidate, error) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return {};
}

}  // namespace

Codecs codecs() {
  Codecs found;
  found.libsndfile = sf_version_string();
  found.formats = {{"wav", true},
                   {"flac", true},
                   {"vorbis", knows(SF_FORMAT_OGG | SF_FORMAT_VORBIS)},
                   {"opus", knows(SF_FORMAT_OGG | SF_FORMAT_OPUS)},
                   {"mp3", true}};
  found.ffmpeg = program_on_path("ffmpeg");
  return found;
}

}  // namespace earmark
