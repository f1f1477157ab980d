#include <algorithm>

#include "app/archive_download.h"
#include "app/cli/data_actions.h"
#include "core/options_io.h"
#include "earmark/error.h"

namespace earmark::cli {
namespace {

struct DataDownloadGiven {
  std::string dataset;
  std::vector<std::string> releases, only;
  DownloadRequest request;
  bool list = false, json = false;
};

// Progress counts in megabytes: a bar's figures stay readable, and its rate is a transfer's.
long megabytes(std::uint64_t bytes) { return static_cast<long>(bytes / 1'000'000); }

int run(const DataDownloadGiven& given, const Common& common) {
  const DownloadPlan plan = plan_download(given.dataset, given.releases, given.only, given.request.mirror);
  if (given.list) {
    print(given.json ? to_json(to_value(plan), 2) + "\n" : plan_text(plan));
    return kDone;
  }
  if (given.request.root.empty())
    throw Error(ErrorCode::kInvalidOption,
                "--data-root: must name the folder to unpack into (or give --list)");
  DownloadFn& download = module_download();
  say(common, "licence of " + licence_text(plan.archives));
  Progress progress(common);
  DownloadRequest request = given.request;
  request.dataset = given.dataset;
  request.releases = plan.chosen;
  request.stop = &stop_flag();
  request.on_progress = [&](const DownloadProgress& now) {
    if (megabytes(now.done) > 0) progress.show(now.stage, megabytes(now.done), megabytes(now.total), "MB");
  };
  request.on_message = [&](const std::string& line) {
    progress.clear();
    say(common, line);
  };
  const DownloadResult result = download(request);
  progress.clear();
  print(given.json ? to_json(to_value(result), 2) + "\n" : result_text(result));
  if (result.stopped) return kStopped;
  return result.complete() ? kDone : kSomeFailed;
}

std::string dashed(std::string_view name) {
  std::string option = "--" + std::string(name);
  std::replace(option.begin(), option.end(), '_', '-');
  return option;
}

void add_transfer_options(CLI::App* action, TransferOptions& transfer) {
  TransferOptions::fields(
      transfer, [&](std::string_view name, auto& field, const Range& range, std::string_view doc) {
        using Field = std::decay_t<decltype(field)>;
        action->add_option(dashed(name), field, std::string(doc))
            ->check(CLI::Range(static_cast<Field>(range.min), static_cast<Field>(range.max)))
            ->capture_default_str();
      });
}

}  // namespace

void add_data_download(Program& program, CLI::App* verb) {
  auto given = std::make_shared<DataDownloadGiven>();
  CLI::App* action = add_action(
      program, verb, "download",
      "fetches a data set's official archives, verifies them and unpacks them into the folder that the other "
      "verbs read. The same command goes on where an earlier one ended, and fetches nothing twice",
      "  earmark data download --dataset tau_scenes2019 --list\n"
      "  earmark data download --dataset esc50 --data-root ESC-50\n"
      "  earmark data download --dataset sonyc_ust --release 2.2 --data-root SONYC-UST --mirror "
      "http://disk.example/sonyc\n"
      "  earmark data download --dataset tau_scenes2019 --data-root TAU --only '*.meta.zip' --only "
      "'*.audio.1.zip'\n",
      [&program, given] { return run(*given, program.common); });
  action->add_option("--dataset", given->dataset, "name of the data set (`earmark data list`)")->required();
  action->add_option("--data-root", given->request.root, "folder of the data set; made when it is not there");
  action
      ->add_option("--release", given->releases,
                   "version or part, as --list names them; as often as needed (default: the first)")
      ->allow_extra_args(false);
  action
      ->add_option("--only", given->only,
                   "files whose name fits a pattern with * ? [...]; as often as needed (default: all)")
      ->allow_extra_args(false);
  action->add_option("--mirror", given->request.mirror,
                     "address of a folder that has the files, in place of the official server");
  action->add_flag(
      "--list", given->list,
      "say what would be fetched: sizes, checksums, total, licence; touches neither network nor disk");
  action->add_flag("--keep-archives", given->request.keep_archives,
                   "keep them in DATA_ROOT/archives once they are unpacked");
  action->add_flag("--overwrite", given->request.overwrite,
                   "replace files of other contents that stand where an archive's belong");
  add_transfer_options(action, given->request.transfer);
  action->add_flag("--json", given->json, "the answer as JSON on stdout");
}

}  // namespace earmark::cli
