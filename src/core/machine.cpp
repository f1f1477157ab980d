#include "core/machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace earmark {
namespace {

// The text behind `key` and `separator` on the first line that begins with `key`.
std::string entry_of(const char* path, const std::string& key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    std::string text = line.substr(at + 1);
    const std::size_t begin = text.find_first_not_of(" \t\""), end = text.find_last_not_of(" \t\"");
    return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
  }
  return "";
}

std::vector<std::pair<std::string, bool>> features_of_cpu() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return {{"avx2", __builtin_cpu_supports("avx2") != 0},
          {"fma", __builtin_cpu_supports("fma") != 0},
          {"avx512", __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")},
          {"avx512_vnni", __builtin_cpu_supports("avx512vnni") != 0}};
#elif defined(__aarch64__)
  constexpr unsigned long kAsimdDp = 1UL << 20;  // HWCAP_ASIMDDP
  return {{"neon", true}, {"dotprod", (getauxval(AT_HWCAP) & kAsimdDp) != 0}};
#else
  return {};
#endif
}

int usable_cores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace

bool Machine::has(const std::string& feature) const noexcept {
  return std::find(cpu_features.begin(), cpu_features.end(), std::pair(feature, true)) != cpu_features.end();
}

Machine this_machine() {
  Machine machine;
  utsname name{};
  if (::uname(&name) == 0) machine.architecture = name.machine;
  machine.cpu_name = entry_of("/proc/cpuinfo", "model name", ':');
  machine.cpu_features = features_of_cpu();
  machine.n_cores = usable_cores();
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0)
    machine.memory_bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
  machine.system = entry_of("/etc/os-release", "PRETTY_NAME", '=');
  return machine;
}

const std::string& instruction_sets() {
  static const std::string text = [] {
    std::string names = this_machine().architecture;
    for (const auto& [name, there] : this_machine().cpu_features) {
      if (there) names += " " + name;
    }
    return names;
  }();
  return text;
}

}  // namespace earmark
