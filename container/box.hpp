// One box of either engine of this house: its process, its groups, and what becomes of them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "container/cgroup.hpp"
#include "container/handshake.hpp"
#include "container/launcher.hpp"
#include "container/plan.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {

class ProcessBox : public sandbox::Box {
 public:
  ProcessBox(sandbox::BoxRequest request, Isolation isolation);
  ~ProcessBox() override;

  void start(base::EventLoop& loop, ExitHandler on_exit) override;
  void signal(int number) override;
  const sandbox::Marks& marks() const override { return marks_; }
  std::vector<pid_t> processes() const override;

 private:
  enum class State { created, setting_up, running, ended };

  ReportHandlers report_handlers();
  void read_reports();
  void on_reports_end();
  void on_process_end();
  sandbox::Outcome outcome(int wait_status) const;
  base::Error killed_in_setup(int status, bool oom_killed) const;
  int reap();
  void forget_watches();
  void undo();

  std::string id_;
  std::function<void()> on_executed_;
  InitPlan plan_;
  sandbox::Marks marks_;
  State state_ = State::created;
  Cgroup cgroup_;
  Launched launched_{};
  std::uint64_t mount_namespace_ = 0;
  base::EventLoop* loop_ = nullptr;
  ExitHandler on_exit_;
  ReportDecoder decoder_;
  bool executing_ = false;
  std::optional<Failure> failure_;
  std::vector<int> kept_signals_;
};

}  // namespace twinbox::container
