// picture.h: a spectrogram with the tags' timeline below it, as PNG or SVG.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "tagger/spectrogram_strip.h"

namespace earmark {

struct PictureOptions {
  int width = 1280;        ///< pixels of the whole picture
  int max_rows = 8;        ///< tags shown
  std::string title;       ///< e.g. the recording's name
  std::string provenance;  ///< text that the file keeps (picture_text.h); empty: none
};

/// Atomic. PNG unless the extension is .svg. Height follows from the number of rows.
/// @param duration_s of the recording. @param tags names, as many as a segment has scores.
/// @throws Error(kIo) when it cannot be written.
void draw_picture(const std::filesystem::path& path, const SpectrogramStrip& spectrogram,
                  const ScoreStrip& scores, double duration_s, const std::vector<std::string>& tags,
                  const PictureOptions& options);

}  // namespace earmark
