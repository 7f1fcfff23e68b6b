// A process that outlives the command which forked it.
#pragma once

#include <vector>

namespace twinbox::supervise {

// For the new process: a session of its own, away from the command's terminal, directory, signals
// and streams. Of its descriptors those of `kept` stay open, and stderr; whoever waits for the end
// of another must not wait for this process. Throws base::Error.
void leave_command(std::vector<int> kept);

}  // namespace twinbox::supervise
