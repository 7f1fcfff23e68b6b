// Runs one command in a lab's machine and brings back its streams, status and files.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "qemu/lab/machine.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::qemu {

struct LabCommand {
  std::vector<std::string> args;
  std::vector<std::string> env;              // "KEY=VALUE"
  std::optional<std::filesystem::path> out;  // takes what the command writes to the lab's /out
  sandbox::Stdio stdio;
};

// What every command in a lab finds in its environment.
std::vector<std::string> lab_environment(LabTiming timing);

// Runs `command` through the agent at the other end of `socket`, with the caller's streams, passing
// on its signals; returns the status as a shell reports it. Nullopt, with nothing done, when the
// agent has not spoken within `limit`. `log` is the machine's, for the error when it is lost.
std::optional<int> run_through_agent(base::Fd socket, int log, const LabCommand& command,
                                     std::chrono::milliseconds limit);

// Boots a deterministic machine of `config` (its ports and script are set here), which runs
// `command` by itself, so that nothing comes from outside at an uncertain moment: stdin is empty.
int run_deterministic(LabMachineConfig config, const LabCommand& command);

}  // namespace twinbox::qemu
