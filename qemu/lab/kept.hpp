// The lab that is kept running: a supervising process that holds QEMU, and the files by which other
// commands find it.
//
// Below data_root()/lab:
//   start.lock     held while a lab is started or stopped
//   kept/alive     locked by the supervisor for as long as it lives
//   kept/state.json, kept/log
//   kept/exec.N    sockets of the agents in the lab, one command at a time each
//   kept/exec.N.lock
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "qemu/lab/machine.hpp"

namespace twinbox::qemu {

struct KeptLab {
  pid_t supervisor = 0;
  std::string digest;  // of its contents
  std::uint64_t memory_bytes = 0;
  bool default_memory = false;    // nobody asked for that much: one started anew may need more
  std::vector<std::string> with;  // the extras it was started with
};

// One of the lab's agents, for as long as this lives.
struct AgentLease {
  AgentLease(base::Fd held_lock, std::string socket);
  AgentLease(AgentLease&&) = default;
  AgentLease& operator=(AgentLease&&) = default;
  ~AgentLease();

  base::Fd lock;
  std::string socket_name;

  // A new connection to the agent; empty where the lab has not taken the one before it yet.
  base::Fd connect() const;
};

std::filesystem::path kept_lab_directory();
// Nullopt when none is running (or it has only begun to start).
std::optional<KeptLab> find_kept_lab();
// Held while a lab is started or stopped.
base::Fd lock_lab_start();
// Starts the supervisor with a machine of `config` (its ports are set here). The caller holds the
// start lock. Returns at once, before the lab has booted.
void spawn_kept_lab(LabMachineConfig config, KeptLab lab);
// The caller holds the start lock.
void end_kept_lab(const KeptLab& lab);
// Waits while all agents are busy, for whichever is free first.
AgentLease lease_agent();
// Whether commands run in it now.
bool kept_lab_is_busy();

// Removes the files of a kept lab whose supervisor is gone.
void clean_up_kept_lab();

}  // namespace twinbox::qemu
