// Runs a helper program to its end and collects what it printed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::base {

struct CommandResult {
  int status = 0;  // as a shell reports it; 127 when there is no such program
  std::string out;
  std::string err;
};

// The program's file in the first directory of PATH that has it; empty where none has.
std::filesystem::path find_program(std::string_view name);

// `args[0]` is looked up in PATH; stdin is /dev/null. For tools that print little.
CommandResult run_command(const std::vector<std::string>& args);

}  // namespace twinbox::base
