// Makes the template that machines of a kind start from.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/agent_session.hpp"
#include "vmm/machine_plan.hpp"
#include "vmm/monitor_process.hpp"

namespace twinbox::vmm {

// Boots a machine, has it saved when its agent waits for a workload, and ends it. Of several
// processes that want the same template one makes it, and the others wait for it. All calls come
// from the loop's thread.
class TemplateMaker {
 public:
  struct Handlers {
    std::function<void(pid_t monitor)> on_monitor;
    // Called once, from the top of the loop; may destroy this. No error: the template is there.
    std::function<void(const std::optional<base::Error>& error)> on_end;
  };

  TemplateMaker(base::EventLoop& loop, WarmStart warm, Handlers handlers);
  TemplateMaker(const TemplateMaker&) = delete;
  TemplateMaker& operator=(const TemplateMaker&) = delete;
  ~TemplateMaker();

  void kill();
  std::vector<pid_t> processes() const;

 private:
  void try_to_begin();
  void boot();
  void on_frozen(const std::variant<std::monostate, base::Error>& answer);
  void on_saved(const std::variant<std::monostate, base::Error>& answer);
  void note_too_little_room();
  void on_lost(const base::Error& reason);
  void on_monitor_end(const MonitorReport& report);
  void end_with(std::optional<base::Error> error);

  base::EventLoop& loop_;
  WarmStart warm_;
  Handlers handlers_;
  base::Fd lock_;
  std::optional<base::EventLoop::TimerId> timer_;
  std::optional<MonitorProcess> monitor_;
  std::optional<sandbox::AgentSession> session_;
  std::optional<base::Error> error_;  // it could not be saved
  std::optional<base::Error> lost_;   // what the agent's connection ended with
  bool saved_ = false;
  bool killed_ = false;
};

}  // namespace twinbox::vmm
