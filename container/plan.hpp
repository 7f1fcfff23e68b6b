// What the launcher tells the child: everything it needs to become the workload.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "container/cgroup_layout.hpp"
#include "container/overlay.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::container {

enum class Isolation {
  full,  // a container
  none,  // the native baseline: only the root file system is the box's own
};

// Of a program among those of its box.
enum class Role { first, further };

struct InitPlan {
  sandbox::Spec spec;
  std::vector<std::filesystem::path> layers;  // lowest first
  std::filesystem::path directory;            // upper and work are made in it
  WritableLayer writable = WritableLayer::memory;
  sandbox::Stdio stdio;
  Isolation isolation = Isolation::full;
  CgroupLayout cgroups;
  // Its control group says which devices it may use, or it may use all; else it must not be able to
  // make a node of any.
  bool devices_controlled = false;
  bool filtered = false;  // the process has the standard filter of system calls already
  // Borrowed: cgroup v1 `tasks` files that the child writes itself into.
  std::vector<int> cgroup_joins;
  int network = -1;  // borrowed: a network namespace to join in place of one of its own
};

}  // namespace twinbox::container
