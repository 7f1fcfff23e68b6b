// Masked and read-only paths of a container (runtime-spec config-linux.md).
#pragma once

#include <string>
#include <vector>

namespace twinbox::container {

// Both take a handle on the container's root, act on handles only, refuse symbolic links on the
// way, and pass over what is not there.

// A masked file reads as empty, a masked directory is empty and read-only.
void mask_paths(int root, const std::vector<std::string>& paths);
void make_paths_readonly(int root, const std::vector<std::string>& paths);

}  // namespace twinbox::container
