#include "core/tensor_io.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "audio/scratch.h"
#include "core/file.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "golden_path.h"

namespace earmark {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span<const char>(text));
  return {bytes.begin(), bytes.end()};
}

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// An .npy file as NumPy writes it. @param version 1 or 2: two or four bytes of header length.
std::string npy(const std::string& descr, const std::string& order, const std::string& shape,
                const std::string& data, int version = 1) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  const std::size_t prefix = version == 1 ? 10 : 12;
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header += '\n';
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) file += static_cast<char>(header.size() >> (8 * i) & 255U);
  return file + header + data;
}

Tensor parse(const std::string& file) { return parse_npy(bytes_of(file), "a.npy"); }

TEST(Npy, BothVersionsOfTheHeaderRead) {
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  for (const int version : {1, 2, 3}) {
    const Tensor tensor = parse(npy("<f4", "False", "(2, 3)", raw(values), version));
    EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(tensor.floats(), values);
  }
  EXPECT_THROW(parse(npy("<f4", "False", "(2, 3)", raw(values), 4)), Error);
}

TEST(Npy, FortranOrderIsTurnedIntoRows) {
  // [[1, 2, 3], [4, 5, 6]] by columns.
  const Tensor tensor = parse(npy("<f4", "True", "(2, 3)", raw(std::vector<float>{1, 4, 2, 5, 3, 6})));
  EXPECT_EQ(tensor.floats(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  // Element [i, j, k] = 100 i + 10 j + k.
  std::vector<double> columns, rows;
  for (int k = 0; k < 4; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i) columns.push_back(100 * i + 10 * j + k);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k) rows.push_back(100 * i + 10 * j + k);
  EXPECT_EQ(parse(npy("<f8", "True", "(2, 3, 4)", raw(columns))).doubles(), rows);
}

TEST(Npy, EveryTypeIsWidened) {
  EXPECT_EQ(parse(npy("<f8", "False", "(2,)", raw(std::vector<double>{0.1, -2}))).doubles(),
            (std::vector<double>{0.1, -2}));
  EXPECT_EQ(parse(npy("<i8", "False", "(2,)", raw(std::vector<std::int64_t>{1L << 60, -7}))).integers(),
            (std::vector<std::int64_t>{1L << 60, -7}));
  EXPECT_EQ(parse(npy("<i4", "False", "(1,)", raw(std::vector<std::int32_t>{-3}))).integers(),
            (std::vector<std::int64_t>{-3}));
  EXPECT_EQ(parse(npy("|u1", "False", "(2,)", raw(std::vector<std::uint8_t>{0, 255}))).integers(),
            (std::vector<std::int64_t>{0, 255}));
  EXPECT_EQ(parse(npy("|b1", "False", "(2,)", raw(std::vector<std::uint8_t>{0, 1}))).floats(),
            (std::vector<float>{0, 1}));
  // 0x3C00 = 1, 0xC000 = -2, 0x3555 = 0.33325195
  EXPECT_EQ(
      parse(npy("<f2", "False", "(3,)", raw(std::vector<std::uint16_t>{0x3C00, 0xC000, 0x3555}))).floats(),
      (std::vector<float>{1.0f, -2.0f, 0.333251953125f}));
  EXPECT_THROW(parse(npy("<f4", "False", "(1,)", raw(std::vector<float>{1}))).integers(), Error);
  EXPECT_THROW(parse(npy(">f4", "False", "(1,)", raw(std::vector<float>{1}))), Error);
  EXPECT_THROW(parse(npy("<U4", "False", "(1,)", std::string(16, ' '))), Error);
}

TEST(Npy, ScalarsAndEmptyArraysRead) {
  const Tensor scalar = parse(npy("<f4", "False", "()", raw(std::vector<float>{5})));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_EQ(scalar.floats(), (std::vector<float>{5}));
  EXPECT_EQ(parse(npy("<f4", "False", "(0, 3)", "")).n_elements(), 0U);
}

TEST(Npy, RoundTripIsExactAndAligned) {
  for (int n = 0; n < 40; ++n) {
    std::vector<float> values(static_cast<std::size_t>(n));
    std::iota(values.begin(), values.end(), 0.5f);
    const auto file = format_npy(Tensor::from_floats(values, {n}));
    EXPECT_EQ((file.size() - values.size() * 4) % 64, 0U)
        << "data begins at a multiple of 64, as NumPy wants it";
    const Tensor back = parse_npy(file, "a");
    EXPECT_EQ(back.floats(), values);
    EXPECT_EQ(back.shape, (std::vector<std::int64_t>{n}));
  }
}

TEST(Npy, ShapesThatCannotBeAreRefused) {
  for (const char* shape :
       {"(99999999999999,)", "(1000000, 1000000, 1000000)", "(-1,)", "(4294967296, 4294967296)", "(7,)",
        "(2, x)", "(18446744073709551616,)", "(1,1,1,1,1,1,1,1,1)"}) {
    EXPECT_THROW(parse(npy("<f4", "False", shape, raw(std::vector<float>{1, 2, 3, 4, 5, 6}))), Error)
        << shape;
  }
}

// Files damaged at random places either read or throw earmark's own error.
template <class Parse>
void survive_mutations(const std::string& file, std::size_t header, int n_rounds, Parse&& read) {
  int n_refused = 0;
  for (int round = 0; round < n_rounds; ++round) {
    Rng rng(1, "mutate", 0, static_cast<std::uint64_t>(round));
    std::string damaged = file;
    const auto n_changes = 1 + rng.below(4);
    for (std::uint64_t i = 0; i < n_changes && !damaged.empty(); ++i) {
      const std::size_t at = static_cast<std::size_t>(rng.below(std::min(header, damaged.size())));
      switch (rng.below(4)) {
        case 0:
          damaged[at] = static_cast<char>(rng.bits());
          break;
        case 1:
          damaged.erase(at, 1 + rng.below(8));
          break;
        case 2:
          damaged.insert(at, 1, "0123456789,()'{}[]:\""[rng.below(20)]);
          break;
        default:
          damaged.resize(rng.below(damaged.size() + 1));
          break;
      }
    }
    try {
      read(bytes_of(damaged));
    } catch (const Error&) {
      ++n_refused;
    }
  }
  EXPECT_GT(n_refused, n_rounds / 10);
}

TEST(Npy, DamagedFilesNeverCrash) {
  const std::vector<float> values(24, 1.5f);
  for (const char* order : {"False", "True"}) {
    const std::string file = npy("<f4", order, "(2, 3, 4)", raw(values));
    survive_mutations(file, 128, 4000, [](const std::vector<std::byte>& bytes) {
      const Tensor tensor = parse_npy(bytes, "a");
      std::size_t n = 1;
      for (const std::int64_t d : tensor.shape) n *= static_cast<std::size_t>(d);
      ASSERT_EQ(n, tensor.n_elements());
    });
  }
}

SafeTensors sample_file() {
  SafeTensors file;
  file.metadata = {{"format", "1"}, {"text", "quote \" and line\n"}};
  file.tensors.emplace("a.weight", Tensor::from_floats(std::vector<float>{1, -2, 3.5f, 0}, {2, 2}));
  file.tensors.emplace("half", Tensor::from_floats_as_half(std::vector<float>{0.5f, 65504.0f}, {2}));
  file.tensors.emplace("n", Tensor::from_integers(std::vector<std::int64_t>{1L << 50}, {}));
  file.tensors.emplace("empty", Tensor::from_floats({}, {0, 7}));
  return file;
}

TEST(SafeTensors, RoundTripKeepsEverything) {
  const SafeTensors file = sample_file();
  const auto bytes = format_safetensors(file);
  EXPECT_EQ(bytes, format_safetensors(file)) << "the same content gives the same bytes";
  const SafeTensors back = parse_safetensors(bytes, "a");
  EXPECT_EQ(back.metadata, file.metadata);
  ASSERT_EQ(back.tensors.size(), file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    EXPECT_EQ(back.tensors.at(name).bytes, tensor.bytes) << name;
    EXPECT_EQ(back.tensors.at(name).shape, tensor.shape) << name;
    EXPECT_EQ(back.tensors.at(name).dtype, tensor.dtype) << name;
  }
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), 8);
  EXPECT_EQ(header_size % 8, 0U) << "tensors are aligned";
}

// The upper halves of floats, as many published weights are.
TEST(SafeTensors, Bfloat16IsWidened) {
  const std::string header = R"({"w":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}})";
  std::vector<std::byte> bytes(8 + header.size() + 6);
  const std::uint64_t size = header.size();
  const std::uint16_t values[] = {0x3F80, 0xC020, 0x0000};  // 1, -2.5, 0
  std::memcpy(bytes.data(), &size, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  std::memcpy(bytes.data() + 8 + header.size(), values, 6);
  const SafeTensors read = parse_safetensors(bytes, "a");
  EXPECT_EQ(read.tensors.at("w").floats(), (std::vector<float>{1.0f, -2.5f, 0.0f}));
  EXPECT_EQ(read.tensors.at("w").shape, (std::vector<std::int64_t>{3}));
}

TEST(SafeTensors, DamagedFilesNeverCrash) {
  const auto bytes = format_safetensors(sample_file());
  const std::string file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  survive_mutations(file, file.size(), 6000,
                    [](const std::vector<std::byte>& damaged) { parse_safetensors(damaged, "a"); });
}

// What is written piece by piece, and read tensor by tensor, is the file that is put together in memory.
TEST(SafeTensors, WrittenFromPlacesAndReadOneByOne) {
  const testing::Scratch dir;
  const SafeTensors file = sample_file();
  write_safetensors(dir / "a.safetensors", file);
  EXPECT_EQ(read_bytes(dir / "a.safetensors"), format_safetensors(file));
  const SafeTensorsFile opened(dir / "a.safetensors");
  EXPECT_EQ(opened.metadata(), file.metadata);
  for (const auto& [name, tensor] : file.tensors) {
    const auto found = opened.find(name);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->bytes, tensor.bytes) << name;
    EXPECT_EQ(found->shape, tensor.shape) << name;
    EXPECT_EQ(found->dtype, tensor.dtype) << name;
  }
  EXPECT_FALSE(opened.find("b.weight"));
  const TensorMap part = opened.with_prefix("a.");
  ASSERT_EQ(part.size(), 1U);
  EXPECT_EQ(part.at("weight").bytes, file.tensors.at("a.weight").bytes);
}

TEST(SafeTensors, AFileThatIsReadOneByOneIsCheckedAsAWhole) {
  const testing::Scratch dir;
  const auto bytes = format_safetensors(sample_file());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    write_bytes(dir / "cut", std::span(bytes).first(size), Flush::kLater);
    EXPECT_THROW(SafeTensorsFile(dir / "cut"), Error) << size;
  }
  write_bytes(dir / "cut", bytes);
  const SafeTensorsFile opened(dir / "cut");
  std::filesystem::resize_file(dir / "cut", bytes.size() - 1);  // cut behind its back
  EXPECT_THROW(opened.with_prefix(""), Error);
  EXPECT_THROW(SafeTensorsFile(dir / "gone"), Error);
}

TEST(SharedBytes, APartKeepsTheWholeAndNothingIsCopied) {
  SharedBytes whole(bytes_of("abcdef"));
  const std::byte* at = whole.data();
  const SharedBytes part = whole.part(2, 3);
  whole = SharedBytes();
  EXPECT_EQ(part.data(), at + 2);
  EXPECT_EQ(part, SharedBytes(bytes_of("cde")));
  const std::vector<float> values{1, 2};
  EXPECT_EQ(static_cast<const void*>(Tensor::borrowed_floats(values, {2}).bytes.data()), values.data());
}

TEST(SafeTensors, OffsetsBeyondTheFileAreRefused) {
  const auto with_header = [](std::string json) {
    std::string file(8, '\0');
    const std::uint64_t size = json.size();
    std::memcpy(file.data(), &size, 8);
    return bytes_of(file + json + std::string(16, '\0'));
  };
  const auto entry = [](const std::string& shape, const std::string& offsets) {
    return R"({"x":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  EXPECT_NO_THROW(parse_safetensors(with_header(entry("[4]", "[0,16]")), "a"));
  for (const auto& [shape, offsets] : {std::pair{"[4]", "[0,17]"},
                                       {"[4]", "[4,20]"},
                                       {"[4]", "[16,0]"},
                                       {"[4]", "[-16,0]"},
                                       {"[-4]", "[0,16]"},
                                       {"[4]", "[0,12]"},
                                       {"[4.5]", "[0,16]"},
                                       {"[4]", "[0]"},
                                       {"[4294967296,4294967296]", "[0,0]"}}) {
    EXPECT_THROW(parse_safetensors(with_header(entry(shape, offsets)), "a"), Error) << shape << offsets;
  }
}

TEST(Half, EveryHalfSurvivesTheWayThroughFloat) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if ((half & 0x7C00U) == 0x7C00U && (half & 0x3FFU) != 0) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value)))) << bits;
    } else {
      ASSERT_EQ(float_to_half(value), half) << bits << " = " << value;
      const double exact = (half & 0x7C00U) == 0x7C00U ? std::numeric_limits<double>::infinity()
                           : (half & 0x7C00U) == 0
                               ? std::ldexp(half & 0x3FF, -24)
                               : std::ldexp(1024 + (half & 0x3FF), ((half >> 10) & 31) - 25);
      ASSERT_EQ(static_cast<double>(value), (half & 0x8000U) != 0 ? -exact : exact) << bits;
    }
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  for (std::uint32_t bits = 0; bits + 1 < 0x7C00; ++bits) {
    const float low = half_to_float(static_cast<std::uint16_t>(bits)),
                high = half_to_float(static_cast<std::uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2;
    const auto even = static_cast<std::uint16_t>(bits % 2 == 0 ? bits : bits + 1);
    ASSERT_EQ(float_to_half(middle), even) << bits;
    ASSERT_EQ(float_to_half(std::nextafter(middle, low)), bits);
    ASSERT_EQ(float_to_half(std::nextafter(middle, high)), bits + 1);
  }
  EXPECT_EQ(float_to_half(65519.99f), 0x7BFF);
  EXPECT_EQ(float_to_half(65520.0f), 0x7C00);
  EXPECT_THROW(Tensor::from_floats_as_half(std::vector<float>{70000.0f}, {1}), Error);
}

TEST(Npz, GoldenWeightsReadWithTheirShapes) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap tensors = read_npz(golden / "upb" / "weights.npz");
  ASSERT_TRUE(tensors.count("cnn2d.0.conv.weight"));
  std::size_t n_halves = 0;
  for (const auto& [name, tensor] : tensors) {
    std::size_t n = 1;
    for (const std::int64_t d : tensor.shape) n *= static_cast<std::size_t>(d);
    EXPECT_EQ(n, tensor.n_elements()) << name;
    n_halves += tensor.dtype == DType::kF16 ? 1 : 0;
    for (const float x : tensor.floats()) ASSERT_TRUE(std::isfinite(x)) << name;
  }
  EXPECT_GT(n_halves, 10U) << "the README says tensors of two and more dimensions are float16";
}

TEST(Npz, ADamagedEntryIsNamed) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const testing::Scratch scratch;
  const std::string whole = read_text(golden / "microsoft/formula_check.npz");
  std::string file = whole;
  const std::size_t at = file.find("NUMPY");  // of the first entry, stored as it is
  ASSERT_NE(at, std::string::npos);
  file[at + 140] = static_cast<char>(file[at + 140] ^ 0x20);  // behind its header of 128 bytes
  try {
    read_npz(scratch.write("a.npz", file));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadFile);
    EXPECT_NE(std::string(e.what()).find(".npy: is damaged"), std::string::npos) << e.what();
  }
  EXPECT_EQ(read_npz(scratch.write("b.npz", whole)).size(), 5U);
}

TEST(Npz, WhatIsNoZipIsRefused) {
  const testing::Scratch scratch;
  EXPECT_THROW(read_npz(scratch.write("a.npz", "no zip at all")), Error);
  EXPECT_THROW(read_npz(scratch / "none.npz"), Error);
}

}  // namespace
}  // namespace earmark
