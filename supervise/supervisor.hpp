// The one process that a running box has of its own: owns its record, log, control socket and end.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "sandbox/engine.hpp"
#include "supervise/store.hpp"

namespace twinbox::supervise {

struct SupervisorRequest {
  // All three are called in the new process.
  std::function<OwnedBox()> open;  // makes the box, or takes hold of one that was made
  std::function<std::unique_ptr<sandbox::Engine>(const BoxRecord& record)> make_engine;
  // The image's files; `hold` keeps them from being removed for as long as it lives.
  struct Root {
    sandbox::RootFilesystem files;
    std::shared_ptr<void> hold;
    std::filesystem::path saved{};  // what its runs go on from, where it was made of a snapshot
  };
  std::function<Root(const BoxRecord& record)> prepare_root;
  // What they need of the command's descriptors; the supervisor closes the rest.
  std::vector<int> descriptors{};
  bool die_with_parent = false;  // the box ends when the calling process does
};

struct Supervisor {
  pid_t pid;         // a child of the caller, for it to reap if it waits for the box
  base::Fd control;  // the first client's connection
};

// Forks: call it before the process has threads. The supervisor does nothing before its first
// client says what (client.hpp: start), and ends when that client goes away without having said so.
Supervisor launch_supervisor(const SupervisorRequest& request);

}  // namespace twinbox::supervise
