// The default content of /dev (runtime-spec config-linux.md, "Default Devices").
#pragma once

#include "base/fd.hpp"

namespace twinbox::container {

// Makes the device nodes and links in the root of a detached file system.
void populate_devices(int directory);

// Throws unless `file` is the null device, whatever its name.
void require_null_device(int file);

}  // namespace twinbox::container
