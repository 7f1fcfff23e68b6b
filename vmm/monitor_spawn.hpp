// Starts twinbox-vmm cheaply: no copy of the parent's page tables, and only the descriptors named.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::vmm {

struct SpawnRequest {
  std::string program;
  int config_fd = -1;
  int cpu_counter = -1;        // its number, where CPU time is counted
  std::vector<int> inherited;  // kept open under the same numbers; stderr always is
  bool dies_with_parent = true;
};

struct SpawnedMonitor {
  pid_t pid = -1;
  base::Fd pidfd;
};

// Returns when the program has been executed; throws base::Error when it could not be. A child that
// dies with its parent gets SIGKILL when the calling thread ends.
SpawnedMonitor spawn_monitor(const SpawnRequest& request);

// A signal to a process by its pidfd; one that is gone already is no error.
void send_signal(int pidfd, int number);

}  // namespace twinbox::vmm
