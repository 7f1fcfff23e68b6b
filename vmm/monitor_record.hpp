// Which process is a box's monitor, written down for whoever cleans up after a killed owner.
#pragma once

#include <sys/types.h>

#include <filesystem>

namespace twinbox::vmm {

// Writes directory/monitor.json: the pid and, because pids are used again, its start time.
void record_monitor(const std::filesystem::path& directory, pid_t pid);

// Kills the recorded monitor if it still runs and waits until it is gone.
void kill_recorded_monitor(const std::filesystem::path& directory);

}  // namespace twinbox::vmm
