// When a box whose policy says so is started again, by docker's rules.
#pragma once

#include <chrono>

#include "supervise/record.hpp"

namespace twinbox::supervise {

// After a run whose end is in `state`.
bool wants_restart(const RestartPolicy& policy, const BoxState& state);

// How long to wait before each restart: 100 ms, doubled each time up to a minute, and forgotten
// after a run of more than ten seconds.
class BackOff {
 public:
  std::chrono::milliseconds next(std::chrono::nanoseconds last_run);

 private:
  std::chrono::milliseconds delay_{};
};

}  // namespace twinbox::supervise
