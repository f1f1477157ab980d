// The front end as an outside program uses it; no libtorch is loaded for it.
#include <earmark/error.h>
#include <earmark/log_mel.h>
#include <earmark/version.h>

#include <cmath>
#include <cstdio>
#include <vector>

int main() {
  const earmark::LogMelExtractor extractor{earmark::LogMelOptions{}};
  std::vector<float> tone(44100);
  for (std::size_t i = 0; i < tone.size(); ++i)
    tone[i] = 0.1f * std::sin(0.0627f * static_cast<float>(i));  // 440 Hz
  const earmark::FeatureMap features = extractor.compute(tone);
  std::printf("earmark %s: %d bands, %d frames\n", earmark::version(), features.n_mels, features.n_frames);
  earmark::LogMelOptions wrong;
  wrong.f_max_hz = 30000;
  try {
    earmark::LogMelExtractor{wrong};
  } catch (const earmark::Error& e) {
    return features.n_frames == extractor.n_frames(tone.size()) ? 0 : 1;
  }
  return 1;
}
