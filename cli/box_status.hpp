// The state of a box in docker's words.
#pragma once

#include <cstdint>
#include <string>

#include "supervise/record.hpp"

namespace twinbox::cli {

// Running, paused or restarting: it has a supervisor that can be asked.
bool is_alive(supervise::Status status);
// "Up 5 minutes (Paused)", "Exited (0) 3 seconds ago".
std::string status_text(const supervise::BoxState& state, std::int64_t now);

}  // namespace twinbox::cli
