// pipeline_peer.h: what one would write in Python to tag a folder: a loader, torchaudio's log-mel, a torch
// network, a line a recording into a file.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace earmark {

enum class PipelinePeer { kEager, kFrozen };
const char* name_of(PipelinePeer peer);

struct PipelinePeerRun {
  double loop_s = 0.0;   ///< the recordings alone: interpreter, imports and network are there before
  double first_s = 0.0;  ///< from the start of the process to the first recording's tags
  double peak_mb = 0.0;
  double decode_ms = 0.0, features_ms = 0.0, network_ms = 0.0;  ///< a recording
};

/// One process over the WAV files of a folder, all of one length, through the UPB CRNN with drawn weights:
/// what is measured is time. Nothing where the interpreter, torch or torchaudio is missing.
std::optional<PipelinePeerRun> run_pipeline_peer(const std::string& python, PipelinePeer peer,
                                                 const std::filesystem::path& folder, int threads);

}  // namespace earmark
