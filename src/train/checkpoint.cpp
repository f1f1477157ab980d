#include "train/checkpoint.h"

#include <fmt/format.h>

#include "core/options_io.h"
#include "earmark/error.h"

namespace earmark {
namespace {

std::filesystem::path path_in(const std::filesystem::path& run) {
  return run / "checkpoints" / "latest.safetensors";
}

}  // namespace

void write_checkpoint(const std::filesystem::path& run, const Checkpoint& checkpoint, TensorMap tensors) {
  std::filesystem::create_directories(run / "checkpoints");
  Value state;
  state.set("iteration", Value(static_cast<std::int64_t>(checkpoint.iteration)));
  state.set("loss_sum", Value(checkpoint.loss_sum));
  state.set("loss_count", Value(static_cast<std::int64_t>(checkpoint.loss_count)));
  state.set("elapsed_s", Value(checkpoint.spent.wall_s));
  state.set("cpu_s", Value(checkpoint.spent.cpu_s));
  state.set("fold", Value(checkpoint.fold));
  state.set("data_id", Value(checkpoint.data_id));
  if (!checkpoint.init_id.empty()) state.set("init", Value(checkpoint.init_id));
  if (!checkpoint.embedder_id.empty()) state.set("embedder", Value(checkpoint.embedder_id));
  state.set("threads", Value(checkpoint.threads));
  state.set("normalizer", write_options(checkpoint.normalizer));
  if (checkpoint.unverified_normalizer)
    state.set("unverified_normalizer", write_options(*checkpoint.unverified_normalizer));
  Value::List columns;
  for (const MetadataColumn& column : checkpoint.metadata) columns.push_back(write_options(column));
  state.set("metadata", Value(std::move(columns)));
  state.set("watch", checkpoint.watch);
  write_safetensors(path_in(run), {{{"earmark_checkpoint", to_json(state)}, {"recipe", checkpoint.recipe}},
                                   std::move(tensors)});
}

std::optional<SavedCheckpoint> read_checkpoint(const std::filesystem::path& run) {
  if (!std::filesystem::exists(path_in(run))) return std::nullopt;
  SafeTensorsFile file(path_in(run));
  for (const char* key : {"earmark_checkpoint", "recipe"}) {
    if (!file.metadata().contains(key))
      throw Error(ErrorCode::kBadFile,
                  fmt::format("{}: is no checkpoint: its metadata lack '{}'", path_in(run).string(), key));
  }
  const Value state = parse_json(file.metadata().at("earmark_checkpoint"), path_in(run).string());
  Checkpoint checkpoint;
  checkpoint.iteration = state.at("iteration").as_integer();
  checkpoint.loss_sum = state.at("loss_sum").as_number();
  checkpoint.loss_count = state.at("loss_count").as_integer();
  checkpoint.spent = {state.at("elapsed_s").as_number(), state.at("cpu_s").as_number()};
  checkpoint.fold = static_cast<int>(state.at("fold").as_integer());
  checkpoint.data_id = state.at("data_id").as_string();
  checkpoint.threads = static_cast<int>(state.at("threads").as_integer());
  if (const Value* init = state.find("init")) checkpoint.init_id = init->as_string();
  if (const Value* embedder = state.find("embedder")) checkpoint.embedder_id = embedder->as_string();
  std::vector<std::string> problems;
  read_options(state.at("normalizer"), checkpoint.normalizer, "normalizer", problems);
  if (const Value* own = state.find("unverified_normalizer"))
    read_options(*own, checkpoint.unverified_normalizer.emplace(), "unverified_normalizer", problems);
  if (const Value* watch = state.find("watch")) checkpoint.watch = *watch;
  if (const Value* columns = state.find("metadata"))
    detail::read_field(*columns, checkpoint.metadata, kAny, {"metadata", &problems});
  if (!problems.empty()) throw Error(ErrorCode::kBadFile, path_in(run).string() + ":", problems);
  checkpoint.recipe = file.metadata().at("recipe");
  return SavedCheckpoint{std::move(checkpoint), std::move(file)};
}

}  // namespace earmark
