// Where the memory of a machine that runs is.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/json.hpp"

namespace twinbox::cli {

// In bytes, of the monitor's /proc/PID/smaps: "SharedImage", pages of the layers' files, and
// "SharedTemplate" and "SharedKernel", pages of files that all machines of a kind share; "Private",
// what the guest has written; "Monitor", the rest. Nullopt where the process is gone.
std::optional<base::Json> machine_memory(pid_t monitor);

}  // namespace twinbox::cli
