// Who may include whom, as the house rules say.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "golden_path.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;
using Rooms = std::set<std::string>;

// The rooms that each room's files may include; its own and include/earmark always.
const std::map<std::string, Rooms>& allowed() {
  static const std::map<std::string, Rooms> table{
      {"core", {}},
      {"library", {}},
      {"audio", {"core"}},
      {"features", {"core"}},
      {"architectures", {"core", "features"}},
      {"eval", {"core"}},
      {"data", {"core", "audio", "features", "eval"}},
      {"augment", {"core", "features"}},
      {"tagger", {"core", "audio", "features", "architectures"}},
      {"models", {"core", "features", "architectures", "tagger"}},
      {"engine", {"core", "features", "architectures", "tagger"}},
      {"engine_module", {"engine"}},
      {"recipe", {"core", "features", "architectures", "augment", "data", "eval", "tagger"}},
      {"train",
       {"core", "audio", "features", "architectures", "augment", "data", "models", "eval", "tagger",
        "recipe"}},
      {"torch_module", {"core", "architectures", "models", "train", "tagger"}},
      {"download", {"core", "data"}},
      {"download_module", {"download"}},
      {"app", {"core", "audio", "features", "architectures", "augment", "data", "eval", "tagger", "recipe"}},
  };
  return table;
}

// Headers without libtorch that others may include though their room is not on the list.
const std::map<std::string, Rooms>& allowed_headers() {
  static const std::map<std::string, Rooms> table{
      {"recipe", {"train/options.h", "train/step_timer.h", "train/train.h"}},
      {"app",
       {"train/train.h", "train/options.h", "download/download.h", "decode_bench.h", "features_bench.h",
        "model_bench.h", "pipeline_bench.h", "train_bench.h"}},  // bench/ is no room
  };
  return table;
}

bool is_source(const fs::path& path) { return path.extension() == ".h" || path.extension() == ".cpp"; }

// The text between the marks of every #include of a file; angle brackets keep their first.
std::vector<std::string> includes_of(const fs::path& path) {
  std::vector<std::string> found;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find_first_not_of(' ');
    if (at == std::string::npos || line.compare(at, 8, "#include") != 0) continue;
    const std::size_t open = line.find_first_of("\"<", at), close = line.find_first_of("\">", open + 1);
    if (open != std::string::npos && close != std::string::npos)
      found.push_back((line[open] == '<' ? "<" : "") + line.substr(open + 1, close - open - 1));
  }
  return found;
}

TEST(Includes, EveryRoomIncludesOnlyTheRoomsItMay) {
  const fs::path source = testing::repository() / "src";
  std::size_t n_files = 0;
  for (const auto& [room, rooms] : allowed()) {
    const fs::path folder = source / room;
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!is_source(entry.path())) continue;
      ++n_files;
      for (const std::string& included : includes_of(entry.path())) {
        if (included.front() == '<' || included.starts_with("earmark/")) continue;
        const std::string other = included.substr(0, included.find('/'));
        const auto headers = allowed_headers().find(room);
        const bool fine = other == room || rooms.count(other) > 0 ||
                          (headers != allowed_headers().end() && headers->second.count(included) > 0);
        EXPECT_TRUE(fine) << fs::relative(entry.path(), source) << " includes " << included;
      }
    }
  }
  EXPECT_GT(n_files, 50U);
}

TEST(Includes, EveryRoomIsInTheTable) {
  for (const auto& entry : fs::directory_iterator(testing::repository() / "src")) {
    if (entry.is_directory()) {
      EXPECT_EQ(allowed().count(entry.path().filename().string()), 1U) << entry.path().filename();
    }
  }
}

TEST(Includes, OneDnnStaysInTheEngine) {
  for (const char* folder : {"src", "include", "bench"}) {
    for (const auto& entry : fs::recursive_directory_iterator(testing::repository() / folder)) {
      if (!is_source(entry.path())) continue;
      const bool in_engine = entry.path().string().find("/src/engine/") != std::string::npos;
      for (const std::string& included : includes_of(entry.path()))
        EXPECT_TRUE(in_engine || !included.starts_with("<oneapi/"))
            << entry.path() << " includes " << included;
    }
  }
}

// One file knows how to talk to SQLite, and the room that decodes sound is the one that writes it.
TEST(Includes, SqliteAndLibsndfileStayWhereTheyAreWrapped) {
  for (const auto& entry : fs::recursive_directory_iterator(testing::repository() / "src")) {
    if (!is_source(entry.path())) continue;
    const std::string file = fs::relative(entry.path(), testing::repository() / "src").string();
    for (const std::string& included : includes_of(entry.path())) {
      EXPECT_TRUE(included != "<sqlite3.h" || file == "tagger/database.cpp") << file;
      EXPECT_TRUE(included != "<sndfile.h" || file.starts_with("audio/")) << file;
    }
  }
}

TEST(Includes, TorchStaysInItsRooms) {
  const Rooms with_torch{"models", "train", "torch_module"};
  for (const auto& entry : fs::recursive_directory_iterator(testing::repository() / "src")) {
    if (!is_source(entry.path())) continue;
    const std::string room = fs::relative(entry.path(), testing::repository() / "src").begin()->string();
    for (const std::string& included : includes_of(entry.path())) {
      const bool is_torch =
          included.starts_with("<torch/") || included.starts_with("<ATen/") || included.starts_with("<c10/");
      EXPECT_TRUE(!is_torch || with_torch.count(room) > 0) << entry.path() << " includes " << included;
    }
  }
}

// Headers that others may read without libtorch do not bring it in by another name.
TEST(Includes, HeadersPromisedToBeFreeOfTorchAre) {
  const fs::path train = testing::repository() / "src/train";
  for (const fs::path& header : {train / "options.h", train / "step_timer.h", train / "train.h"}) {
    for (const std::string& included : includes_of(header)) {
      EXPECT_FALSE(included.starts_with("<torch")) << header;
      EXPECT_FALSE(included.starts_with("models/")) << header << " " << included;
    }
  }
}

TEST(Includes, PublicHeadersIncludeThePublicAndTheStandardOnly) {
  for (const auto& entry : fs::directory_iterator(testing::repository() / "include/earmark")) {
    for (const std::string& included : includes_of(entry.path())) {
      const bool standard = included.front() == '<' && included.find('/') == std::string::npos &&
                            included.find(".h") == std::string::npos;
      EXPECT_TRUE(standard || included.starts_with("earmark/")) << entry.path() << " includes " << included;
    }
  }
}

TEST(Includes, YamlAndJsonLibrariesStayOutOfHeaders) {
  for (const auto& entry : fs::recursive_directory_iterator(testing::repository() / "src")) {
    if (entry.path().extension() != ".h") continue;
    for (const std::string& included : includes_of(entry.path())) {
      EXPECT_FALSE(included.starts_with("<yaml-cpp") || included.starts_with("<nlohmann")) << entry.path();
    }
  }
}

}  // namespace
}  // namespace earmark
