// Finds and ends the processes of a box that nothing holds any more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace twinbox::container {

// Kills the processes whose mount table has the overlay of the box in `directory` until none is
// left; throws base::Error when one does not end. Only those in the mount namespace with the number
// `mount_namespace` are looked at, where one is given: that saves reading every process's table.
// The number alone would not do, for it is soon given to another namespace.
void kill_processes_on_overlay(const std::filesystem::path& directory,
                               std::optional<std::uint64_t> mount_namespace = {});

}  // namespace twinbox::container
