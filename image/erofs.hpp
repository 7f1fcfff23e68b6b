// Makes erofs images from directories.
#pragma once

#include <filesystem>

namespace twinbox::image {

// An uncompressed erofs image of `directory` at `file`: the same bytes for the same content. Runs
// mkfs.erofs; without it an error says what to install.
void make_erofs(const std::filesystem::path& directory, const std::filesystem::path& file);

}  // namespace twinbox::image
