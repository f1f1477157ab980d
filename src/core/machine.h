// machine.h: what earmark runs on.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace earmark {

/// Thread-safety: a plain value.
struct Machine {
  std::string architecture;                                ///< "x86_64", "aarch64"
  std::string cpu_name;                                    ///< as the system tells it; empty when it does not
  std::vector<std::pair<std::string, bool>> cpu_features;  ///< those that make a difference here
  int n_cores = 1;                                         ///< that this process may use
  std::uint64_t memory_bytes = 0;                          ///< 0: unknown
  std::string system;                                      ///< "Debian GNU/Linux 12 (bookworm)"

  bool has(const std::string& feature) const noexcept;
};

Machine this_machine();

/// The CPU features that are there, in one line: with others, sums may differ in their last bits.
const std::string& instruction_sets();

}  // namespace earmark
