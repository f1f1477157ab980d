// md5.h: the checksum that the data sets are published with (RFC 1321). It tells damage, not ill will.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace earmark {

/// 32 lower-case hexadecimal digits; nothing when `stop` was set meanwhile.
/// @param on_progress is told how many bytes are done.
/// @throws Error(kIo), Error(kUnsupported) where the system's libcrypto has no MD5.
std::optional<std::string> md5_of_file(const std::filesystem::path& path,
                                       const std::atomic<bool>* stop = nullptr,
                                       const std::function<void(std::uint64_t)>& on_progress = {});

}  // namespace earmark
