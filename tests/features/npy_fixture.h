// npy_fixture.h: the reference arrays and signals that the features tests read. Little-endian float32
// .npy and PCM-16 .wav only; anything else fails the test.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "earmark/log_mel.h"

namespace earmark::testing {

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("missing golden file " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

struct GoldenArray {
  std::vector<int> shape;
  std::vector<float> values;
};

inline GoldenArray read_golden(const std::filesystem::path& path) {
  const std::string bytes = read_bytes(path);
  if (bytes.compare(0, 6, "\x93NUMPY") != 0) throw std::runtime_error("not .npy: " + path.string());
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes.at(i)));
  };
  const std::size_t data = 10 + byte(8) + 256 * byte(9);
  const std::string header = bytes.substr(10, data - 10);
  if (header.find("'<f4'") == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos) {
    throw std::runtime_error("not float32 in C order: " + path.string());
  }
  GoldenArray array;
  std::size_t n = 1;
  const std::size_t open = header.find('('), close = header.find(')', open);
  std::string shape = header.substr(open + 1, close - open - 1);
  std::replace(shape.begin(), shape.end(), ',', ' ');
  for (const char* p = shape.c_str();;) {
    char* end = nullptr;
    const long extent = std::strtol(p, &end, 10);
    if (end == p) break;
    array.shape.push_back(static_cast<int>(extent));
    n *= static_cast<std::size_t>(extent);
    p = end;
  }
  if (bytes.size() != data + n * sizeof(float)) throw std::runtime_error("wrong size: " + path.string());
  array.values.resize(n);
  std::memcpy(array.values.data(), bytes.data() + data, n * sizeof(float));
  return array;
}

inline Waveform read_pcm16(const std::filesystem::path& path) {
  const std::string bytes = read_bytes(path);
  const auto number = [&](std::size_t at, std::size_t n) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < n; ++i) {
      value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes.at(at + i))) << (8 * i);
    }
    return value;
  };
  Waveform wave;
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const std::string id = bytes.substr(at, 4);
    const std::size_t size = number(at + 4, 4);
    if (id == "fmt ") {
      wave.n_channels = static_cast<int>(number(at + 10, 2));
      wave.sample_rate_hz = static_cast<int>(number(at + 12, 4));
      if (number(at + 22, 2) != 16) throw std::runtime_error("not PCM-16: " + path.string());
    } else if (id == "data") {
      const auto channels = static_cast<std::size_t>(wave.n_channels);
      const std::size_t n = size / 2 / channels;
      wave.samples.resize(n * channels);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t c = 0; c < channels; ++c) {
          const auto raw = static_cast<std::int16_t>(number(at + 8 + 2 * (i * channels + c), 2));
          wave.samples[c * n + i] = static_cast<float>(raw) / 32768.0f;
        }
      }
      return wave;
    }
    at += 8 + size + size % 2;
  }
  throw std::runtime_error("no samples: " + path.string());
}

/// [frames, mels] -> [mels, frames].
inline std::vector<float> transposed(std::span<const float> values, int rows, int columns) {
  std::vector<float> result(values.size());
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      result[static_cast<std::size_t>(c) * static_cast<std::size_t>(rows) + static_cast<std::size_t>(r)] =
          values[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns) +
                 static_cast<std::size_t>(c)];
    }
  }
  return result;
}

inline double largest_difference(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double worst = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - b[i]);
    worst = difference <= worst ? worst : difference;  // NaN counts
  }
  return worst;
}

/// Within `everywhere`, and within `above` where the expected value is at least `threshold`.
inline void expect_close(std::span<const float> actual, std::span<const float> expected, double everywhere,
                         double above, double threshold) {
  ASSERT_EQ(actual.size(), expected.size());
  double worst = 0.0, worst_above = 0.0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - expected[i]);
    ASSERT_FALSE(std::isnan(difference)) << "value " << i;
    worst = std::max(worst, difference);
    if (expected[i] >= threshold) worst_above = std::max(worst_above, difference);
  }
  EXPECT_LE(worst, everywhere);
  EXPECT_LE(worst_above, above);
  ::testing::Test::RecordProperty("worst", std::to_string(worst));
  ::testing::Test::RecordProperty("worst_above_floor", std::to_string(worst_above));
}

}  // namespace earmark::testing
