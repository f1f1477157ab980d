#include "train/run_log.h"

#include <sstream>

#include "earmark/error.h"

namespace earmark {
namespace {

std::vector<Value> kept_records(const std::filesystem::path& path, long keep_until) {
  std::vector<Value> kept;
  if (!std::filesystem::exists(path)) return kept;
  std::istringstream lines(read_text(path));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    try {
      Value record = parse_json(line, path.string());
      if (record.at("iteration").as_integer() > keep_until || record.find("result") != nullptr) continue;
      text += line + "\n";
      kept.push_back(std::move(record));
    } catch (const Error&) {
      break;  // torn by a kill; what follows it cannot be whole
    }
  }
  write_text(path, text);
  return kept;
}

}  // namespace

RunLog::RunLog(const std::filesystem::path& folder, long keep_until)
    : records_(kept_records(folder / "log.jsonl", keep_until)),
      journal_(folder / "log.jsonl"),
      tensorboard_(folder) {
  for (const Value& record : records_) to_tensorboard(record);
}

void RunLog::add(const Value& record) {
  journal_.append(to_json(record));
  records_.push_back(record);
  to_tensorboard(record);
}

void RunLog::to_tensorboard(const Value& record) {
  const long step = record.at("iteration").as_integer();
  if (record.find("validation") != nullptr) {
    if (step <= last_validation_) return;  // of the result, whose weights were validated in the run
    last_validation_ = step;
  }
  for (const auto& [name, value] : record.as_map()) {
    if (value.is_number() && name != "iteration")
      tensorboard_.scalar(step, "train/" + name, value.as_number());
    if (name == "validation") figures_to_tensorboard(step, "validation/", value);
  }
}

void RunLog::figures_to_tensorboard(long step, const std::string& prefix, const Value& figures) {
  for (const auto& [metric, figure] : figures.as_map()) {
    if (figure.is_map()) figures_to_tensorboard(step, prefix + metric + "/", figure);  // of each level
    if (figure.is_number()) tensorboard_.scalar(step, prefix + metric, figure.as_number());
  }
}

}  // namespace earmark
