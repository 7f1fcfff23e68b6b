// Machines on standby: started ahead, with an image in them, they wait for a box.
//
//   STANDBY/KEY/machine.sock   gives a machine to each connection, by its keeper
//   STANDBY/KEY/lock           the keeper's (sandbox/owned_directory.hpp)
//   STANDBY/KEY/standby.json   what it keeps, for those who list them
//
// KEY stands for what a box asks of its machine: layers, size and the choice of a kernel. What that
// choice means can change, as when another kernel is built: its keeper looks out for that.
#pragma once

#include <filesystem>
#include <optional>

#include "base/fd.hpp"
#include "sandbox/engine.hpp"
#include "vmm/monitor_process.hpp"

namespace twinbox::vmm {

struct StandbyMachine {
  RunningMonitor monitor;
  base::Fd port;    // its agent is about to say hello, or has done so
  base::Fd config;  // a file with its MachineConfig
};

// $TWINBOX_RUN/standby.
std::filesystem::path standby_directory();

// STANDBY/KEY for a box.
std::filesystem::path standby_place(const sandbox::BoxRequest& request);

// One of those that wait at STANDBY/KEY, for the caller alone; empty where none does. It costs a
// box that has none to take one system call.
std::optional<StandbyMachine> take_standby(const std::filesystem::path& place);

// For their keeper, who has made the directory. Non-blocking. Throws base::Error.
base::Fd listen_for_boxes(const std::filesystem::path& place);
// To one connection. Throws base::Error where it is gone: the machine is still the caller's.
void hand_over(int connection, const StandbyMachine& machine);

}  // namespace twinbox::vmm
