// The mount options of the OCI runtime-spec (config.md, "mounts"), sorted by who understands them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "container/mount_api.hpp"

namespace twinbox::container {

struct MountOptions {
  std::uint64_t set = 0;    // MOUNT_ATTR_* to set
  std::uint64_t clear = 0;  // MOUNT_ATTR_* to clear
  bool bind = false;
  bool recursive = false;
  FilesystemOptions data;  // for the file system itself
};

// An option that no mount knows is left to the file system, which names it when it refuses it.
MountOptions parse_mount_options(const std::vector<std::string>& options);

}  // namespace twinbox::container
