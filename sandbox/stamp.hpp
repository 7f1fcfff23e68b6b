// A moment in the life of a box: when it was, and what CPU time had gone into the box by then.
#pragma once

#include <cstdint>

namespace twinbox::sandbox {

struct Stamp {
  std::uint64_t monotonic_ns = 0;  // the host's CLOCK_MONOTONIC
  std::uint64_t cpu_ns = 0;        // user and system time; 0 where nobody counts it

  static Stamp now();
};

// Whoever measures a run of `twinbox run` knows its CPU time from a perf event (perf_event_open(2),
// the task clock, inherited by all that descends from the command). Left open in the command under
// the number that this variable of its environment holds, the event is read at each mark.
inline constexpr const char* cpu_counter_variable = "TWINBOX_CPU_COUNTER";

// Has the stamps of this process, and of those that it forks, tell what the perf event `descriptor`
// counts. It becomes close-on-exec: no other program is to have it unless it is handed over.
// Throws base::Error (usage) when it is no such event.
void count_cpu_with(int descriptor);
// The same with the one of the environment, if any.
void count_cpu_as_told();
// The descriptor, which stays whoever's it is; -1 where nobody counts.
int cpu_counter();

}  // namespace twinbox::sandbox
