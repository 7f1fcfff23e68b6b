// One instance of any engine: its command, watched, and what it holds until it is gone.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compare/engines/adapter.hpp"
#include "compare/instance.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

class Box {
 public:
  // Spawns the command: the request of all its marks.
  Box(Adapter& adapter, LaunchRequest request);

  Instance& instance() { return instance_; }
  const Instance& instance() const { return instance_; }
  // Roots of all process trees that belong to it.
  std::vector<pid_t> processes() const;
  // Of one that has ended; those that the engine did not give, or that cannot be true, are absent.
  std::map<sandbox::Mark, std::uint64_t> marks() const;
  // CPU time up to its marks, where it was counted. Of one that has ended.
  std::map<sandbox::Mark, std::uint64_t> cpu_at_marks() const;

 private:
  Adapter* adapter_;
  LaunchRequest request_;
  Launch launch_;  // outlives the process
  Instance instance_;
};

// Why a command failed, as it says on its standard error: the last line before any hint.
std::string reason_in(const std::string& errors);

// The kernel goes on undoing a box (its network, its control groups) when its command is gone: that
// is not the next one's time. Starts on a grid meet the timer's ticks alike.
void wait_for_quiet();

}  // namespace twinbox::compare
