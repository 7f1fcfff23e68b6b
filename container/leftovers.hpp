// Finds and ends the processes of a box that nothing holds any more.
#pragma once

#include <cstdint>
#include <filesystem>

namespace twinbox::container {

// Both kill until no such process is left; they throw base::Error when one does not end.
void kill_processes_in_mount_namespace(std::uint64_t inode);
// Those whose mount table has the overlay of the box in `directory`.
void kill_processes_on_overlay(const std::filesystem::path& directory);

}  // namespace twinbox::container
