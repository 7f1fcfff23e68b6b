#include "vmm/engine.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "base/syscall.hpp"
#include "sandbox/agent_session.hpp"
#include "vmm/kvm/host_support.hpp"
#include "vmm/machine_plan.hpp"
#include "vmm/monitor_process.hpp"
#include "vmm/monitor_record.hpp"

namespace twinbox::vmm {
namespace {

using sandbox::Outcome;

constexpr const char* agent_port = "twinbox.agent";
// A monitor whose agent is lost tells why in this time, or is ended.
constexpr std::chrono::seconds last_words{2};

class VmBox : public sandbox::Box {
 public:
  explicit VmBox(sandbox::BoxRequest request) : request_(std::move(request)) {}

  void start(base::EventLoop& loop, ExitHandler on_exit) override;
  void signal(int number) override { session_->signal(process_, number); }
  const sandbox::Marks& marks() const override { return marks_; }
  std::vector<pid_t> processes() const override {
    return monitor_ && monitor_->running() ? std::vector{monitor_->pid()} : std::vector<pid_t>{};
  }

 private:
  void start_monitor(MachineConfig config);
  void start_workload(base::Fd port);
  void merge_marks();
  void on_monitor_end(const MonitorReport& report);
  void on_workload_end(const Outcome& outcome);
  void finish();
  base::Error why_lost() const;

  sandbox::BoxRequest request_;
  base::EventLoop* loop_ = nullptr;
  ExitHandler on_exit_;
  sandbox::Marks marks_;
  std::optional<MonitorProcess> monitor_;
  std::optional<sandbox::AgentSession> session_;
  sandbox::AgentSession::ProcessId process_ = 0;
  bool executed_ = false;
  bool lost_ = false;     // the session was, before the workload's end could be told
  bool gave_up_ = false;  // the monitor of a lost session told nothing
  std::optional<Outcome> outcome_;
  std::optional<MonitorEnd> end_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for timers that may outlive us
};

void VmBox::start(base::EventLoop& loop, ExitHandler on_exit) {
  loop_ = &loop;
  on_exit_ = std::move(on_exit);
  auto config = plan_machine(request_);
  auto [ours, guests] = base::make_socket_pair();
  config.ports.push_back({.name = agent_port, .descriptor = guests.get()});
  start_monitor(std::move(config));
  guests.reset();
  start_workload(std::move(ours));
}

void VmBox::start_monitor(MachineConfig config) {
  if (base::log_level() == base::LogLevel::debug) config.serial_out = 2;
  monitor_.emplace(
      *loop_, std::move(config), [this](const MonitorReport& report) { on_monitor_end(report); },
      [this](sandbox::Mark) { merge_marks(); });
  record_monitor(request_.directory, monitor_->pid());
}

void VmBox::start_workload(base::Fd port) {
  session_.emplace(*loop_, std::move(port), sandbox::SessionHandlers{.on_log = [](auto text) {
    base::log(base::LogLevel::warning, "{}", text);
  }});
  sandbox::AgentBox box{.spec = request_.spec, .disks = {}};
  for (std::size_t i = 0; i < request_.root.disks.size(); ++i) {
    box.disks.push_back(fmt::format("/dev/vd{}", static_cast<char>('a' + i)));
  }
  process_ =
      session_->start_box(box, request_.stdio,
                          {.on_started =
                               [this] {
                                 executed_ = true;
                                 if (request_.on_executed) request_.on_executed();
                               },
                           .on_end = [this](const Outcome& outcome) { on_workload_end(outcome); }});
}

void VmBox::merge_marks() {
  for (std::size_t i = 0; i < sandbox::mark_count; ++i) {
    const auto mark = static_cast<sandbox::Mark>(i);
    if (const auto time = monitor_->marks().at(mark)) marks_.stamp(mark, *time);
  }
}

void VmBox::on_workload_end(const Outcome& outcome) {
  outcome_ = outcome;
  lost_ = session_->lost().has_value();
  if (end_) return finish();
  if (!lost_) {
    // Its disks are read-only and all it wrote is in the guest's memory, so there is nothing that
    // an orderly shutdown would save: the machine is ended at once.
    return monitor_->kill();
  }
  loop_->add_timer(last_words, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || !monitor_->running()) return;
    gave_up_ = true;
    monitor_->kill();
  });
}

void VmBox::on_monitor_end(const MonitorReport& report) {
  marks_.stamp(sandbox::Mark::gone);
  end_ = report.end;
  merge_marks();
  if (outcome_) finish();  // else the session's end follows, after the last of the output
}

void VmBox::finish() {
  auto outcome = *outcome_;
  if (lost_) {
    outcome = {.status = sandbox::status_own_error, .oom_killed = false, .error = why_lost()};
  }
  const auto handler = std::move(on_exit_);
  handler(outcome);  // may destroy this box
}

base::Error VmBox::why_lost() const {
  if (gave_up_) return *session_->lost();
  if (end_->reason == EndReason::setup_error) {
    return {base::ErrorKind::system, end_->message, end_->hint};
  }
  auto message =
      fmt::format("the guest was lost {}: {}",
                  executed_ ? "while its workload ran" : "before its workload ran", end_->message);
  if (!end_->last_serial.empty()) {
    message += fmt::format("; its last lines:\n  {}", fmt::join(end_->last_serial, "\n  "));
  }
  const bool memory_first = end_->hint.empty() && !executed_;
  return {base::ErrorKind::system, message,
          memory_first ? "give it more memory (--memory); TWINBOX_LOG=debug shows its console"
                       : end_->hint};
}

}  // namespace

void VmEngine::check_host() const { kvm::require_linux_guests(kvm::probe_host()); }

std::unique_ptr<sandbox::Box> VmEngine::create(sandbox::BoxRequest request) {
  if (request.spec.process.args.empty()) {
    throw base::Error(base::ErrorKind::usage, "there is no command to run");
  }
  return std::make_unique<VmBox>(std::move(request));
}

void VmEngine::clean_up(const std::string&, const std::filesystem::path& directory) {
  kill_recorded_monitor(directory);
}

}  // namespace twinbox::vmm
