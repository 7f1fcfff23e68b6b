#include "vmm/engine.hpp"

#include <linux/kvm.h>

#include <optional>
#include <utility>

#include "base/log.hpp"
#include "base/syscall.hpp"
#include "sandbox/guest_box.hpp"
#include "vmm/kvm/host_support.hpp"
#include "vmm/machine_plan.hpp"
#include "vmm/monitor_process.hpp"
#include "vmm/monitor_record.hpp"

namespace twinbox::vmm {
namespace {

constexpr const char* agent_port = "twinbox.agent";

// A twinbox-vmm process whose agent port is a socket pair.
class MonitorMachine : public sandbox::GuestMachine {
 public:
  MonitorMachine(MachineConfig config, std::filesystem::path directory)
      : config_(std::move(config)), directory_(std::move(directory)) {}

  void start(base::EventLoop& loop, Handlers handlers) override;
  void kill() override {
    if (monitor_) monitor_->kill();
  }
  std::vector<pid_t> processes() const override {
    return monitor_ && monitor_->running() ? std::vector{monitor_->pid()} : std::vector<pid_t>{};
  }
  std::string last_words() const override { return last_words_; }
  void pause(sandbox::Done done) override { monitor_->order({Command::pause}, std::move(done)); }
  void resume(sandbox::Done done) override { monitor_->order({Command::resume}, std::move(done)); }

 private:
  void tell_marks(const sandbox::Marks& marks);
  void on_end(const MonitorReport& report);

  MachineConfig config_;
  std::filesystem::path directory_;
  Handlers handlers_;
  std::optional<MonitorProcess> monitor_;
  std::string last_words_;
};

void MonitorMachine::start(base::EventLoop& loop, Handlers handlers) {
  handlers_ = std::move(handlers);
  auto [ours, guests] = base::make_socket_pair();
  auto config = config_;
  config.ports.push_back({.name = agent_port, .descriptor = guests.get()});
  if (base::log_level() == base::LogLevel::debug) config.serial_out = 2;
  monitor_.emplace(
      loop, std::move(config), [this](const MonitorReport& report) { on_end(report); },
      [this](sandbox::Mark) { tell_marks(monitor_->marks()); });
  record_monitor(directory_, monitor_->pid());
  handlers_.on_port(std::move(ours));
}

void MonitorMachine::tell_marks(const sandbox::Marks& marks) {
  for (std::size_t i = 0; i < sandbox::mark_count; ++i) {
    const auto mark = static_cast<sandbox::Mark>(i);
    if (const auto time = marks.at(mark)) handlers_.on_mark(mark, *time);
  }
}

void MonitorMachine::on_end(const MonitorReport& report) {
  tell_marks(report.marks);
  const auto& end = *report.end;
  last_words_ = fmt::format("{}", fmt::join(end.last_serial, "\n"));
  handlers_.on_end({.reason = base::Error(base::ErrorKind::system, end.message, end.hint),
                    .never_ran = end.reason == EndReason::setup_error});
}

}  // namespace

void VmEngine::check_host() const { kvm::require_linux_guests(kvm::probe_host()); }

// check_host() accepts no other API.
std::vector<std::pair<std::string, std::string>> VmEngine::versions() const {
  return {{"KVM API", std::to_string(KVM_API_VERSION)}};
}

std::unique_ptr<sandbox::Box> VmEngine::create(sandbox::BoxRequest request) {
  if (request.spec.process.args.empty()) {
    throw base::Error(base::ErrorKind::usage, "there is no command to run");
  }
  auto machine = std::make_unique<MonitorMachine>(plan_machine(request), request.directory);
  return std::make_unique<sandbox::GuestBox>(std::move(request), std::move(machine));
}

void VmEngine::clean_up(const std::string&, const std::filesystem::path& directory) {
  kill_recorded_monitor(directory);
}

}  // namespace twinbox::vmm
