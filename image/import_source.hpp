// What an image is imported from.
#pragma once

#include <ctime>
#include <filesystem>
#include <optional>
#include <string>

namespace twinbox::image {

// What SOURCE_DATE_EPOCH says (reproducible-builds.org/specs/source-date-epoch), in seconds since
// 1970: the same content then makes the same image at any time. Throws base::Error (usage).
std::optional<std::time_t> told_time();
std::string as_rfc3339(std::time_t time);

// The directory to import `source` from; a tar is unpacked below `work` first. Throws base::Error,
// which names the source.
std::filesystem::path import_directory(const std::filesystem::path& source,
                                       const std::filesystem::path& work);

// A directory that holds the store at `root` would become part of itself: base::Error (usage).
void check_is_outside(const std::filesystem::path& root, const std::filesystem::path& source);

}  // namespace twinbox::image
