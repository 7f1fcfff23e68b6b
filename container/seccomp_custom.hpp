// A user's system call filter: the runtime-spec's linux.seccomp, or docker's profile, which adds
// conditions on capabilities, architectures and the kernel's version.
#pragma once

#include <string_view>

#include "container/capabilities.hpp"
#include "container/seccomp_profile.hpp"

namespace twinbox::container {

// Throws base::Error that names the member of the JSON text that makes no sense, or that cannot be
// honoured here.
FilterProgram compile_profile(std::string_view profile, CapabilityMask capabilities);

}  // namespace twinbox::container
