// zip_entry.h: one member of a zip, whole and checked.
#pragma once
#include <zip.h>

#include <cstddef>
#include <string>
#include <vector>

namespace earmark {

/// Memory is taken as bytes really come, for a damaged directory may promise any size.
/// @param index of the entry. @param name of file and entry, for messages.
/// @throws Error(kBadFile) when it is larger than 16 GiB, cut, or not of the checksum that the zip has of it.
std::vector<std::byte> read_zip_entry(zip_t* archive, zip_uint64_t index, const std::string& name);

}  // namespace earmark
