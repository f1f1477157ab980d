#include "core/zip_entry.h"

#include <algorithm>
#include <memory>

#include "core/file_errors.h"

namespace earmark {
namespace {

constexpr zip_uint64_t kMaxEntryBytes = zip_uint64_t{1} << 34;
constexpr std::size_t kPart = std::size_t{1} << 24;

}  // namespace

std::vector<std::byte> read_zip_entry(zip_t* archive, zip_uint64_t index, const std::string& name) {
  zip_stat_t status;
  if (zip_stat_index(archive, index, 0, &status) != 0) bad_file(name, "cannot be read");
  if (status.size > kMaxEntryBytes) bad_file(name, "is larger than 16 GiB");
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(zip_fopen_index(archive, index, 0),
                                                                &zip_fclose);
  if (!file) bad_file(name, "is damaged");
  std::vector<std::byte> bytes;
  while (bytes.size() < status.size) {
    const std::size_t part = std::min<std::size_t>(status.size - bytes.size(), kPart);
    bytes.resize(bytes.size() + part);
    const zip_int64_t n = zip_fread(file.get(), bytes.data() + bytes.size() - part, part);
    if (n != static_cast<zip_int64_t>(part)) bad_file(name, "is damaged");
  }
  // The checksum is compared where reading meets the end.
  std::byte beyond{};
  if (zip_fread(file.get(), &beyond, 1) != 0) bad_file(name, "is damaged: its checksum is another");
  return bytes;
}

}  // namespace earmark
