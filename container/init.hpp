// The child's entry: what the launcher's clone does until it is the workload.
#pragma once

#include "container/plan.hpp"

namespace twinbox::container {

// Executes the workload, or reports on `report` why it cannot and exits. `parent_end` is the
// inherited copy of the pipe's other end.
[[noreturn]] void run_init(const InitPlan& plan, int report, int parent_end);

}  // namespace twinbox::container
