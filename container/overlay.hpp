// A box's writable root: an overlay over the image's layers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::container {

// Makes `upper` and `work` in `directory`, mounts the overlay of `layers` (lowest first) over
// `upper` in the caller's mount namespace, and gives a handle on it. Device nodes of the image do
// not work in it.
base::Fd mount_overlay(const std::vector<std::filesystem::path>& layers,
                       const std::filesystem::path& directory);

// `path` as overlayfs wants it in an option: ',' and ':' and '\' escaped.
std::string escape_overlay_path(std::string_view path);
// The option of a mounted overlay that tells whose box it is: "upperdir=DIRECTORY/upper".
std::string upper_option(const std::filesystem::path& directory);

}  // namespace twinbox::container
