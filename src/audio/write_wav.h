// write_wav.h: a waveform into a WAV file.
#pragma once
#include <filesystem>

#include "earmark/waveform.h"

namespace earmark {

enum class WavFormat { kPcm16, kPcm24, kFloat };

/// Atomic: the file stands complete or not at all. Integer formats round and saturate at full scale; what was
/// read from a file of the same format is written back to the bit.
/// @throws Error(kBadAudio) for an empty waveform or samples that are not finite, Error(kUnsupported) from
/// 4 GiB on, Error(kIo) when the file cannot be written.
void write_wav(const std::filesystem::path& path, const Waveform& waveform,
               WavFormat format = WavFormat::kPcm16);

}  // namespace earmark
