// Looks at running instances and at the host through procfs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "compare/result.hpp"

namespace twinbox::compare {

// Everything that belongs to an instance: its process and all descendants, by component.
InstanceMemory measure_memory(pid_t root);

// The component that a program's file belongs to: "monitor", "supervisor" or "workload".
std::string component_of(const std::string& program);

// The host's MemAvailable in bytes, after per-CPU counters have been folded in.
std::uint64_t available_memory();

}  // namespace twinbox::compare
