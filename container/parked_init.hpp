// A box's first process, made before it is known what it will run: in its namespaces and control
// group, with its own /proc, /dev and /sys mounted, it waits to be told.
#pragma once

#include <sys/types.h>

#include <optional>

#include "container/hostname.hpp"
#include "container/launcher.hpp"
#include "container/plan.hpp"

namespace twinbox::container {

class ParkedInit {
 public:
  // Of `early` the groups, the network and the directory, where what is mounted is kept, are used;
  // `cgroup` is as launch()'s. Returns when the process waits. Throws base::Error.
  ParkedInit(InitPlan early, int cgroup);
  ParkedInit(ParkedInit&&) noexcept = default;
  ParkedInit& operator=(ParkedInit&&) = delete;
  // Ends it if it still waits.
  ~ParkedInit();

  // Has it make the root of a box, and wait again. Of `plan` the layers, the directory and where it
  // keeps what is written are used. Throws base::Error; it is of no use then.
  void make_root(const InitPlan& plan);

  // Whether what it has mounted is what the plan asks for.
  bool suits(const InitPlan& plan) const;
  // Has it go on as the plan says, as launch_init(plan) would.
  Launched go_on(const InitPlan& plan) &&;

 private:
  bool suits_root(const InitPlan& plan) const;
  void end();

  Launched launched_;
  std::optional<InitPlan> root_;  // that it has made
  std::optional<HostnameOf> hostname_;
};

}  // namespace twinbox::container
