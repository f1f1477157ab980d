#include "core/torch_pickle.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <cstring>
#include <functional>

#include "../audio/scratch.h"
#include "core/file.h"
#include "core/rng.h"
#include "earmark/error.h"

namespace earmark::testing {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

void write_zip(const std::filesystem::path& path, const Entries& entries) {
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  ASSERT_NE(archive, nullptr);
  for (const auto& [name, content] : entries) {
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
    ASSERT_GE(index, 0);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
  }
  ASSERT_EQ(zip_close(archive), 0);
}

std::string text(const std::string& words) {
  return std::string("X") + static_cast<char>(words.size()) + std::string(3, '\0') + words;
}

std::string integer(int value) { return std::string("K") + static_cast<char>(value); }

// What torch.save (protocol 2) writes for one tensor.
std::string tensor(const std::string& key, int n, const std::string& shape, const std::string& strides,
                   int offset = 0, const std::string& storage = "FloatStorage") {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" + storage + "\n" + text(key) +
         text("cpu") + integer(n) + "tQ" + integer(offset) + shape + strides + "\x89" +
         "ccollections\nOrderedDict\n)RtR";
}

std::string dictionary(const std::string& items) {
  return "\x80\x02"
         "ccollections\nOrderedDict\n)R(" +
         items + "u}" + text("_metadata") + "Nsb.";
}

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

Entries state_file(const std::string& pickle) {
  return {{"archive/data.pkl", pickle},
          {"archive/data/0", floats({1, 2, 3, 4, 5, 6})},
          {"archive/version", "3\n"}};
}

const std::string kTwoByThree = integer(2) + integer(3) + "\x86",
                  kRowMajor = integer(3) + integer(1) + "\x86",
                  kColumnMajor = integer(1) + integer(2) + "\x86";

TEST(TorchPickle, ReadsTensorsAndViews) {
  const Scratch s;
  write_zip(s / "a.pt", state_file(dictionary(text("w") + tensor("0", 6, kTwoByThree, kRowMajor) + text("t") +
                                              tensor("0", 6, kTwoByThree, kColumnMajor) + text("last") +
                                              tensor("0", 6, integer(2) + "\x85", integer(1) + "\x85", 4))));
  const TensorMap state = read_torch_state(s / "a.pt").tensors;
  ASSERT_EQ(state.size(), 3u);
  EXPECT_EQ(state.at("w").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(state.at("w").floats(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(state.at("t").floats(), (std::vector<float>{1, 3, 5, 2, 4, 6}));
  EXPECT_EQ(state.at("last").floats(), (std::vector<float>{5, 6}));
}

TEST(TorchPickle, FindsTheStateInACheckpoint) {
  const Scratch s;
  write_zip(s / "a.pt", state_file("\x80\x02}(" + text("epoch") + integer(3) + text("state_dict") + "}(" +
                                   text("w") + tensor("0", 6, kTwoByThree, kRowMajor) + "uu."));
  EXPECT_EQ(read_torch_state(s / "a.pt").tensors.size(), 1u);
}

// Trainers keep single tensors beside the state (the best score of a Lightning callback).
TEST(TorchPickle, ATensorBesideTheStateIsNotTheState) {
  const Scratch s;
  write_zip(s / "a.ckpt",
            state_file("\x80\x02}(" + text("best_score") +
                       tensor("0", 6, integer(1) + "\x85", integer(1) + "\x85") + text("state_dict") + "}(" +
                       text("w") + tensor("0", 6, kTwoByThree, kRowMajor) + "uu."));
  const TorchState state = read_torch_state(s / "a.ckpt");
  EXPECT_EQ(state.tensors.size(), 1u);
  EXPECT_TRUE(state.tensors.contains("w"));
}

TEST(TorchPickle, WhatIsNoTensorIsTold) {
  const Scratch s;
  write_zip(s / "a.pt", state_file(dictionary(text("w") + tensor("0", 6, kTwoByThree, kRowMajor) +
                                              text("sparse") + "ctorch._utils\n_rebuild_sparse_tensor\n(" +
                                              integer(1) + "tR" + text("epoch") + integer(3))));
  EXPECT_EQ(read_torch_state(s / "a.pt").others,
            (std::vector<std::string>{
                "sparse: is an object of class 'torch._utils._rebuild_sparse_tensor', no tensor",
                "epoch: is a plain value, no tensor"}));
}

// How NumPy pickles an array, and protocol 2 its bytes (torchvggish's principal components).
std::string array(const std::string& type, const std::string& shape, const std::string& bytes,
                  const std::string& order = "<", const std::string& by_columns = "\x89") {
  const std::string of_type =
      "cnumpy\ndtype\n(" + text(type) + "\x89\x88tR(" + integer(3) + text(order) + "NNNtb";
  return "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" + integer(0) + "\x85" + text("b") +
         "tR(" + integer(1) + shape + of_type + by_columns + bytes + "tb";
}

std::string as_latin1(const std::vector<float>& values) {
  std::string utf8;
  for (const char c : floats(values)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) utf8 += static_cast<char>(0xC0 | (byte >> 6));
    utf8 += static_cast<char>(byte < 0x80 ? byte : 0x80 | (byte & 0x3F));
  }
  return "c_codecs\nencode\n(" + text(utf8) + text("latin1") + "tR";
}

TEST(TorchPickle, ArraysOfNumpyAreTensors) {
  const Scratch s;
  const std::vector<float> values{1.0f, -2.5f, 3.0f, 1e-3f, -7.0f, 0.1f};
  write_zip(s / "a.pt", state_file(dictionary(text("a") + array("f4", kTwoByThree, as_latin1(values)))));
  const TensorMap state = read_torch_state(s / "a.pt").tensors;
  EXPECT_EQ(state.at("a").floats(), values);
  EXPECT_EQ(state.at("a").shape, (std::vector<std::int64_t>{2, 3}));
  write_zip(s / "b.pt", state_file(dictionary(text("b") + array("f4", kTwoByThree, as_latin1(values), "<",
                                                                "\x88"))));  // by columns
  const TensorMap by_columns = read_torch_state(s / "b.pt").tensors;
  EXPECT_EQ(by_columns.at("b").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(by_columns.at("b").floats(), (std::vector<float>{1.0f, 3.0f, -7.0f, -2.5f, 1e-3f, 0.1f}));
}

// A tensor of a kind that no network has is told and left; what is beside it is read.
TEST(TorchPickle, TensorsOfOtherKindsArePassedOver) {
  const Scratch s;
  write_zip(s / "a.pt",
            state_file(dictionary(text("w") + tensor("0", 6, kTwoByThree, kRowMajor) + text("codes") +
                                  tensor("1", 6, kTwoByThree, kRowMajor, 0, "CharStorage"))));
  const TorchState state = read_torch_state(s / "a.pt");
  EXPECT_EQ(state.tensors.size(), 1U);
  EXPECT_EQ(state.others,
            (std::vector<std::string>{"codes: a storage of kind torch.CharStorage is not read"}));
}

void expect_refused(const Entries& entries, const std::string& why) {
  const Scratch s;
  write_zip(s / "a.pt", entries);
  try {
    read_torch_state(s / "a.pt");
    FAIL() << why;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadFile);
    EXPECT_NE(std::string(e.what()).find(why), std::string::npos) << e.what();
  }
}

TEST(TorchPickle, RunsNoCode) {
  expect_refused(state_file("\x80\x02"
                            "cposix\nsystem\n(" +
                            text("echo harm") + "tR."),
                 "calls 'posix.system', which is refused");
  expect_refused(state_file("cbuiltins\neval\n(" + text("1") + "tR."), "builtins.eval");
  expect_refused(state_file("\x80\x02(ios\nsystem\n."), "opcode 0x69");
}

TEST(TorchPickle, ArraysThatCannotBeAreRefused) {
  const std::string bytes = as_latin1({1, 2, 3, 4, 5, 6});
  const auto state = [](const std::string& made) { return state_file(dictionary(text("a") + made)); };
  expect_refused(state(array("f4", integer(2) + integer(9) + "\x86", bytes)), "shape and bytes do not fit");
  expect_refused(state(array("c8", kTwoByThree, bytes)), "type c8");
  expect_refused(state(array("f4", kTwoByThree, bytes, ">")), "big-endian");
  expect_refused(state(array("f4", kTwoByThree, integer(3))), "not as NumPy writes it");
  // The same bytes over and over: a small file that would fill any memory.
  std::string bomb = text(std::string(200, 'x')) + "q" + std::string(1, '\0');
  for (int i = 0; i < 2000; ++i)
    bomb += "c_codecs\nencode\n(h" + std::string(1, '\0') + text("latin1") + "tR0";
  expect_refused(state_file(dictionary(text("a") + bomb)), "arrays are larger than the file");
}

// Sets, byte strings and numbers of any size as protocol 2 writes them among hyperparameters; and the calls
// that are no better for being spelt as in Python 2.
TEST(TorchPickle, PlainObjectsOfProtocol2ArePassedOver) {
  const Scratch s;
  const std::string set = "c__builtin__\nset\n(](" + integer(1) + "etR", bytes = "c__builtin__\nbytes\n)R",
                    huge = "\x8a\x09" + std::string(9, '\x01');
  write_zip(s / "a.ckpt", state_file("\x80\x02}(" + text("set") + set + text("bytes") + bytes + text("huge") +
                                     huge + text("state_dict") + "}(" + text("w") +
                                     tensor("0", 6, kTwoByThree, kRowMajor) + "uu."));
  EXPECT_EQ(read_torch_state(s / "a.ckpt").tensors.size(), 1u);
  for (const std::string call : {"c__builtin__\neval\n", "ccommands\nPopen\n"})
    expect_refused(state_file("\x80\x02" + call + "(" + text("1") + "tR."), "which is refused");
}

// How protocol 2 names a member of an enumeration, a method or a nested class, which it may then call; parts
// of what is refused are refused.
TEST(TorchPickle, PartsOfClassesArePassedOver) {
  const Scratch s;
  const auto part = [](const std::string& of, const std::string& name) {
    return "c__builtin__\ngetattr\n(c" + of + text(name) + "tR";
  };
  write_zip(s / "a.ckpt",
            state_file("\x80\x02}(" + text("mode") + part("trainer\nMode\n", "FAST") + text("made") +
                       part("trainer\nOuter\n", "Inner") + "(" + integer(1) + "tR" + text("state_dict") +
                       "}(" + text("w") + tensor("0", 6, kTwoByThree, kRowMajor) + "uu."));
  EXPECT_EQ(read_torch_state(s / "a.ckpt").tensors.size(), 1U);
  expect_refused(state_file("\x80\x02" + part("os\npath\n", "os") + "."), "asks for a part of 'os.path'");
}

TEST(TorchPickle, AByteThatIsNotTheChecksumsIsDamage) {
  const Scratch s;
  write_zip(s / "a.pt", state_file(dictionary(text("w") + tensor("0", 6, kTwoByThree, kRowMajor))));
  std::string file = read_text(s / "a.pt");
  const std::size_t at = file.find(floats({1, 2, 3}));
  ASSERT_NE(at, std::string::npos);
  file[at + 2] = static_cast<char>(file[at + 2] ^ 0x10);
  s.write("a.pt", file);
  try {
    read_torch_state(s / "a.pt");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("archive/data/0: is damaged"), std::string::npos) << e.what();
  }
}

TEST(TorchPickle, DamageIsNamed) {
  const std::string good = dictionary(text("w") + tensor("0", 6, kTwoByThree, kRowMajor));
  expect_refused({{"x/other", "1"}}, "no data.pkl");
  expect_refused({{"a/data.pkl", good}}, "a/data/0' is missing");
  expect_refused({{"a/data.pkl", good}, {"a/data/0", "12"}}, "larger than its storage");
  expect_refused(state_file(good.substr(0, 60)), "cut");
  expect_refused(state_file(dictionary(text("w") + tensor("0", 6, kTwoByThree, kRowMajor, 1))),
                 "reaches beyond");
  expect_refused(
      state_file(dictionary(text("w") + tensor("0", 6, kTwoByThree, integer(9) + integer(1) + "\x86"))),
      "reaches beyond");
  expect_refused(state_file(dictionary(text("w") + tensor("0", 6, kTwoByThree, integer(1) + "\x85"))),
                 "do not fit together");
  expect_refused(
      state_file(dictionary(text("w") + tensor("0", 6, kTwoByThree, kRowMajor, 0, "QInt8Storage"))),
      "QInt8Storage");
  expect_refused(state_file(integer(3) + "."), "no dictionary");
  expect_refused(state_file(dictionary(text("w") + integer(1))), "no tensors");
  Entries big = state_file(good);
  big.push_back({"archive/byteorder", "big"});
  expect_refused(big, "big-endian");
}

// A trainer's checkpoint holds objects of its own classes beside the state: keys that are classes, objects
// made by a call or as new ones, with attributes and items, sets and byte strings.
TEST(TorchPickle, ObjectsOfATrainersClassesArePassedOver) {
  const Scratch s;
  const std::string opaque = "ctrainer.parsing\nAttributeDict\n)\x81}(" + text("lr") + integer(1) + "ub";
  const std::string called = "ctrainer\nmake\n(" + integer(1) + "tR(" + text("a") + integer(2) + "u";
  const std::string keyed = "}(ctrainer.callbacks\nModelCheckpoint\n\x8f(" + integer(1) + "\x90" + "u";
  write_zip(s / "a.ckpt",
            state_file("\x80\x02}(" + text("hyper_parameters") + opaque + text("x") + called +
                       text("callbacks") + keyed + text("bytes") + "C\x03" + "abc" + text("state_dict") +
                       "}(" + text("w") + tensor("0", 6, kTwoByThree, kRowMajor) + "uu."));
  EXPECT_EQ(read_torch_state(s / "a.ckpt").tensors.at("w").floats(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

// What torch.save wrote before PyTorch 1.6.
std::string legacy_file(const std::string& pickle, const std::string& storages,
                        const std::string& protocol = "\x80\x02") {
  const std::string magic = protocol + std::string("\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.", 13);
  const std::string version("\x80\x02M\xe9\x03.", 6);
  const std::string facts =
      "\x80\x02}(" + text("protocol_version") + integer(1) + text("little_endian") + "\x88u.";
  return magic + version + facts + pickle + storages;
}

std::string count(std::uint64_t n) { return {reinterpret_cast<const char*>(&n), sizeof(n)}; }

// In the old form a storage's identity has a sixth part.
std::string old_tensor(const std::string& key, int n) {
  std::string made = tensor(key, n, kTwoByThree, kRowMajor);
  return made.replace(made.find("tQ"), 2, "NtQ");
}

TEST(TorchPickle, ReadsTheFormBeforeVersion16) {
  const Scratch s;
  const std::string pickle = dictionary(text("b") + old_tensor("9", 6) + text("a") + old_tensor("4", 6));
  const std::string keys = "\x80\x02](" + text("4") + text("9") + "e.";
  const std::string good = legacy_file(
      pickle, keys + count(6) + floats({1, 2, 3, 4, 5, 6}) + count(6) + floats({7, 8, 9, 10, 11, 12}));
  const TensorMap state = read_torch_state(s.write("a.pt", good)).tensors;
  EXPECT_EQ(state.at("a").floats(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(state.at("b").floats(), (std::vector<float>{7, 8, 9, 10, 11, 12}));

  const std::string framed = legacy_file(
      pickle, keys + count(6) + floats({1, 2, 3, 4, 5, 6}) + count(6) + floats({7, 8, 9, 10, 11, 12}),
      "\x80\x04\x95" + count(13));
  EXPECT_EQ(read_torch_state(s.write("framed.pt", framed)).tensors.at("a").floats(), state.at("a").floats());

  // From protocol 4 on what is kept has no numbers but its order, in each pickle from 0.
  const std::string kept_facts = "\x80\x04}\x94(" + text("little_endian") + "\x94\x88u.";
  const std::string kept = "\x80\x04" + std::string("ccollections\nOrderedDict\n\x94)R\x94(") + text("a") +
                           "\x94" + old_tensor("4", 6) + text("meta") + "h" + std::string(1, '\0') + ")R" +
                           text("b") + old_tensor("9", 6) + "u.";
  const std::string numbered = "\x80\x04" + std::string("\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.", 13) +
                               std::string("\x80\x04M\xe9\x03.", 6) + kept_facts + kept + keys + count(6) +
                               floats({1, 2, 3, 4, 5, 6}) + count(6) + floats({7, 8, 9, 10, 11, 12});
  EXPECT_EQ(read_torch_state(s.write("numbered.pt", numbered)).tensors.at("b").floats(),
            state.at("b").floats());

  // Cut anywhere it is refused; with a byte changed it is refused or holds other values.
  Rng rng(2, "legacy_damage");
  for (std::size_t n = 0; n < good.size(); n += 7)
    EXPECT_THROW(read_torch_state(s.write("a.pt", good.substr(0, n))), Error) << n;
  for (int i = 0; i < 1500; ++i) {
    std::string damaged = good;
    damaged[rng.below(damaged.size())] = static_cast<char>(rng.below(256));
    try {
      read_torch_state(s.write("a.pt", damaged));
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), ErrorCode::kBadFile) << e.what();
    }
  }
}

TEST(TorchPickle, NonsenseIsNoState) {
  const Scratch s;
  for (const char* content : {"", "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.", "hello"})
    EXPECT_THROW(read_torch_state(s.write("a.pt", content)), Error);
  EXPECT_THROW(read_torch_state(s / "none.pt"), Error);
}

TEST(TorchPickle, DeepNestingAndCirclesEnd) {
  expect_refused(state_file("]" + std::string(200000, '\x85') + "."), "no dictionary");
  expect_refused(state_file("]q" + std::string(1, '\0') + "h" + std::string(1, '\0') + "a."),
                 "no dictionary");
}

TEST(TorchPickle, AnyDamageIsAnErrorOrOtherValues) {
  const Scratch s;
  const std::string good = dictionary(text("w") + tensor("0", 6, kTwoByThree, kRowMajor) + text("a") +
                                      array("f4", kTwoByThree, as_latin1({1, -2, 3, 4, -5, 6})));
  Rng rng(1, "pickle_damage");
  for (int i = 0; i < 1500; ++i) {
    std::string damaged = good;
    for (std::uint64_t k = 0, n = 1 + rng.below(3); k < n; ++k)
      damaged[rng.below(damaged.size())] = static_cast<char>(rng.below(256));
    if (i % 3 == 0) damaged.resize(rng.below(damaged.size()));
    write_zip(s / "a.pt", state_file(damaged));
    if (i % 5 == 0) {  // the container too
      std::string file = read_text(s / "a.pt");
      file[rng.below(file.size())] = static_cast<char>(rng.below(256));
      s.write("a.pt", file);
    }
    try {
      read_torch_state(s / "a.pt");
    } catch (const Error& e) {
      ASSERT_TRUE(e.code() == ErrorCode::kBadFile || e.code() == ErrorCode::kIo) << e.what();
    }
  }
}

}  // namespace
}  // namespace earmark::testing
