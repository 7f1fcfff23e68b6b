// One box of either engine of this house: its process, its groups, and what becomes of them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "container/cgroup.hpp"
#include "container/child.hpp"
#include "container/plan.hpp"
#include "container/spares.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {

class ProcessBox : public sandbox::Box {
 public:
  ProcessBox(sandbox::BoxRequest request, Isolation isolation,
             DeviceControl devices = DeviceControl::required,
             std::optional<Spares> spares = std::nullopt);
  ~ProcessBox() override;

  void start(base::EventLoop& loop, ExitHandler on_exit) override;
  void signal(int number) override;
  const sandbox::Marks& marks() const override { return marks_; }
  std::vector<pid_t> processes() const override;
  void resize(sandbox::TerminalSize size) override;
  std::unique_ptr<sandbox::BoxProcess> exec(sandbox::ExecRequest request) override;
  void pause(sandbox::Done done) override;
  void resume(sandbox::Done done) override;
  void statistics(sandbox::Answer<sandbox::Statistics> answer) override;
  void list_processes(sandbox::Answer<std::vector<sandbox::ProcessEntry>> answer) override;
  void list_changes(sandbox::Answer<std::vector<sandbox::FileChange>> answer) override;
  void update(const sandbox::Resources& limits, sandbox::Done done) override;

 private:
  void make_groups();
  Launched launch();
  void control_devices();
  void require_groups(std::string_view what) const;
  void on_end(const Child::Ended& ended);
  sandbox::Outcome outcome(const Child::Ended& ended) const;
  base::Error killed_in_setup(int status, bool oom_killed) const;
  void undo();

  std::string id_;
  std::function<void()> on_executed_;
  InitPlan plan_;
  DeviceControl devices_;
  std::optional<Spares> spares_;  // for this box
  sandbox::Marks marks_;
  Cgroup cgroup_;
  std::uint64_t mount_namespace_ = 0;
  base::EventLoop* loop_ = nullptr;
  ExitHandler on_exit_;
  std::optional<Child> init_;
  bool frozen_ = false;
  std::vector<int> kept_signals_;  // from before its start
};

}  // namespace twinbox::container
