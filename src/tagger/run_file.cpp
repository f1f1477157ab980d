#include "tagger/run_file.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "core/file.h"

namespace earmark {
namespace {

Value or_null(const std::string& text) { return text.empty() ? Value() : Value(text); }

std::string text_of(const Value& value) { return value.is_null() ? std::string() : value.as_string(); }

}  // namespace

std::string utc_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(static_cast<std::time_t>(us / 1000000)),
                     us % 1000000);
}

RunRecord read_run_file(const std::filesystem::path& path) {
  const Value value = parse_json(read_text(path), path.string());
  RunRecord run;
  run.program = value.at("program").as_string();
  run.bundle_id = value.at("bundle_id").as_string();
  run.bundle = text_of(value.at("bundle"));
  run.options = value.at("options");
  run.options.as_map();  // or it is no run file
  run.n_inputs = value.at("n_inputs").as_integer();
  run.started_at = value.at("started_at").as_string();
  run.finished_at = text_of(value.at("finished_at"));
  run.state = value.at("state").as_string();
  return run;
}

Value provenance_of(const RunRecord& run) {
  Value value{Value::Map()};
  value.set("program", run.program);
  value.set("bundle_id", run.bundle_id);
  value.set("bundle", or_null(run.bundle));
  value.set("options", run.options);
  return value;
}

void write_run_file(const std::filesystem::path& path, const RunRecord& run) {
  Value value = provenance_of(run);
  value.set("n_inputs", run.n_inputs);
  value.set("started_at", run.started_at);
  value.set("finished_at", or_null(run.finished_at));
  value.set("state", run.state);
  write_text(path, to_json(value, 2) + "\n");
}

std::vector<std::string> differences(const RunRecord& before, const RunRecord& now) {
  std::vector<std::string> found;
  const auto compare = [&](const std::string& name, const Value& old, const Value& value) {
    if (!(old == value))
      found.push_back(
          fmt::format("{}: the run was begun with {}, now it is {}", name, to_json(old), to_json(value)));
  };
  compare("bundle_id", before.bundle_id, now.bundle_id);
  for (const auto& [name, value] : now.options.as_map()) {
    const Value* old = before.options.find(name);
    if (old != nullptr) compare(name, *old, value);
  }
  return found;
}

}  // namespace earmark
