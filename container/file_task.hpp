// What a box does with its own files, by a process of the runtime's own.
#pragma once

#include <functional>

#include "base/fd.hpp"
#include "container/launcher.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {

// Does it to its end. `root` is a handle on the box's root, which no link leads out of; `in` and
// `out` are the task's streams. Nothing is loaded from the box's files, so that they cannot become
// code of ours.
void perform_file_task(int root, const sandbox::FileTask& task, int in, int out);

// Starts a child that does it; the child calls `open_root`, in new `namespaces` (CLONE_NEW*, or 0).
// It is in none of the box's groups or namespaces, so a paused box does not hold it up. A task that
// fails is told of with status 1.
Launched launch_file_task(std::uint64_t namespaces, const std::function<base::Fd()>& open_root,
                          const sandbox::FileTask& task, const sandbox::Stdio& stdio);
// Waits for such a child; throws base::Error where its task failed.
void finish_file_task(Launched launched);

}  // namespace twinbox::container
