// Time as a process had it: what passed, less what it waited for a processor. A limit in
// it holds on a busy host as on an idle one, and finds what stands still as well as what spins.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <span>

namespace twinbox::base {

// What the one of the process's threads that waited longest has waited on run queues (Linux's
// /proc/PID/task/*/schedstat); 0 where the kernel does not count it or the process is gone. Of
// several that want the same processor all but one always wait: their sum is more than what passed.
std::chrono::nanoseconds waited_for_processors(pid_t pid);

class GrantedTime {
 public:
  GrantedTime() : begin_(std::chrono::steady_clock::now()) {}

  // Since the beginning. Never more than what passed by the wall's clock.
  std::chrono::nanoseconds of(std::span<const pid_t> processes) const;

 private:
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace twinbox::base
