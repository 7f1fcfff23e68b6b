// The processor time of a command and of all that descends from it, readable while it runs.
#pragma once

#include <cstdint>
#include <optional>

#include "base/fd.hpp"

namespace twinbox::compare {

// The kernel's task clock (perf_event_open(2), PERF_COUNT_SW_TASK_CLOCK), which children inherit
// and which begins when a child of ours executes a program: this process's own time is not in it.
// Of one command only: whatever is spawned while it lives is counted too.
class CpuClock {
 public:
  // Where the kernel refuses (perf_event_paranoid, no perf), read() knows nothing.
  CpuClock();

  // Nanoseconds, user and system.
  std::optional<std::uint64_t> read() const;
  // For a command that reads it, too; -1 where the kernel refuses.
  int descriptor() const { return counter_.get(); }

 private:
  base::Fd counter_;
};

}  // namespace twinbox::compare
