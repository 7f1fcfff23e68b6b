// The workload of a guest: its root made of disks, run by the container code.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/event_loop.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/served_process.hpp"

namespace twinbox::agent {

// Starts boxes as a Machine's start_box.
class BoxStarter {
 public:
  // `on_executed` is called when a workload has been executed, before the host is told.
  BoxStarter(base::EventLoop& loop, std::function<void()> on_executed);
  ~BoxStarter();

  // `message` is a start_box's JSON. Throws base::Error when the box cannot be started.
  std::unique_ptr<sandbox::BoxProcess> start(std::string_view message,
                                             sandbox::ServedProcess& workload,
                                             std::function<void(const sandbox::Outcome&)> on_exit);
  // Whether a child of this process belongs to a box.
  bool owns(pid_t child) const;

 private:
  base::EventLoop& loop_;
  std::function<void()> on_executed_;
  std::unique_ptr<sandbox::Engine> engine_;
  std::vector<std::weak_ptr<sandbox::Box>> boxes_;
  unsigned count_ = 0;
};

}  // namespace twinbox::agent
