// Puts the default system call filter on the calling process.
#pragma once

#include <string_view>

#include "container/capabilities.hpp"

namespace twinbox::container {

// The filter for a container with `capabilities`. Needs no_new_privs or CAP_SYS_ADMIN.
void install_filter(CapabilityMask capabilities);
// A user's own, as JSON text: see seccomp_custom.hpp.
void install_profile(std::string_view profile, CapabilityMask capabilities);

}  // namespace twinbox::container
