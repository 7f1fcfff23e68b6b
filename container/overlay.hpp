// A box's writable root: an overlay over the image's layers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::container {

// Where a box keeps what it writes.
enum class WritableLayer {
  memory,  // counted against its memory limit, and gone with its last process whatever happens
  disk,    // in its directory, for its next start
};

struct OverlayPlan {
  std::vector<std::filesystem::path> layers;  // lowest first
  std::filesystem::path directory;            // upper and work are made in it
  WritableLayer writable = WritableLayer::memory;
  std::optional<std::uint64_t> memory_bytes;  // the box's limit; half of it may be files
};

struct MountedOverlay {
  base::Fd root;
  base::Fd upper;  // the layer that the box writes to, by itself
};

// Mounts the overlay over `upper` in the caller's mount namespace. Device nodes of the image do not
// work in it.
MountedOverlay mount_overlay(const OverlayPlan& plan);

// `path` as overlayfs wants it in an option: ',' and ':' and '\' escaped.
std::string escape_overlay_path(std::string_view path);
// The option of a mounted overlay that tells whose box it is: "upperdir=DIRECTORY/upper".
std::string upper_option(const std::filesystem::path& directory);

}  // namespace twinbox::container
