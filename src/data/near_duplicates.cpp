#include "data/near_duplicates.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <unordered_map>

#include "earmark/log_mel.h"

namespace earmark {
namespace {

constexpr int kBands = 33;  // 32 differences
constexpr float kSilenceLn =
    -27.0f;  // mean log power of a band: some -117 dB of full scale, far below 16 bit noise
constexpr std::size_t kMostPlacesOfAWord = 40;
constexpr int kLeastHits = 3;
constexpr double kLeastSimilarity = 0.75;
constexpr double kLeastShared_s = 2.0;

struct Place {
  std::uint32_t recording;
  std::int32_t frame;
};

LogMelOptions front_end() {
  LogMelOptions options;
  options.sample_rate_hz = kFingerprintRateHz;
  options.n_fft = 2048;
  options.win_length = 2048;
  options.hop_length = static_cast<int>(std::lround(kFingerprintHop_s * kFingerprintRateHz));
  options.n_mels = kBands;
  options.f_min_hz = 200;
  options.f_max_hz = 3600;
  return options;
}

// How two recordings compare when `shift` frames of the first come before the second.
NearDuplicate compared(const Fingerprint& a, const Fingerprint& b, std::int32_t shift) {
  const auto n_a = static_cast<std::int32_t>(a.words.size()), n_b = static_cast<std::int32_t>(b.words.size());
  long n_words = 0, n_equal = 0;
  for (std::int32_t i = std::max(0, shift); i < std::min(n_a, n_b + shift); ++i) {
    const auto at = static_cast<std::size_t>(i), of_b = static_cast<std::size_t>(i - shift);
    if (!a.sounds[at] || !b.sounds[of_b]) continue;
    ++n_words;
    n_equal += 32 - std::popcount(a.words[at] ^ b.words[of_b]);
  }
  NearDuplicate found;
  found.offset_s = shift * kFingerprintHop_s;
  found.shared_s = static_cast<double>(n_words) * kFingerprintHop_s;
  found.similarity = n_words > 0 ? static_cast<double>(n_equal) / (32.0 * static_cast<double>(n_words)) : 0.0;
  return found;
}

double sounding_s(const Fingerprint& print) {
  return static_cast<double>(std::count(print.sounds.begin(), print.sounds.end(), true)) * kFingerprintHop_s;
}

}  // namespace

Fingerprint fingerprint(const Waveform& waveform) {
  static const LogMelExtractor extractor(front_end());
  const FeatureMap map = extractor.compute(waveform);
  Fingerprint print;
  for (int frame = 1; frame < map.n_frames; ++frame) {
    const auto now = static_cast<std::size_t>(frame), before = now - 1;
    std::uint32_t word = 0;
    float level = 0.0f;
    for (int band = 0; band + 1 < kBands; ++band) {
      const auto low = map.row(0, band), high = map.row(0, band + 1);
      const bool bit = (low[now] - high[now]) - (low[before] - high[before]) > 0.0f;
      word |= static_cast<std::uint32_t>(bit) << band;
      level += low[now] / (kBands - 1);
    }
    print.words.push_back(word);
    print.sounds.push_back(level > kSilenceLn);
  }
  return print;
}

std::vector<NearDuplicate> near_duplicates(std::span<const Fingerprint> fingerprints) {
  std::unordered_map<std::uint32_t, std::vector<Place>> places;
  using Pair = std::pair<std::uint32_t, std::uint32_t>;
  std::map<Pair, std::map<std::int32_t, int>> hits;  // of a pair: at which shift how often
  for (std::size_t i = 0; i < fingerprints.size(); ++i) {
    const Fingerprint& print = fingerprints[i];
    for (std::size_t frame = 0; frame < print.words.size(); ++frame) {
      if (!print.sounds[frame]) continue;
      std::vector<Place>& of_word = places[print.words[frame]];
      const Place here{static_cast<std::uint32_t>(i), static_cast<std::int32_t>(frame)};
      if (of_word.size() >= kMostPlacesOfAWord) continue;
      for (const Place& there : of_word) {
        if (there.recording != here.recording)
          ++hits[{there.recording, here.recording}][there.frame - here.frame];
      }
      of_word.push_back(here);
    }
  }
  std::vector<NearDuplicate> found;
  for (const auto& [pair, shifts] : hits) {
    const auto best = std::max_element(shifts.begin(), shifts.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best->second < kLeastHits) continue;
    const Fingerprint &a = fingerprints[pair.first], &b = fingerprints[pair.second];
    NearDuplicate candidate = compared(a, b, best->first);
    candidate.first = pair.first;
    candidate.second = pair.second;
    const double enough_s = std::min(kLeastShared_s, 0.5 * std::min(sounding_s(a), sounding_s(b)));
    if (candidate.similarity >= kLeastSimilarity && candidate.shared_s >= enough_s)
      found.push_back(candidate);
  }
  std::stable_sort(found.begin(), found.end(), [](const NearDuplicate& a, const NearDuplicate& b) {
    return a.similarity > b.similarity;
  });
  return found;
}

}  // namespace earmark
