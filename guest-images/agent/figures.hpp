// The guest's own view of its machine.
#pragma once

#include <string>

namespace twinbox::agent {

// {"total_bytes": ..., "free_bytes": ..., "available_bytes": ..., "cpus": ...}
std::string memory_figures();

}  // namespace twinbox::agent
