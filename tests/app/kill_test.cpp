// `earmark tag` over a folder, killed again and again: what it leaves in the end is what a run leaves that
// nobody disturbed. EARMARK_KILL_FILES and EARMARK_KILLS make it larger (3000 and 20: some minutes).
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "audio/scratch.h"
#include "audio/wav_bytes.h"
#include "core/file.h"
#include "core/rng.h"
#include "program.h"

namespace earmark::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kRate = 44100;

int from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

std::string sound_16(int index, int n_samples) {
  std::string bytes;
  Rng rng(static_cast<std::uint64_t>(index), "kill_test");
  for (int i = 0; i < n_samples; ++i) {
    const auto value = static_cast<std::int16_t>(rng.uniform(-9000.0, 9000.0));
    bytes.append(reinterpret_cast<const char*>(&value), 2);
  }
  return bytes;
}

// Nine ways to be damaged; the last two play all the same, with a warning.
constexpr int kDamages = 9;
std::string damaged(int way, int index) {
  const std::string format = format_chunk(1, 1, kRate, 16);
  const std::string whole = wav(format, sound_16(index, kRate / 4));
  switch (way) {
    case 0:
      return "";
    case 1:
      return "a letter, and no sound at all, whatever its name says";
    case 2:
      return whole.substr(0, 21);
    case 3:
      return wav(format, "");
    case 4:
      return wav(format_chunk(1, 200, kRate, 16), sound_16(index, 400));
    case 5:
      return wav(format_chunk(1, 1, 7, 16), sound_16(index, 400));
    case 6:
      return wav(format_chunk(0x5678, 1, kRate, 16), sound_16(index, 400));
    case 7:
      return whole.substr(0, whole.size() / 2);
    default:
      return wav(format, std::string(2000, '\0'));
  }
}

// A tree of folders with one file in a hundred, and never fewer than ten of them, damaged.
void make_archive(const Scratch& s, int n_files) {
  const int n_damaged = std::max(10, n_files / 100), every = n_files / n_damaged;
  for (int i = 0; i < n_files; ++i) {
    const fs::path folder = s / "archive" / ("week" + std::to_string(i % 7));
    fs::create_directories(folder);
    const std::string bytes =
        i % every == every - 1 ? damaged(i / every % kDamages, i)
                               : wav(format_chunk(1, 1, kRate, 16), sound_16(i, kRate / 4 + 37 * (i % 50)));
    write_text(folder / ("recording " + std::to_string(i) + ".wav"), bytes);
  }
}

// One that is killed after `kill_after`, unless it has ended before. @return its status, 128 + signal.
int run_and_kill(const std::vector<std::string>& arguments, std::chrono::microseconds kill_after) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<char*> words{const_cast<char*>(EARMARK_PROGRAM)};
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) ::dup2(nowhere, fd);
    ::execv(EARMARK_PROGRAM, words.data());
    ::_exit(127);
  }
  std::this_thread::sleep_for(kill_after);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Every file below a folder by its name, so that a tree of outputs can be compared.
std::map<std::string, std::string> files_below(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[fs::relative(entry.path(), folder).string()] = read_text(entry.path());
  }
  return files;
}

class KilledTagging : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!EARMARK_WITH_TORCH && !EARMARK_WITH_DNNL) GTEST_SKIP() << "built without an engine";
  }
};

TEST_P(KilledTagging, EndsWithTheBytesOfAnUndisturbedRun) {
  const std::string format = GetParam();
  const bool tree = format == "audacity";
  const int n_files = from_environment("EARMARK_KILL_FILES", 160),
            n_kills = from_environment("EARMARK_KILLS", 6);
  const Scratch s;
  make_archive(s, n_files);
  const auto arguments = [&](const std::string& out, const std::string& more) {
    return std::vector<std::string>{"tag",
                                    (s / "archive").string(),
                                    "--format",
                                    format,
                                    tree ? "--output-dir" : "--output",
                                    (s / out / (tree ? "tags" : "tags.out")).string(),
                                    "--threads",
                                    "2",
                                    more};
  };
  fs::create_directories(s / "whole");
  fs::create_directories(s / "killed");
  const auto begin = std::chrono::steady_clock::now();
  const Ran whole = run_program(arguments("whole", "--overwrite"));
  const double whole_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ASSERT_EQ(whole.status, 1) << whole.err;  // done, some inputs failed

  Rng rng(7, "kill_moments_" + format);
  int n_killed = 0;
  for (int i = 0; i < 4 * n_kills && n_killed < n_kills; ++i) {
    const auto after = std::chrono::microseconds(static_cast<long>(1e6 * rng.uniform(0.05, 0.7) * whole_s));
    const int status = run_and_kill(arguments("killed", "--resume"), after);
    if (status != 128 + SIGKILL) break;  // all is done
    ++n_killed;
  }
  EXPECT_GT(n_killed, 0);
  const Ran last = run_program(arguments("killed", "--resume"));
  EXPECT_EQ(last.status, 1) << last.err;
  const auto expected = files_below(s / "whole"), got = files_below(s / "killed");
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [name, bytes] : expected) {
    const auto found = got.find(name);
    ASSERT_NE(found, got.end()) << name;
    if (name.ends_with("run.json")) continue;  // tells when the run was begun
    EXPECT_TRUE(found->second == bytes) << name << " differs after " << n_killed << " kills";
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, KilledTagging, ::testing::Values("csv", "jsonl", "raven", "audacity"),
                         [](const auto& format) { return std::string(format.param); });

// A limit on the size of files stands for a full disk: the write fails half-way.
TEST(FullDisk, EndsCleanlySaysWhatIsSafeAndGoesOnLater) {
  if (!EARMARK_WITH_TORCH && !EARMARK_WITH_DNNL) GTEST_SKIP() << "built without an engine";
  const Scratch s;
  make_archive(s, 120);
  const std::string archive = (s / "archive").string();
  const std::string whole = (s / "whole.csv").string(), full = (s / "full.csv").string();
  ASSERT_EQ(run_program({"tag", archive, "--format", "csv", "--output", whole}).status, 1);
  const std::string command = "trap '' XFSZ; ulimit -f 8; exec '" EARMARK_PROGRAM "' tag '" + archive +
                              "' --format csv --output '" + full + "' 2>'" + (s / "err").string() + "'";
  const int code = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(code));
  EXPECT_EQ(WEXITSTATUS(code), 130);
  const std::string err = read_text(s / "err");
  EXPECT_NE(err.find("recordings are safe in"), std::string::npos) << err;
  EXPECT_NE(err.find("--resume"), std::string::npos) << err;
  EXPECT_FALSE(fs::exists(full));
  EXPECT_EQ(run_program({"tag", archive, "--format", "csv", "--output", full, "--resume"}).status, 1);
  EXPECT_TRUE(read_text(full) == read_text(whole));
  EXPECT_TRUE(read_text(full + ".ledger.jsonl") == read_text(whole + ".ledger.jsonl"));
}

}  // namespace
}  // namespace earmark::testing
