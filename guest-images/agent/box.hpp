// The workload of a guest: its root made of disks, run by the container code.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/served_process.hpp"

namespace twinbox::container {
class ContainerEngine;
}

namespace twinbox::agent {

// A device, or a part of it.
struct Disk {
  std::string device;
  std::uint64_t start = 0;
  std::uint64_t size = 0;  // 0: all of it
};

// What a Machine (service.hpp) does with boxes; each is named by the process that it was started
// as.
class Boxes {
 public:
  // `on_executed` is called when a workload has been executed, before the host is told.
  Boxes(base::EventLoop& loop, std::function<void()> on_executed);
  ~Boxes();

  // `message` is a start_box's JSON. Throws base::Error when the box cannot be started.
  std::unique_ptr<sandbox::BoxProcess> start(std::uint32_t id, std::string_view message,
                                             sandbox::ServedProcess& workload,
                                             std::function<void(const sandbox::Outcome&)> on_exit);
  std::unique_ptr<sandbox::BoxProcess> exec(std::uint32_t box, sandbox::ExecRequest request);
  // Before the machine is saved. Those that run stand still until thaw(); where there was none yet,
  // what the first one will need whatever it runs is made ahead.
  void freeze();
  void thaw();
  // Those that run are a copy's, which has this host name.
  void become_copy(const std::string& hostname);
  // The first box's layers will be on these disks, as start_box names them: they are mounted, its
  // root is made, and a box is started and ended in its place, so that this machine has of its own
  // all the memory that this takes. `done` is called from the loop, unless base::Error is thrown:
  // start() does what could not be done.
  void expect_image(const base::JsonView& disks, std::function<void()> done);
  // Throws base::Error (not_found) for one that does not run.
  sandbox::Box& at(std::uint32_t id) const;
  // Whether a child of this process belongs to a box.
  bool own(pid_t child) const;

 private:
  std::vector<std::shared_ptr<sandbox::Box>> running() const;
  const std::vector<std::filesystem::path>& expected_layers();
  void rehearse(unsigned times, std::function<void()> done);

  base::EventLoop& loop_;
  std::function<void()> on_executed_;
  std::unique_ptr<container::ContainerEngine> engine_;
  std::map<std::uint32_t, std::weak_ptr<sandbox::Box>> boxes_;
  std::set<const sandbox::BoxProcess*> further_;  // beside each box's first
  std::vector<Disk> expected_disks_;              // of a box that names none
  std::vector<std::filesystem::path> expected_;   // and where they are mounted
  std::shared_ptr<sandbox::Box> rehearsal_;       // while it runs
  unsigned count_ = 0;
};

}  // namespace twinbox::agent
