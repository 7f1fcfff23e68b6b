// Plain processes beside the agent.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/engine.hpp"

namespace twinbox::agent {

struct Command {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd = "/";
};

// Throws base::Error when `json` is no command.
Command parse_command(std::string_view json);

// Executes it in a session of its own with default signals, and returns when it has been executed.
// Throws base::Error: not_found when there is no such program (127), system when it cannot be
// executed (126).
pid_t spawn(const Command& command, sandbox::Stdio stdio);

}  // namespace twinbox::agent
