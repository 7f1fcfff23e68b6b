// The processes of a box, as /proc tells of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "sandbox/box_report.hpp"

namespace twinbox::container {

// In the order of `pids`; those that have ended meanwhile are left out.
std::vector<sandbox::ProcessEntry> describe_processes(const std::vector<pid_t>& pids);

// Adds what the network interfaces of a process's network namespace, but the loopback, have
// carried.
void add_network_counters(pid_t pid, sandbox::Statistics& statistics);

}  // namespace twinbox::container
