// Looks at running instances and at the host through procfs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compare/result.hpp"

namespace twinbox::compare {

// Everything that belongs to an instance: the processes `roots` and all their descendants, by
// component, and what its control group is charged for.
InstanceMemory measure_memory(const std::vector<pid_t>& roots);

// The component that a program's file belongs to: "monitor" (of a machine), "supervisor" (what
// stands beside the workload) or "workload".
std::string component_of(const std::string& program);

// Whether a machine's guest is in it.
bool has_guest(const InstanceMemory& memory);

// The share of the last ten seconds in which a task waited for memory, in percent; nothing where
// the kernel does not tell (/proc/pressure/memory).
std::optional<double> memory_stall_percent();

// The host's MemAvailable in bytes, after per-CPU counters have been folded in.
std::uint64_t available_memory();

}  // namespace twinbox::compare
