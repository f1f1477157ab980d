// job_case.h: tagging jobs on recordings that are made for them, through networks that need no libtorch.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../audio/scratch.h"
#include "fake_network.h"
#include "tagger/tag_job.h"

namespace earmark::testing {

struct JobRun {
  std::string text;
  std::vector<LedgerEntry> entries;
  TagSummary summary;
};

inline JobRun run(TagRequest request, const std::shared_ptr<const Scorer>& scorer = mean_scorer()) {
  JobRun result;
  request.on_text = [&](std::string_view text) { result.text += text; };
  request.on_done = [&](const LedgerEntry& entry) { result.entries.push_back(entry); };
  result.summary = TagJob(std::move(request)).run(*scorer);
  return result;
}

inline TagRequest request_for(const std::filesystem::path& input, TagFormat format = TagFormat::kJsonl) {
  TagRequest request;
  request.inputs = {input};
  request.format = format;
  request.threads = 2;
  return request;
}

inline void record(const std::filesystem::path& path, const Waveform& wave,
                   WavFormat format = WavFormat::kPcm16) {
  std::filesystem::create_directories(path.parent_path());
  write_wav(path, wave, format);
}

// Recordings of many lengths, so that threads finish out of order.
inline void make_recordings(const Scratch& s, int n) {
  for (int i = 0; i < n; ++i) {
    record(s / ((i % 3 == 0 ? "in/deep/" : "in/") + std::to_string(i) + ".wav"),
           noise(0.5 + static_cast<double>((i * 7) % 13), static_cast<std::uint64_t>(i)));
  }
}

inline std::string problems_of(const TagRequest& request) {
  try {
    TagJob job(request);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidOption);
    return e.what();
  }
  return "";
}

}  // namespace earmark::testing
