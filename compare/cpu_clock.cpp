#include "compare/cpu_clock.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace twinbox::compare {

CpuClock::CpuClock() {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  attributes.disabled = 1;
  attributes.inherit = 1;
  attributes.enable_on_exec = 1;
  constexpr pid_t self = 0;
  constexpr int any_processor = -1;
  constexpr int no_group = -1;
  counter_ = base::Fd(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, self,
                                                 any_processor, no_group, PERF_FLAG_FD_CLOEXEC)));
}

std::optional<std::uint64_t> CpuClock::read() const {
  std::uint64_t nanoseconds = 0;
  if (!counter_ || ::read(counter_.get(), &nanoseconds, sizeof nanoseconds) != sizeof nanoseconds) {
    return std::nullopt;
  }
  return nanoseconds;
}

}  // namespace twinbox::compare
