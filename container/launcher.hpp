// The parent's side of a box's birth: one clone into all namespaces.
#pragma once

#include <sys/types.h>

#include "base/fd.hpp"
#include "container/plan.hpp"

namespace twinbox::container {

struct Launched {
  pid_t pid;
  base::Fd pidfd;
  base::Fd report;  // the pipe that handshake.hpp speaks of, non-blocking
};

// Clones the calling thread; the child runs run_init(plan). With `cgroup` (a cgroup version 2
// directory, or -1) it is born in that group. The caller's other threads should hold no lock of the
// C library, so best have none.
Launched launch(const InitPlan& plan, int cgroup);

}  // namespace twinbox::container
