// What a box of this engine leaves where it is saved: its machine's state, and the configuration
// that a monitor needs to go on from it.
#pragma once

#include <filesystem>

#include "sandbox/engine.hpp"
#include "vmm/machine_config.hpp"

namespace twinbox::vmm {

// The file that the monitor writes, see snapshot/format.hpp.
std::filesystem::path saved_state(const std::filesystem::path& directory);

// The configuration beside it, without disks' paths and descriptors: they are another box's.
void write_saved_machine(const std::filesystem::path& directory, MachineConfig machine);
// The machine that goes on from there with the layers of `root`. Throws base::Error where that
// cannot be read, or has not as many layers.
MachineConfig read_saved_machine(const std::filesystem::path& directory,
                                 const sandbox::RootFilesystem& root);

}  // namespace twinbox::vmm
