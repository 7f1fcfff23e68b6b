// Finds the program of a command as execvp() and docker do: along PATH when it has no slash.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace twinbox::container {

// The candidates for `command`, in order; `command` itself when it has a slash. The last PATH in
// `environment` counts, docker's default when there is none.
std::vector<std::string> command_candidates(const std::string& command,
                                            const std::vector<std::string>& environment);

// The first candidate that the calling process may execute. Throws Failure (see handshake.hpp)
// with status 127 when there is none, 126 when there is one that may not be executed.
std::string find_command(const std::string& command, const std::vector<std::string>& environment);

}  // namespace twinbox::container
