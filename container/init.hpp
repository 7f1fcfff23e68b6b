// The child's entry: what the launcher's clone does until it is the workload.
#pragma once

#include <functional>

#include "container/plan.hpp"
#include "container/plan_message.hpp"
#include "container/successor.hpp"

namespace twinbox::container {

// The last words of a child that cannot become what it was to be.
[[noreturn]] void end_child(int status);
// Calls `body`; what it throws is reported, and the child ends.
[[noreturn]] void run_child(int report, int parent_end,
                            const std::function<void(int& report)>& body);

// Turns the calling process, in its box's root and namespaces, into the program of
// plan.spec.process. Returns only by a throw. `report` changes its number on the way.
void become_program(const InitPlan& plan, Role role, int& report);

// How a process from outside of a box gets into it.
struct Entrance {
  int root;                     // borrowed: of the box's first process
  std::function<void()> enter;  // the box's root and namespaces, but for its own pid
  const Successor& successor;   // is the program
};
// The same for a process outside. A process of the box may hold the capability to look into every
// other that it sees (CAP_SYS_PTRACE), through /proc/PID/root for example, and to rule it. So what
// it sees has never more of the host, and no more privileges, than the program itself.
void become_program_inside(const InitPlan& plan, const Entrance& entrance, int& report);

// Executes the workload, or reports on `report` why it cannot and exits. `parent_end` is the
// inherited copy of the pipe's other end.
[[noreturn]] void run_init(const InitPlan& plan, int report, int parent_end);
// The same in steps. `early` says no more than what default_spec() does, and a directory to keep
// its mounts in; all that it needs is made, then `wait` gives the whole plan, of a box that has
// standard parts and nothing beside them to mount. Or `wait` gives one whose root is made, with the
// standard filter over all that follows, before it is called again; whoever asks sets the host name
// then.
[[noreturn]] void run_parked_init(const InitPlan& early, int report, int parent_end,
                                  const std::function<ToldPlan()>& wait);

}  // namespace twinbox::container
