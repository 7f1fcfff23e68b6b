// Processes that a command leaves behind for a moment: they belong to what is measured.
#pragma once

#include <cstdint>

namespace twinbox::compare {

struct CpuTime {
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
};

// From now on what descends from this process and loses its parent becomes its child, and not that
// of process 1, which would be told of its CPU time.
void adopt_orphans();

// The CPU time of all children that have ended, with what they waited for. Only while no Instance
// runs: it would take that one's end away.
CpuTime reap_orphans();

}  // namespace twinbox::compare
