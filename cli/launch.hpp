// Starts a box under a new supervisor and stays with it for as long as the user wants.
#pragma once

#include <functional>
#include <string>

#include "cli/foreground.hpp"
#include "supervise/supervisor.hpp"

namespace twinbox::cli {

struct LaunchOptions {
  ForegroundOptions foreground;
  bool wait_until_gone = false;  // after the end, for the supervisor's own
  bool detach = false;           // return once it runs
  // Called once the workload runs.
  std::function<void(const supervise::Started&)> on_started{};
  // Called with the run's boot marks once nothing of it is left, where the command stays so long.
  std::function<void(sandbox::Marks)> on_marks{};
};

// The exit status: the workload's, 0 for a box that is left to itself, or 125 to 127 after telling
// why it did not run.
int launch(const supervise::SupervisorRequest& request, const LaunchOptions& options);

}  // namespace twinbox::cli
