// Keeps machines on standby for one image, and makes another for each that a box takes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <list>
#include <optional>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/granted_time.hpp"
#include "vmm/huge_layers.hpp"
#include "vmm/machine_plan.hpp"
#include "vmm/standby.hpp"
#include "vmm/template_maker.hpp"

namespace twinbox::vmm {

// All calls and callbacks are of the loop's thread, which must live as long as its machines wait.
// The destructor ends those that no box has taken.
class StandbyKeeper {
 public:
  struct Handlers {
    // So many wait now, and so many have been taken.
    std::function<void(std::size_t ready, std::size_t taken)> on_change;
    // One could not be made; another is tried soon.
    std::function<void(const base::Error& reason)> on_failure;
  };

  // Keeps `count` of the machines that `plan` describes, whose image has so many layers, and gives
  // them away at `place`, a directory of the caller's. Where the plan becomes another, as when a
  // kernel was built, it makes others within a second.
  StandbyKeeper(base::EventLoop& loop, std::function<WarmStart()> plan, std::filesystem::path place,
                std::size_t layers, std::size_t count, Handlers handlers);
  StandbyKeeper(const StandbyKeeper&) = delete;
  StandbyKeeper& operator=(const StandbyKeeper&) = delete;
  ~StandbyKeeper();

 private:
  struct Waiting {
    StandbyMachine machine;
    LayersInUse layers;
    bool ready = false;
    base::GrantedTime since{};
  };
  struct Given {  // until it has ended
    RunningMonitor monitor;
    LayersInUse layers;
  };
  using Place = std::list<Waiting>::iterator;

  void look();
  void look_at_plan();
  void end_slow_machines();
  void end_machines();
  void fill();
  void fill_later(std::chrono::milliseconds delay);
  void on_template(const std::optional<base::Error>& error);
  void add_machine();
  void on_ready(Place place);
  void on_gone(Place place);
  void give();
  void part_with(Place place);
  void tell();

  base::EventLoop& loop_;
  std::function<WarmStart()> plan_;
  WarmStart warm_;
  std::size_t layers_;
  std::size_t count_;
  Handlers handlers_;
  base::Fd listener_;
  std::optional<TemplateMaker> maker_;
  std::list<Waiting> machines_;
  std::list<Given> given_;
  std::size_t taken_ = 0;
  bool template_renewed_ = false;  // since a machine was ready
  std::optional<base::EventLoop::TimerId> timer_;
  base::EventLoop::TimerId look_timer_;
};

}  // namespace twinbox::vmm
