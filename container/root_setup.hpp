// Builds the root file system of a box and makes it the calling process's root.
#pragma once

#include <filesystem>
#include <vector>

#include "base/fd.hpp"
#include "container/plan.hpp"

namespace twinbox::container {

// For a process in a mount namespace of its own. Leaves it in "/" of the box, and hands the layer
// that the box writes to over `report` to its parent.
void enter_root(const InitPlan& plan, int report);

// The same in two steps, for a root that has the standard parts of a box alone. The first mounts
// them below plan.directory, and gives a handle on that; what is mounted outside of this namespace
// meanwhile is seen in it. The second moves them into the root, which may be written to, enters it,
// and gives the layer that the box writes to.
base::Fd make_furniture(const InitPlan& plan);
base::Fd enter_furnished_root(const InitPlan& plan, int furniture);
// The root that the calling process is in.
void make_root_readonly();

// For a process in a mount namespace of its own: mounts the files that a box which does not run has
// kept in `directory`, and gives a handle on their root.
base::Fd mount_kept_root(const std::vector<std::filesystem::path>& layers,
                         const std::filesystem::path& directory);

}  // namespace twinbox::container
