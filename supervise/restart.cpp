#include "supervise/restart.hpp"

#include <algorithm>

namespace twinbox::supervise {

using namespace std::chrono_literals;

bool wants_restart(const RestartPolicy& policy, const BoxState& state) {
  using Kind = RestartPolicy::Kind;
  if (policy.kind == Kind::no) return false;
  if (policy.kind != Kind::on_failure) return true;
  return state.exit_code != 0 &&
         (policy.maximum_retries == 0 || state.restart_count < policy.maximum_retries);
}

std::chrono::milliseconds BackOff::next(std::chrono::nanoseconds last_run) {
  constexpr std::chrono::milliseconds first = 100ms;
  constexpr std::chrono::milliseconds longest = 60s;
  delay_ = last_run > 10s || delay_ == 0ms ? first : std::min(delay_ * 2, longest);
  return delay_;
}

}  // namespace twinbox::supervise
