#include "download/md5.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::size_t kHashBlockBytes = 1 << 20;

void require(bool good) {
  if (!good)
    throw Error(ErrorCode::kUnsupported,
                "MD5 is not to be had of this system's libcrypto; checksums cannot be verified");
}

}  // namespace

std::optional<std::string> md5_of_file(const std::filesystem::path& path, const std::atomic<bool>* stop,
                                       const std::function<void(std::uint64_t)>& on_progress) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  require(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) == 1);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  std::vector<unsigned char> block(kHashBlockBytes);
  std::uint64_t done = 0;
  while (file != nullptr) {
    if (stop != nullptr && stop->load()) return std::nullopt;
    const std::size_t got = std::fread(block.data(), 1, block.size(), file.get());
    if (got == 0) break;
    require(EVP_DigestUpdate(context.get(), block.data(), got) == 1);
    done += got;
    if (on_progress) on_progress(done);
  }
  if (file == nullptr || std::ferror(file.get()) != 0)
    throw Error(ErrorCode::kIo, fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  require(EVP_DigestFinal_ex(context.get(), digest.data(), &size) == 1);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace earmark
