// The machine of a box: a monitor process, started from a template or from the kernel.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/guest_box.hpp"
#include "vmm/huge_layers.hpp"
#include "vmm/machine_plan.hpp"
#include "vmm/monitor_process.hpp"
#include "vmm/standby.hpp"
#include "vmm/template_maker.hpp"

namespace twinbox::vmm {

// The ways to a box's machine, the quickest last. Each that is there is planned when it is needed.
struct MachinePlans {
  std::function<MachineConfig()> cold;  // what boots, or goes on from where a box was saved
  std::function<WarmStart()> warm;      // from a template; empty: not from one
  std::filesystem::path standby;        // where one may wait (standby.hpp); empty: none is taken
};

// A twinbox-vmm process whose agent port is a socket pair.
class MonitorMachine : public sandbox::GuestMachine {
 public:
  // Where a template cannot be made or used, the machine boots. The monitor is recorded in
  // `directory`.
  MonitorMachine(MachinePlans plans, std::filesystem::path directory);
  MonitorMachine(const MonitorMachine&) = delete;
  MonitorMachine& operator=(const MonitorMachine&) = delete;
  ~MonitorMachine() override;

  void start(base::EventLoop& loop, Handlers handlers) override;
  void kill() override;
  std::vector<pid_t> processes() const override;
  std::vector<sandbox::AgentDisk> disks(std::size_t layers) const override;
  std::string last_words() const override { return last_words_; }
  void pause(sandbox::Done done) override { monitor_->order({Command::pause}, std::move(done)); }
  void resume(sandbox::Done done) override { monitor_->order({Command::resume}, std::move(done)); }
  void save(const std::filesystem::path& directory, sandbox::Done done) override;

 private:
  void start_cold();
  void start_warm();
  void on_template(const std::optional<base::Error>& error);
  void give_up_warmth(const base::Error& reason);
  void spawn(MachineConfig config);
  void adopt(StandbyMachine machine);
  void on_mark(sandbox::Mark mark);
  void tell_marks(const sandbox::Marks& marks);
  void on_monitor_end(const MonitorReport& report);

  MachineConfig adopted_config() const;
  const MachineConfig& config() const { return warm_ ? warm_->machine : cold_; }

  MachinePlans plans_;
  MachineConfig cold_;             // from start_cold() on
  std::optional<WarmStart> warm_;  // until it is given up
  std::filesystem::path directory_;
  base::EventLoop* loop_ = nullptr;
  Handlers handlers_;
  std::optional<TemplateMaker> maker_;
  LayersInUse layers_;
  std::optional<MonitorProcess> monitor_;
  base::Fd port_;  // ours, until the agent can be told
  std::string last_words_;
  std::optional<sandbox::Stamp> adopted_;  // when it became this box's
  base::Fd adopted_config_;
  std::optional<base::EventLoop::TimerId> record_timer_;
  bool killed_ = false;
};

}  // namespace twinbox::vmm
