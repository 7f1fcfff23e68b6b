// A further process in a running box, or a task on its files.
#pragma once

#include <memory>

#include "base/event_loop.hpp"
#include "container/cgroup.hpp"
#include "container/child.hpp"
#include "container/plan.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {

// What a further process joins.
struct RunningInit {
  const InitPlan& plan;
  const Cgroup& cgroup;
  pid_t pid;  // a child of the caller that is not reaped
  int pidfd;
};

// Throws base::Error when it cannot be started; what goes wrong later is told to the request's
// on_exit.
std::unique_ptr<sandbox::BoxProcess> start_exec(base::EventLoop& loop, const RunningInit& init,
                                                sandbox::ExecRequest request);

}  // namespace twinbox::container
