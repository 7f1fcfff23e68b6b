// Builds the root file system of a box and makes it the calling process's root.
#pragma once

#include "container/plan.hpp"

namespace twinbox::container {

// For a process in a mount namespace of its own. Leaves it in "/" of the box, and hands the layer
// that the box writes to over `report` to its parent.
void enter_root(const InitPlan& plan, int report);

}  // namespace twinbox::container
