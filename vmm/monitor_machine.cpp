#include "vmm/monitor_machine.hpp"

#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "base/syscall.hpp"
#include "vmm/agent_port.hpp"
#include "vmm/image_plan.hpp"
#include "vmm/monitor_record.hpp"
#include "vmm/saved_machine.hpp"
#include "vmm/template_store.hpp"

namespace twinbox::vmm {
MonitorMachine::MonitorMachine(MachinePlans plans, std::filesystem::path directory)
    : plans_(std::move(plans)), directory_(std::move(directory)) {}

void MonitorMachine::start(base::EventLoop& loop, Handlers handlers) {
  loop_ = &loop;
  handlers_ = std::move(handlers);
  if (auto machine = take_standby(plans_.standby)) return adopt(*std::move(machine));
  if (!plans_.warm) return start_cold();
  warm_ = plans_.warm();
  if (std::filesystem::exists(warm_->snapshot)) return start_warm();
  maker_.emplace(*loop_, *warm_,
                 TemplateMaker::Handlers{
                     .on_monitor = [this](pid_t monitor) { record_monitor(directory_, monitor); },
                     .on_end = [this](const auto& error) { on_template(error); }});
}

void MonitorMachine::start_cold() {
  cold_ = plans_.cold();
  spawn(cold_);
  handlers_.on_port(std::move(port_),
                    cold_.snapshot.empty() ? Agent::starts : Agent::saved_at_work);
}

void MonitorMachine::start_warm() {
  note_use(warm_->snapshot);
  spawn(warm_->machine);
}

void MonitorMachine::on_template(const std::optional<base::Error>& error) {
  maker_.reset();
  try {
    if (killed_)
      return handlers_.on_end({.reason = base::Error(base::ErrorKind::system, "it was told to end"),
                               .never_ran = false});
    if (error) return give_up_warmth(*error);
    start_warm();
  } catch (const base::Error& failure) {
    handlers_.on_end({.reason = failure, .never_ran = true});
  }
}

// What is wrong with the guest itself shows again in a cold start.
void MonitorMachine::give_up_warmth(const base::Error& reason) {
  base::log(base::LogLevel::warning,
            "the machine boots, for there is no template to start it from: {}", reason.what());
  warm_.reset();
  start_cold();
}

void MonitorMachine::spawn(MachineConfig config) {
  auto [ours, guests] = base::make_socket_pair();
  config.ports.push_back({.name = agent_port, .descriptor = guests.get()});
  if (base::log_level() == base::LogLevel::debug) config.serial_out = 2;
  port_ = std::move(ours);
  layers_ = HugeLayers(templates_directory()).use(std::move(config.image));
  config.image = layers_.image;
  monitor_.emplace(
      *loop_, std::move(config), [this](const MonitorReport& report) { on_monitor_end(report); },
      [this](sandbox::Mark mark) { on_mark(mark); });
  record_monitor(directory_, monitor_->pid());
}

// What came before is another's time. It has been told to go on, and says hello. It ends with its
// report's reader; that it is known to who cleans up, should it hang then, has some time.
void MonitorMachine::adopt(StandbyMachine machine) {
  constexpr std::chrono::milliseconds while_the_box_starts{20};
  adopted_ = sandbox::Stamp::now();
  adopted_config_ = std::move(machine.config);
  monitor_.emplace(
      *loop_, std::move(machine.monitor),
      [this](const MonitorReport& report) { on_monitor_end(report); },
      [this](sandbox::Mark) { tell_marks(monitor_->marks()); });
  record_timer_ = loop_->add_timer(while_the_box_starts, [this] {
    record_timer_.reset();
    if (monitor_->running()) record_monitor(directory_, monitor_->pid());
  });
  handlers_.on_mark(sandbox::Mark::created, *adopted_);
  handlers_.on_port(std::move(machine.port), Agent::starts);
}

MonitorMachine::~MonitorMachine() {
  if (record_timer_) loop_->cancel_timer(*record_timer_);
}

void MonitorMachine::save(const std::filesystem::path& directory, sandbox::Done done) {
  write_saved_machine(directory, adopted_ ? adopted_config() : config());
  monitor_->order({.command = Command::snapshot, .path = saved_state(directory).string()},
                  std::move(done));
}

MachineConfig MonitorMachine::adopted_config() const {
  ::lseek(adopted_config_.get(), 0, SEEK_SET);
  return machine_config_from_json(base::read_to_end(adopted_config_.get()),
                                  "the machine's configuration");
}

void MonitorMachine::on_mark(sandbox::Mark mark) {
  tell_marks(monitor_->marks());
  // From here on it is the template's machine that runs, and not one that may have to boot.
  if (warm_ && mark == sandbox::Mark::created) handlers_.on_port(std::move(port_), Agent::saved);
}

void MonitorMachine::tell_marks(const sandbox::Marks& marks) {
  for (std::size_t i = 0; i < sandbox::mark_count; ++i) {
    const auto mark = static_cast<sandbox::Mark>(i);
    const auto stamp = marks.find(mark);
    if (stamp && (!adopted_ || stamp->monotonic_ns > adopted_->monotonic_ns)) {
      handlers_.on_mark(mark, *stamp);
    }
  }
}

void MonitorMachine::on_monitor_end(const MonitorReport& report) {
  const auto& end = *report.end;
  const base::Error reason(base::ErrorKind::system, end.message, end.hint);
  if (warm_ && end.never_ran() && !killed_) {
    // Of any other reason the next machine may start from it.
    if (end.reason == EndReason::snapshot_error) try_to_remove(warm_->snapshot);
    try {
      return give_up_warmth(reason);
    } catch (const base::Error& error) {
      return handlers_.on_end({.reason = error, .never_ran = true});
    }
  }
  tell_marks(report.marks);
  last_words_ = fmt::format("{}", fmt::join(end.last_serial, "\n"));
  handlers_.on_end({.reason = reason, .never_ran = end.never_ran()});
}

void MonitorMachine::kill() {
  killed_ = true;
  if (maker_) maker_->kill();
  if (monitor_) monitor_->kill();
}

std::vector<sandbox::AgentDisk> MonitorMachine::disks(std::size_t layers) const {
  if (adopted_) return {};  // it has been told
  return disks_in(config(), layers);
}

std::vector<pid_t> MonitorMachine::processes() const {
  if (maker_) return maker_->processes();
  return monitor_ && monitor_->running() ? std::vector{monitor_->pid()} : std::vector<pid_t>{};
}

}  // namespace twinbox::vmm
