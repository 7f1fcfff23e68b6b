// The default system call filter in the words of the runtime-spec (linux.seccomp), for other
// runtimes.
#pragma once

#include <string>

namespace twinbox::container {

// As JSON text, for docker's default capabilities. What is newer than the profile is left to the
// runtime.
std::string default_filter_as_oci();

}  // namespace twinbox::container
