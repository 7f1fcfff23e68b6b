// The size of the machine that a workload's limits ask for; the same for every kind of machine.
#pragma once

#include <cstdint>

#include "base/size.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::sandbox {

// What a machine has when the workload says nothing, and what it may have.
inline constexpr std::uint64_t default_machine_memory = 256 * base::mebibyte;
inline constexpr std::uint64_t minimum_machine_memory = 80 * base::mebibyte;
inline constexpr unsigned maximum_machine_cpus = 8;

struct MachineSize {
  std::uint64_t memory_bytes = 0;  // whole pages
  unsigned cpus = 1;
};

// Throws base::Error (usage) for a machine that cannot be.
MachineSize machine_size(const Resources& resources);

}  // namespace twinbox::sandbox
