#include "decode_bench.h"

#include <fmt/format.h>
#include <sndfile.h>
#include <soxr.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>

#include "audio/read_audio.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "scratch_folder.h"
#include "timing.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

constexpr int kRate_hz = 44100;

void write_sound(const fs::path& path, int format, double clip_s) {
  SF_INFO info{};
  info.samplerate = kRate_hz;
  info.channels = 1;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) throw Error(ErrorCode::kIo, fmt::format("cannot write {}", path.string()));
  Rng rng(1, "bench_decode");
  std::vector<float> sound;
  for (int i = 0; i < static_cast<int>(clip_s * kRate_hz); ++i) {
    const double tone = 0.2 * std::sin(2.0 * std::numbers::pi * 440.0 * i / kRate_hz);
    sound.push_back(static_cast<float>(tone + rng.uniform(-0.05, 0.05)));
  }
  constexpr std::size_t kBlock = 65536;  // libvorbis takes a stack of memory for what it gets at once
  for (std::size_t at = 0; at < sound.size(); at += kBlock)
    sf_write_float(file, sound.data() + at, static_cast<sf_count_t>(std::min(kBlock, sound.size() - at)));
  sf_close(file);
}

std::vector<float> decoded_by_libsndfile(const fs::path& path) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  if (file == nullptr) throw Error(ErrorCode::kInternal, fmt::format("libsndfile refuses {}", path.string()));
  std::vector<float> samples(static_cast<std::size_t>(info.frames));
  sf_readf_float(file, samples.data(), info.frames);
  sf_close(file);
  return samples;
}

std::vector<float> resampled_by_soxr(const std::vector<float>& in, int rate_hz) {
  if (rate_hz == kRate_hz) return in;
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const double ratio = static_cast<double>(rate_hz) / kRate_hz;
  std::vector<float> out(static_cast<std::size_t>(std::ceil(static_cast<double>(in.size()) * ratio)));
  std::size_t n_in = 0, n_out = 0;
  soxr_oneshot(kRate_hz, rate_hz, 1, in.data(), in.size(), &n_in, out.data(), out.size(), &n_out, nullptr,
               &quality, nullptr);
  out.resize(n_out);
  return out;
}

std::vector<float> read_by_earmark(const fs::path& path, int rate_hz) {
  ReadOptions options;
  options.sample_rate_hz = rate_hz;
  auto sound = read_audio(path, options);
  if (!sound) throw Error(ErrorCode::kInternal, sound.failure().detail);
  return std::move(sound->waveform.samples);
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() > b.size() + 1 || b.size() > a.size() + 1) return HUGE_VAL;
  double largest = 0.0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::max(largest, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

}  // namespace

std::vector<std::string> run_decode_bench(const DecodeBenchOptions& options) {
  if (!(options.clip_s >= 0.1) || options.rounds < 1)
    throw Error(ErrorCode::kInvalidOption, "clip_s, rounds: must be at least 0.1 and above 0");
  const ScratchFolder scratch;
  std::vector<std::string> lines;
  const std::pair<const char*, int> kinds[] = {{"wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
                                               {"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
                                               {"ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS}};
  for (const auto& [name, format] : kinds) {
    const fs::path path = scratch / fmt::format("clip.{}", name);
    write_sound(path, format, options.clip_s);
    for (const int rate_hz : {kRate_hz, 16000, 32000, 48000}) {
      const std::vector<float> expected = resampled_by_soxr(decoded_by_libsndfile(path), rate_hz);
      const double difference = largest_difference(read_by_earmark(path, rate_hz), expected);
      if (!(difference < 1e-5))
        throw Error(ErrorCode::kInternal,
                    fmt::format("{} at {} Hz: samples differ by {:g}", name, rate_hz, difference));
      std::vector<double> own_ms, peer_ms;
      for (int round = 0; round < options.rounds; ++round) {
        const double begin = processor_ms();
        read_by_earmark(path, rate_hz);
        const double middle = processor_ms();
        resampled_by_soxr(decoded_by_libsndfile(path), rate_hz);
        peer_ms.push_back(processor_ms() - middle);
        own_ms.push_back(middle - begin);
      }
      const auto add = [&](const char* figure, double value, const char* unit) {
        lines.push_back(fmt::format(
            R"({{"bench":"decode","config":"{} {:g} s, 44100 to {} Hz","figure":"{}","value":{:.4g},"unit":"{}"}})",
            name, options.clip_s, rate_hz, figure, value, unit));
      };
      add("largest_difference", difference, "of full scale");
      add("earmark", median(own_ms), "ms/clip");
      add("libsndfile_soxr", median(peer_ms), "ms/clip");
      add("time_of_libsndfile_soxr", median(own_ms) / median(peer_ms), "x");
    }
  }
  return lines;
}

}  // namespace earmark
