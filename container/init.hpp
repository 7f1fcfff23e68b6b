// The child's entry: what the launcher's clone does until it is the workload.
#pragma once

#include <functional>

#include "container/plan.hpp"

namespace twinbox::container {

// The last words of a child that cannot become what it was to be.
[[noreturn]] void end_child(int status);
// Calls `body`; what it throws is reported, and the child ends.
[[noreturn]] void run_child(int report, int parent_end,
                            const std::function<void(int& report)>& body);

// Turns the calling process, in its box's root and namespaces, into the program of
// plan.spec.process. Returns only by a throw. `report` changes its number on the way.
enum class Role { first, further };
void become_program(const InitPlan& plan, Role role, int& report);

// Executes the workload, or reports on `report` why it cannot and exits. `parent_end` is the
// inherited copy of the pipe's other end.
[[noreturn]] void run_init(const InitPlan& plan, int report, int parent_end);
// The same in two steps. `early` says no more than what default_spec() does, and a directory to
// keep its mounts in; all that it needs is made, then `wait` gives the whole plan, of a box that
// has standard parts and nothing beside them to mount.
[[noreturn]] void run_parked_init(const InitPlan& early, int report, int parent_end,
                                  const std::function<InitPlan()>& wait);

}  // namespace twinbox::container
