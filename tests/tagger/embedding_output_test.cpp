#include "tagger/embedding_output.h"

#include <gtest/gtest.h>

#include <atomic>

#include "../audio/scratch.h"
#include "core/csv.h"
#include "core/file.h"
#include "core/tensor_io.h"
#include "job_case.h"

namespace earmark::testing {
namespace {

/// Its last layer sees the features' mean and twice that.
class Telling : public FakeNetwork {
 public:
  Telling() : FakeNetwork(true, 0.0f) {}
  int n_hidden() const override { return 2; }
  std::vector<float> scores_and_hidden(const NetworkInput& input, std::vector<float>& hidden) const override {
    const float mean = mean_of(input.features);
    hidden = {mean, 2.0f * mean};
    return scores(input);
  }
};
std::unique_ptr<Network> make_telling(const BundledNetwork&, const TensorMap&) {
  return std::make_unique<Telling>();
}
std::shared_ptr<const Scorer> telling() { return std::make_shared<Scorer>(fake_bundle(), make_telling); }

TagRequest embedding_request(const Scratch& s, const std::string& out) {
  TagRequest request = request_for(s / "in", TagFormat::kCsv);
  request.output = s / (out + ".csv");
  request.embeddings = s / (out + ".npy");
  return request;
}

TEST(EmbeddingOutput, ARowASegmentInTheOrderOfTheOutput) {
  const Scratch s;
  record(s / "in/a.wav", noise(3.0, 1));
  s.write("in/b, damaged.wav", "");
  record(s / "in/c \"x\".wav", noise(2.0, 2));
  TagRequest request = embedding_request(s, "out");
  request.threads = 3;
  run(request, telling());
  const Tensor rows = read_npy(s / "out.npy");
  EXPECT_EQ(rows.shape, (std::vector<std::int64_t>{5, 2}));
  const std::vector<float> values = rows.floats();
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(values[2 * i + 1], 2.0f * values[2 * i]);
  EXPECT_NE(values[0], values[2]);
  const CsvTable index = CsvTable::read(s / "out.npy.csv");
  ASSERT_EQ(index.rows().size(), 5U);
  EXPECT_EQ(index.columns(), (std::vector<std::string>{"row", "file", "start_s", "end_s"}));
  EXPECT_EQ(index.rows()[4].fields,
            (std::vector<std::string>{"4", (s / "in/c \"x\".wav").native(), "1.0", "2.0"}));
  EXPECT_FALSE(std::filesystem::exists(s / "out.npy.partial"));
}

// What is done is not heard again: another file would stay without it.
TEST(EmbeddingOutput, AnotherFileThanTheRunBeganWithIsRefused) {
  const Scratch s;
  record(s / "in/a.wav", noise(2.0, 1));
  TagRequest request = embedding_request(s, "out");
  run(request, telling());
  record(s / "in/b.wav", noise(1.0, 2));
  request.resume = true;
  TagRequest other = request;
  other.embeddings = s / "other.npy";
  try {
    run(other, telling());
    FAIL() << "a table without the first recording";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("other.npy has no rows of 1 recordings"), std::string::npos)
        << e.what();
  }
  run(request, telling());
  EXPECT_EQ(read_npy(s / "out.npy").shape[0], 3);
}

TEST(EmbeddingOutput, AResumedJobEndsWithTheSameBytes) {
  const Scratch s;
  make_recordings(s, 12);
  run(embedding_request(s, "whole"), telling());
  for (int stop_after : {1, 4, 9}) {
    const std::string name = "stopped" + std::to_string(stop_after);
    TagRequest request = embedding_request(s, name);
    std::atomic<bool> stop{false};
    int n_done = 0;
    request.threads = 1;  // of two the other might be at the end before this one's recording is done
    request.stop = &stop;
    request.on_done = [&](const LedgerEntry&) { stop = stop || ++n_done >= stop_after; };
    TagJob(request).run(*telling());
    EXPECT_FALSE(std::filesystem::exists(s / (name + ".npy")));
    // What a kill leaves beyond the ledger, torn in the middle of a row.
    write_text(s / (name + ".npy.partial"), read_text(s / (name + ".npy.partial")) + "torn rows");
    write_text(s / (name + ".npy.csv.partial"), read_text(s / (name + ".npy.csv.partial")) + "99,to");
    request.stop = nullptr;
    request.on_done = nullptr;
    request.resume = true;
    request.threads = 2;
    TagJob(request).run(*telling());
    EXPECT_TRUE(read_text(s / (name + ".npy")) == read_text(s / "whole.npy")) << stop_after;
    EXPECT_EQ(read_text(s / (name + ".npy.csv")), read_text(s / "whole.npy.csv")) << stop_after;
  }
}

TEST(EmbeddingOutput, WhatCannotBeIsRefused) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  TagRequest request = embedding_request(s, "out");
  EXPECT_THROW(TagJob(request).run(*step_scorer()), Error);  // its network tells nothing
  request.overwrite = true;
  request.embeddings = s / "out.csv.gz";
  EXPECT_NE(problems_of(request).find("embeddings: must be the name of a .npy file"), std::string::npos);
  TagRequest again = embedding_request(s, "there");
  s.write("there.npy", "old");
  EXPECT_NE(problems_of(again).find("there.npy exists"), std::string::npos);
}

}  // namespace
}  // namespace earmark::testing
