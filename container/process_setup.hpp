// Turns the calling process, in its box's root, into what the workload's process is to be.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "container/plan.hpp"

namespace twinbox::container {

// Moves `stdio` to descriptors 0 to 2, `report` to report_abi::report_descriptor and `last` (which
// an exec closes) to the one after it, and closes every other descriptor.
void arrange_descriptors(const sandbox::Stdio& stdio, int report, int last);
inline constexpr int last_descriptor = 4;

// Default actions and an empty mask, so that nothing of the runtime's shows in the workload.
void reset_signals();
// An error with a hint where a limit is to be raised that may not be.
void set_resource_limits(const std::vector<sandbox::Rlimit>& limits);
// The same with room for one more process, which then sets the limit on processes as it is to be:
// lowering takes no privilege.
void set_resource_limits_for_two(std::vector<sandbox::Rlimit> limits);
void set_process_limit(std::vector<sandbox::Rlimit> limits);
// Which process is killed first where memory lacks: -1000 to 1000.
void set_oom_score(std::optional<int> score);
// Enters the directory and makes sure that it is inside the root. One that is missing is made for a
// box's first process, and is a failure (status 127) of a further one.
void enter_working_directory(const std::string& path, Role role);
void become_user(const sandbox::User& user);
// Puts the standard filter of system calls on the calling process, for a plan like default_spec().
void filter_ahead(InitPlan& plan);
// Capabilities, no_new_privs and the system call filter, with the user changed in between.
void drop_privileges(const InitPlan& plan);

// Brings up "lo" of the calling process's network namespace.
void bring_up_loopback();

}  // namespace twinbox::container
