// The default content of /dev (runtime-spec config-linux.md, "Default Devices").
#pragma once

#include <vector>

#include "base/fd.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::container {

// Makes the device nodes and links in the root of a detached file system.
void populate_devices(int directory);

// What a spec wants beside them. Throws base::Error for a path outside of /dev.
void add_devices(int directory, const std::vector<sandbox::Device>& devices);
// Throws base::Error for an access that a node alone cannot give, without a control group.
void check_access_without_control(const std::vector<sandbox::Device>& devices);
// Every device that the /dev of the calling process has, but for those with a meaning of their own
// in a box.
void add_all_devices(int directory);

// Throws unless `file` is the null device, whatever its name.
void require_null_device(int file);

}  // namespace twinbox::container
