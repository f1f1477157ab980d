#include "app/archive_download.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/options_io.h"
#include "core/shared_module.h"

namespace earmark {
namespace {

const std::string& base_of(const DownloadPlan& plan, const ArchiveRelease& release) {
  return plan.mirror.empty() ? release.base_url : plan.mirror;
}

struct Total {
  std::uint64_t bytes = 0;
  std::size_t n_files = 0, n_without_size = 0, n_without_md5 = 0;
};

Total total_of(const DownloadPlan& plan) {
  Total total;
  for (const ArchiveRelease& release : plan.chosen) {
    for (const Archive& archive : release.archives) {
      for (const ArchiveFile& file : archive.files) {
        ++total.n_files;
        total.bytes += file.bytes.value_or(0);
        total.n_without_size += file.bytes ? 0 : 1;
        total.n_without_md5 += file.md5 ? 0 : 1;
      }
    }
  }
  return total;
}

std::string name_of(ArchiveStatus status) { return detail::write_field(status).as_string(); }

}  // namespace

DownloadPlan plan_download(const std::string& dataset, const std::vector<std::string>& releases,
                           const std::vector<std::string>& only, const std::string& mirror) {
  DownloadPlan plan{official_archives(dataset), {}, mirror};
  plan.chosen = choose_archives(choose_releases(plan.archives, releases), only);
  return plan;
}

std::string bytes_text(std::uint64_t bytes) {
  const auto b = static_cast<double>(bytes);
  if (bytes < 1000) return fmt::format("{} B", bytes);
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", b / 1e3);
  if (bytes < 1'000'000'000) return fmt::format("{:.1f} MB", b / 1e6);
  return fmt::format("{:.2f} GB", b / 1e9);
}

std::string licence_text(const DatasetArchives& archives) {
  return fmt::format("{}: {}; {}", archives.dataset, archives.licence, archives.source);
}

std::string plan_text(const DownloadPlan& plan) {
  std::string text;
  for (const ArchiveRelease& release : plan.chosen) {
    text += fmt::format("{} {}: {}\nfrom {}\n", plan.archives.dataset, release.name, release.about,
                        base_of(plan, release));
    std::size_t width = 4;
    for (const Archive& archive : release.archives) {
      for (const ArchiveFile& file : archive.files) width = std::max(width, file.name.size());
    }
    for (const Archive& archive : release.archives) {
      for (const ArchiveFile& file : archive.files) {
        text += fmt::format("  {:<{}}  {:>12}  {}\n", file.name, width,
                            file.bytes ? bytes_text(*file.bytes) : "size unknown",
                            file.md5 ? "MD5 " + *file.md5 : "no checksum known");
      }
    }
  }
  const Total total = total_of(plan);
  text += fmt::format("{} files", total.n_files);
  if (total.n_without_size < total.n_files) text += ", " + bytes_text(total.bytes);
  if (total.n_without_size > 0) text += fmt::format(", {} of unknown size", total.n_without_size);
  if (total.n_without_md5 > 0) {
    text += fmt::format(", {} without a known checksum: these are verified by what the server says of them",
                        total.n_without_md5);
  }
  text += "\nlicence of " + licence_text(plan.archives) + "\n";
  std::vector<std::string> others;
  for (const ArchiveRelease& release : plan.archives.releases) {
    const bool is_chosen = std::any_of(plan.chosen.begin(), plan.chosen.end(),
                                       [&](const ArchiveRelease& c) { return c.name == release.name; });
    if (!is_chosen) others.push_back(fmt::format("  --release {}  {}\n", release.name, release.about));
  }
  if (!others.empty()) text += fmt::format("other releases:\n{}", fmt::join(others, ""));
  return text;
}

Value to_value(const DownloadPlan& plan) {
  Value value, releases{Value::List()};
  value.set("dataset", plan.archives.dataset);
  value.set("licence", plan.archives.licence);
  value.set("non_commercial", plan.archives.non_commercial);
  value.set("source", plan.archives.source);
  for (const ArchiveRelease& release : plan.chosen) {
    Value entry = write_options(release);
    entry.set("base_url", base_of(plan, release));
    releases.push_back(std::move(entry));
  }
  value.set("releases", std::move(releases));
  const Total total = total_of(plan);
  value.set("n_files", static_cast<std::int64_t>(total.n_files));
  value.set("known_bytes", static_cast<std::int64_t>(total.bytes));
  value.set("n_of_unknown_size", static_cast<std::int64_t>(total.n_without_size));
  value.set("n_without_checksum", static_cast<std::int64_t>(total.n_without_md5));
  return value;
}

std::string result_text(const DownloadResult& result) {
  std::string text;
  std::size_t width = 4, n_ready = 0, n_there = 0;
  for (const ArchiveResult& archive : result.archives) width = std::max(width, archive.name.size());
  for (const ArchiveResult& archive : result.archives) {
    text += fmt::format("{:<{}}  ", archive.name, width);
    if (archive.status == ArchiveStatus::kReady) {
      ++n_ready;
      text +=
          fmt::format("ready: {} files, {} fetched, {}\n", archive.n_files, bytes_text(archive.fetched_bytes),
                      archive.checked == "nothing" ? "no checksum known" : "verified by " + archive.checked);
    } else if (archive.status == ArchiveStatus::kAlreadyThere) {
      ++n_there;
      text += fmt::format("already there: {} files\n", archive.n_files);
    } else {
      text += fmt::format("{}: {}\n", archive.status == ArchiveStatus::kFailed ? "FAILED" : "unfinished",
                          archive.detail);
    }
    for (const std::string& warning : archive.warnings) text += "  note: " + warning + "\n";
  }
  text += fmt::format("{} of {} archives are there", n_ready + n_there, result.archives.size());
  if (!result.complete()) text += "; the same command goes on where this one ended";
  return text + "\n";
}

Value to_value(const DownloadResult& result) {
  Value value, archives{Value::List()};
  for (const ArchiveResult& archive : result.archives) {
    Value entry, warnings{Value::List()};
    for (const std::string& warning : archive.warnings) warnings.push_back(warning);
    entry.set("release", archive.release);
    entry.set("archive", archive.name);
    entry.set("status", name_of(archive.status));
    entry.set("fetched_bytes", static_cast<std::int64_t>(archive.fetched_bytes));
    entry.set("n_files", static_cast<std::int64_t>(archive.n_files));
    entry.set("verified_by", archive.checked.empty() ? Value() : Value(archive.checked));
    entry.set("detail", archive.detail.empty() ? Value() : Value(archive.detail));
    entry.set("warnings", std::move(warnings));
    archives.push_back(std::move(entry));
  }
  value.set("archives", std::move(archives));
  value.set("complete", result.complete());
  value.set("stopped", result.stopped);
  return value;
}

DownloadFn& module_download() {
  return *reinterpret_cast<DownloadFn*>(download_symbol("earmark_download_archives"));
}

}  // namespace earmark
