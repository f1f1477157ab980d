// run_log.h: log.jsonl of a run, and the same figures for TensorBoard.
#pragma once
#include <filesystem>
#include <vector>

#include "core/file.h"
#include "core/value.h"
#include "train/tensorboard.h"

namespace earmark {

class RunLog {
 public:
  /// Opens log.jsonl in `folder`. Records of iterations beyond `keep_until`, and of the result, are dropped:
  /// a resumed run writes them again. TensorBoard's file is rebuilt from what is kept.
  RunLog(const std::filesystem::path& folder, long keep_until);
  void add(const Value& record);
  const std::vector<Value>& records() const { return records_; }

 private:
  void to_tensorboard(const Value& record);
  void figures_to_tensorboard(long step, const std::string& prefix, const Value& figures);

  std::vector<Value> records_;
  Journal journal_;
  TensorBoardWriter tensorboard_;
  long last_validation_ = -1;  // iteration, in TensorBoard's file
};

}  // namespace earmark
