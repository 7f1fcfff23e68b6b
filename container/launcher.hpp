// The parent's side of the birth of a box's process: one clone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "base/fd.hpp"
#include "container/plan.hpp"
#include "container/successor.hpp"

namespace twinbox::container {

struct Launched {
  pid_t pid;
  base::Fd pidfd;
  base::Fd report;        // the socket that handshake.hpp speaks of, non-blocking
  Successor successor{};  // reports there, too
};

// What the child does: `report` is its end of the socket, `parent_end` the inherited copy of the
// other. Must not return.
using ChildEntry = std::function<void(int report, int parent_end)>;

// Clones the calling thread into new namespaces (CLONE_NEW*, or 0). With `cgroup` (a cgroup version
// 2 directory, or -1) the child is born in that group. The caller's other threads should hold no
// lock of the C library, so best have none.
Launched launch(std::uint64_t namespaces, int cgroup, const ChildEntry& entry);

// Those that the first process of a box is made in.
std::uint64_t namespaces_of(const InitPlan& plan);
// The first process of a box, by run_init(plan).
Launched launch_init(const InitPlan& plan, int cgroup);

}  // namespace twinbox::container
