// decode_bench.h: a recording decoded and brought to another rate, beside libsndfile and soxr (HQ) alone.
// The sides take turns on one thread each, medians are compared.
#pragma once
#include <string>
#include <vector>

namespace earmark {

struct DecodeBenchOptions {
  double clip_s = 10.0;
  int rounds = 25;  ///< turns of each side
};

/// One JSON object a line; WAV, FLAC and Ogg Vorbis, 44.1 kHz mono, as they are and at 16, 32 and 48 kHz.
/// @throws Error(kInvalidOption) for options out of range, Error(kInternal) when the samples differ.
std::vector<std::string> run_decode_bench(const DecodeBenchOptions& options);

}  // namespace earmark
