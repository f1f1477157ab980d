// download_journal.h: root/.earmark_download.jsonl, which remembers what earlier calls fetched and unpacked.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/value.h"
#include "data/archives.h"

namespace earmark {

/// One line an archive. Thread-safety: one thread at a time.
class DownloadJournal {
 public:
  /// @throws Error(kBadFile) naming a line that does not read, Error(kIo).
  explicit DownloadJournal(const std::filesystem::path& root);

  /// How many files of it are there; empty when it has to be fetched: no line says so, the checksums were
  /// others, or the first or last of its files is gone.
  std::optional<std::size_t> n_files(const std::string& dataset, const std::string& release,
                                     const Archive& archive) const;

  /// @param files relative to the root. @throws Error(kIo).
  void add(const std::string& dataset, const std::string& release, const Archive& archive,
           const std::vector<std::string>& files);

 private:
  std::filesystem::path root_;
  Journal journal_;
  std::vector<Value> lines_;
};

}  // namespace earmark
