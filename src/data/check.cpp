#include "data/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <mutex>
#include <set>

#include "audio/decode.h"
#include "core/parallel.h"
#include "data/clip_part.h"

namespace earmark {
namespace {

constexpr std::array<std::string_view, 3> kDamageWords{"truncated", "unfinished_header", "decode_errors"};
constexpr double kLengthTolerance_s = 0.02, kLengthTolerance = 0.01;
constexpr double kUsualShare = 0.9;
constexpr std::size_t kCheckBlock = 1 << 16;

void decode(const std::filesystem::path& path, ClipCheck& check, std::vector<float>& buffer) {
  auto source = open_audio(path);
  if (!source) {
    check.failure = source.failure();
    return;
  }
  check.sample_rate_hz = (*source)->sample_rate_hz();
  check.n_channels = (*source)->n_channels();
  buffer.resize(kCheckBlock * static_cast<std::size_t>(check.n_channels));
  std::uint64_t n_samples = 0;
  for (;;) {
    const Outcome<std::size_t> got = (*source)->read(buffer);
    if (!got) {
      check.failure = got.failure();
      return;
    }
    if (*got == 0) break;
    n_samples += *got;
  }
  check.duration_s = static_cast<double>(n_samples) / check.sample_rate_hz;
  check.warnings = (*source)->warnings();
}

ClipCheck check_file(const std::filesystem::path& path, std::vector<float>& buffer) {
  ClipCheck check;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    check.failure = Failure{"missing", "there is no such file"};
    return check;
  }
  const auto size =
      std::filesystem::is_regular_file(path, error) ? std::filesystem::file_size(path, error) : 0;
  check.n_bytes = error ? 0 : size;
  decode(path, check, buffer);
  return check;
}

std::uint64_t hash_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  std::vector<char> block(kCheckBlock);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())), file.gcount() > 0) {
    for (std::streamsize i = 0; i < file.gcount(); ++i) {
      hash = (hash ^ static_cast<unsigned char>(block[static_cast<std::size_t>(i)])) * 0x100000001B3ULL;
    }
  }
  return hash;
}

bool same_bytes(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::ifstream one(a, std::ios::binary), two(b, std::ios::binary);
  std::vector<char> x(kCheckBlock), y(kCheckBlock);
  do {
    one.read(x.data(), static_cast<std::streamsize>(x.size()));
    two.read(y.data(), static_cast<std::streamsize>(y.size()));
    if (one.gcount() != two.gcount() || !std::equal(x.begin(), x.begin() + one.gcount(), y.begin()))
      return false;
  } while (one.gcount() > 0);
  return true;
}

// Excerpts of one file are no copies of each other: its first clip stands for all.
void find_duplicates(const Dataset& data, const std::vector<std::vector<std::size_t>>& files, int n_threads,
                     DatasetCheck& check) {
  std::map<std::uint64_t, std::vector<std::size_t>> by_size;
  for (const std::vector<std::size_t>& file : files) {
    const std::size_t i = file.front();
    if (check.clips[i].n_bytes > 0) by_size[check.clips[i].n_bytes].push_back(i);
  }
  std::vector<std::size_t> candidates;
  for (const auto& [size, clips] : by_size) {
    if (clips.size() > 1) candidates.insert(candidates.end(), clips.begin(), clips.end());
  }
  parallel_for(candidates.size(), n_threads, [&](std::size_t i, int) {
    check.clips[candidates[i]].hash = hash_of(data.clips[candidates[i]].path);
  });
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::size_t>> by_hash;
  for (const std::size_t i : candidates) by_hash[{check.clips[i].n_bytes, check.clips[i].hash}].push_back(i);
  for (auto& [key, clips] : by_hash) {
    std::sort(clips.begin(), clips.end());
    std::erase_if(clips, [&](std::size_t i) {
      return i != clips.front() && !same_bytes(data.clips[clips.front()].path, data.clips[i].path);
    });
    if (clips.size() > 1) check.duplicates.push_back(clips);
  }
  std::sort(check.duplicates.begin(), check.duplicates.end());
}

// Excerpts are left out: their lengths are drawn.
void find_wrong_lengths(const Dataset& data, DatasetCheck& check) {
  const auto is_judged = [&](std::size_t i) {
    return check.clips[i].duration_s > 0.0 && !is_excerpt(data.clips[i]);
  };
  std::vector<double> durations;
  for (std::size_t i = 0; i < check.clips.size(); ++i) {
    if (is_judged(i)) durations.push_back(check.clips[i].duration_s);
  }
  if (durations.size() < 10) return;
  std::sort(durations.begin(), durations.end());
  const double median = durations[durations.size() / 2];
  const double tolerance_s = std::max(kLengthTolerance_s, kLengthTolerance * median);
  const auto agree = std::count_if(durations.begin(), durations.end(),
                                   [&](double s) { return std::fabs(s - median) <= tolerance_s; });
  if (static_cast<double>(agree) < kUsualShare * static_cast<double>(durations.size())) return;
  check.usual_duration_s = median;
  for (std::size_t i = 0; i < check.clips.size(); ++i) {
    if (is_judged(i) && std::fabs(check.clips[i].duration_s - median) > tolerance_s)
      check.wrong_length.push_back(i);
  }
}

void find_wrong_rates(DatasetCheck& check) {
  std::map<int, std::size_t> n_at;
  std::size_t n = 0;
  for (const ClipCheck& clip : check.clips) {
    if (clip.sample_rate_hz == 0) continue;
    ++n_at[clip.sample_rate_hz];
    ++n;
  }
  const auto most = std::max_element(n_at.begin(), n_at.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  if (n < 10 || static_cast<double>(most->second) < kUsualShare * static_cast<double>(n)) return;
  check.usual_sample_rate_hz = most->first;
  for (std::size_t i = 0; i < check.clips.size(); ++i) {
    const int rate = check.clips[i].sample_rate_hz;
    if (rate != 0 && rate != most->first) check.wrong_sample_rate.push_back(i);
  }
}

bool is_positive(const Clip& clip, std::size_t tag) { return clip.targets[tag] >= 0.5f; }

Value entry(const Clip& clip, const std::string& problem) {
  Value value;
  value.set("clip", clip.id);
  value.set("file", clip.path.string());
  value.set("problem", problem);
  return value;
}

}  // namespace

std::string ClipCheck::damage() const {
  if (failure) return fmt::format("{}: {}", failure->reason, failure->detail);
  for (const std::string& warning : warnings) {
    for (const std::string_view word : kDamageWords) {
      if (warning.starts_with(word)) return warning;
    }
  }
  return "";
}

DatasetCheck check_dataset(const Dataset& data, const CheckOptions& options) {
  const std::vector<std::vector<std::size_t>> files = clips_by_file(data);
  DatasetCheck check;
  check.clips.resize(data.clips.size());
  std::vector<std::vector<float>> buffers(
      static_cast<std::size_t>(worker_count(options.n_threads, files.size())));
  std::mutex mutex;
  std::size_t n_done = 0;
  const auto work = [&](std::size_t file, int worker) {
    const ClipCheck whole =
        check_file(data.clips[files[file].front()].path, buffers[static_cast<std::size_t>(worker)]);
    for (const std::size_t i : files[file]) {
      check.clips[i] = whole;
      check.clips[i].duration_s *= data.clips[i].to - data.clips[i].from;
    }
    const std::lock_guard lock(mutex);
    n_done += files[file].size();
    if (options.on_progress) options.on_progress(n_done);
  };
  check.complete = parallel_for(files.size(), options.n_threads, work, options.stop);
  if (!check.complete) return check;
  for (std::size_t i = 0; i < check.clips.size(); ++i) {
    if (check.clips[i].missing()) {
      check.missing.push_back(i);
    } else if (!check.clips[i].damage().empty()) {
      check.damaged.push_back(i);
    }
  }
  find_duplicates(data, files, options.n_threads, check);
  find_wrong_lengths(data, check);
  find_wrong_rates(check);
  check.extra = data.unlisted;
  return check;
}

std::vector<std::string> cost_of_going_on(const Dataset& data, const DatasetCheck& check) {
  std::vector<std::string> costs;
  std::set<std::size_t> lost(check.missing.begin(), check.missing.end());
  lost.insert(check.damaged.begin(), check.damaged.end());
  if (!lost.empty()) {
    costs.push_back(fmt::format(
        "{} of {} clips ({:.1f} %) cannot be trained on or scored", lost.size(), data.clips.size(),
        100.0 * static_cast<double>(lost.size()) / static_cast<double>(data.clips.size())));
    for (std::size_t tag = 0; tag < data.tags.size(); ++tag) {
      std::size_t n = 0, n_lost = 0;
      for (std::size_t i = 0; i < data.clips.size(); ++i) {
        if (!is_positive(data.clips[i], tag)) continue;
        ++n;
        n_lost += lost.count(i);
      }
      if (n_lost > 0) {
        costs.push_back(fmt::format("'{}' loses {} of its {} clips{}", data.tags[tag], n_lost, n,
                                    n_lost == n ? ": nothing is left to learn it from" : ""));
      }
    }
  }
  std::size_t across = 0, contradicting = 0;
  for (const auto& group : check.duplicates) {
    const Clip& first = data.clips[group.front()];
    const auto differs = [&](auto&& what) {
      return std::any_of(group.begin(), group.end(),
                         [&](std::size_t i) { return what(data.clips[i]) != what(first); });
    };
    across += differs([](const Clip& c) { return std::pair(c.split, c.fold); });
    contradicting += differs([](const Clip& c) { return c.targets; });
  }
  if (across > 0) {
    costs.push_back(fmt::format(
        "{} of the duplicates lie in different folds or splits: figures on held-out clips come out too good",
        across));
  }
  if (contradicting > 0)
    costs.push_back(
        fmt::format("{} of the duplicates have different tags: one of them is wrong", contradicting));
  if (!check.duplicates.empty() && across == 0 && contradicting == 0) {
    costs.push_back("duplicates count twice in training and in every figure");
  }
  if (!check.wrong_length.empty()) {
    costs.push_back(fmt::format(
        "{} clips of another length than {:.2f} s are scored over more or less sound than the others",
        check.wrong_length.size(), check.usual_duration_s));
  }
  return costs;
}

Value to_value(const Dataset& data, const DatasetCheck& check) {
  const auto entries = [&](const std::vector<std::size_t>& clips, auto&& problem) {
    Value list{Value::List()};
    for (const std::size_t i : clips) list.push_back(entry(data.clips[i], problem(check.clips[i])));
    return list;
  };
  std::set<std::size_t> bad(check.missing.begin(), check.missing.end());
  bad.insert(check.damaged.begin(), check.damaged.end());
  Value duplicates{Value::List()};
  for (const auto& group : check.duplicates) {
    Value ids{Value::List()};
    for (const std::size_t i : group) ids.push_back(data.clips[i].id);
    duplicates.push_back(std::move(ids));
    bad.insert(group.begin(), group.end());
  }
  const auto damage = [](const ClipCheck& clip) { return clip.damage(); };
  Value value, cost{Value::List()}, warnings{Value::List()};
  for (const std::string& sentence : cost_of_going_on(data, check)) cost.push_back(sentence);
  for (const std::string& warning : data.warnings) warnings.push_back(warning);
  value.set("dataset", data.name);
  value.set("n_clips", static_cast<std::int64_t>(data.clips.size()));
  value.set("n_bad", static_cast<std::int64_t>(bad.size()));
  value.set("missing", entries(check.missing, damage));
  value.set("damaged", entries(check.damaged, damage));
  value.set("duplicates", std::move(duplicates));
  value.set("wrong_length", entries(check.wrong_length, [](const ClipCheck& c) {
              return fmt::format("{:.3f} s", c.duration_s);
            }));
  value.set("usual_duration_s", check.usual_duration_s > 0.0 ? Value(check.usual_duration_s) : Value());
  value.set("wrong_sample_rate", entries(check.wrong_sample_rate, [](const ClipCheck& c) {
              return fmt::format("{} Hz", c.sample_rate_hz);
            }));
  value.set("usual_sample_rate_hz",
            check.usual_sample_rate_hz > 0 ? Value(check.usual_sample_rate_hz) : Value());
  Value extra{Value::List()};
  for (const std::filesystem::path& path : check.extra) extra.push_back(path.string());
  value.set("extra", std::move(extra));
  value.set("warnings", std::move(warnings));
  value.set("cost", std::move(cost));
  return value;
}

}  // namespace earmark
